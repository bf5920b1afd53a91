// What leaves on which path.
#include "connection/transmission.h"

#include <gtest/gtest.h>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::dtls::connection {
namespace {

constexpr PathId kPresent{1};
constexpr PathId kOther{2};
constexpr PathId kThird{3};

// A flight, an ACK and an alert, all in plaintext.
class Transmission : public testing::Test {
 protected:
  void queue_flight(std::optional<PathId> path = {}) {
    flight_.add_message(wire::HandshakeType::finished, wire::MessageSeq{0}, wire::kPlaintextEpoch,
                        [](wire::Writer& out) { out.bytes(test::counted(32)); });
    flight_.begin({});
    if (path) flight_.set_path(*path);
  }
  void queue_ack(std::optional<PathId> path = {}) {
    acknowledgements_.received({wire::kPlaintextEpoch, wire::SequenceNumber{0}});
    acknowledgements_.send_now();
    if (path) acknowledgements_.set_path(*path);
  }
  void queue_alert(std::optional<PathId> path = {}) {
    outputs_.queue(
        {{message::AlertLevel::warning, Alert::close_notify}, wire::kPlaintextEpoch, path});
  }

  // The content type and path of each datagram that waits, in its order.
  std::vector<std::pair<unsigned, PathId>> leave(PathId present, bool is_ack_first = false) {
    std::vector<std::pair<unsigned, PathId>> all;
    Buffer out(1000);
    for (;;) {
      Sendable sendable{nullptr, nullptr, is_ack_first};
      if (flight_.has_more()) sendable.flight = &flight_;
      if (acknowledgements_.is_due()) sendable.acknowledgements = &acknowledgements_;
      const Shared shared{config_->options(), test::environment().library(),
                          records_,           counters_,
                          outputs_,           Role::client};
      const auto sent = write_datagram(shared, sendable, {present, 1200}, out);
      if (!sent) return all;
      all.emplace_back(std::to_integer<unsigned>(out.front()), sent->path);
    }
  }

  ConfigPtr config_ = test::make_config(test::options());
  record::RecordLayer records_;
  Counters counters_;
  Outputs outputs_;
  flight::ReliableFlight flight_{config_->options().timers};
  Acknowledgements acknowledgements_;
};

constexpr unsigned kAlert = 21;
constexpr unsigned kHandshake = 22;
constexpr unsigned kAck = 26;
using Sent = std::vector<std::pair<unsigned, PathId>>;

TEST_F(Transmission, WithoutAPathOfItsOwnAllLeavesOnThePresentOne) {
  queue_alert();
  queue_ack();
  queue_flight();
  EXPECT_EQ(leave(kPresent), (Sent{{kHandshake, kPresent}, {kAck, kPresent}, {kAlert, kPresent}}));
  EXPECT_EQ(counters_.statistics().records_sent, 3U);
  EXPECT_TRUE(leave(kPresent).empty());
}

TEST_F(Transmission, ThePresentPathIsThatOfTheTimeWhenItLeaves) {
  queue_alert();
  EXPECT_EQ(leave(kOther), (Sent{{kAlert, kOther}}));
}

TEST_F(Transmission, OutputsOfOneTurnLeaveOnSeveralPaths) {
  queue_flight();
  queue_ack(kOther);
  queue_alert(kThird);
  EXPECT_EQ(leave(kPresent), (Sent{{kHandshake, kPresent}, {kAck, kOther}, {kAlert, kThird}}));
}

TEST_F(Transmission, ARepetitionLeavesOnThePathOfItsFlight) {
  queue_flight(kOther);
  EXPECT_EQ(leave(kPresent), (Sent{{kHandshake, kOther}}));
  flight_.on_timeout(flight_.deadline().value());
  EXPECT_EQ(leave(kThird), (Sent{{kHandshake, kOther}}));
}

TEST_F(Transmission, AnAckMayGoFirst) {
  queue_flight();
  queue_ack();
  EXPECT_EQ(leave(kPresent, true), (Sent{{kAck, kPresent}, {kHandshake, kPresent}}));
}

}  // namespace
}  // namespace sluice::dtls::connection
