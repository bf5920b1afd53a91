// One call, on a transport that the test drives.
#include "demo/echo_session.h"

#include <gtest/gtest.h>
#include <sluice/data_channel/association.h>

#include <deque>

#include "common/clock.h"
#include "unit/interop/common/sdp/offers.h"

namespace sluice::interop::demo {
namespace {

using dtls::Buffer;

// Keeps what is sent.
class ScriptedTransport final : public CallTransport {
 public:
  explicit ScriptedTransport(std::deque<Buffer>& sent) : sent_(sent) {}

  [[nodiscard]] bool description_ready() const override { return true; }
  [[nodiscard]] TransportDescription local_description() const override { return {}; }
  [[nodiscard]] bool is_ice_lite() const override { return true; }
  SdpResult<void> set_answer(const TransportDescription&) override { return {}; }
  void send_rtp(Bytes) override {}
  void send_rtcp(Bytes) override {}
  void send_data(Bytes data) override { sent_.emplace_back(data.begin(), data.end()); }
  tl::expected<dtls::SecretBytes, std::string> move_out() override {
    return tl::unexpected<std::string>("it cannot move");
  }
  [[nodiscard]] PathFigures path_figures() const override { return {}; }
  [[nodiscard]] std::optional<dtls::ConnectionInfo> info() const override { return {}; }
  [[nodiscard]] srtp::Cryptex cryptex() const override { return srtp::Cryptex::off; }
  [[nodiscard]] transport::MediaTransportStatistics media_statistics() const override { return {}; }
  [[nodiscard]] std::optional<dtls::Statistics> dtls_statistics() const override { return {}; }

 private:
  std::deque<Buffer>& sent_;
};

class ScriptedTransports final : public CallTransports {
 public:
  SdpResult<std::unique_ptr<CallTransport>> open(const CallOptions&,
                                                 CallListener& listener) override {
    listener_ = &listener;
    return std::make_unique<ScriptedTransport>(sent_);
  }
  SdpResult<std::unique_ptr<CallTransport>> restore(Bytes, const RestoreOptions&,
                                                    CallListener&) override {
    return tl::unexpected(SdpError{"It cannot move."});
  }

  CallListener& listener() { return *listener_; }
  std::deque<Buffer>& sent() { return sent_; }

 private:
  std::deque<Buffer> sent_;
  CallListener* listener_ = nullptr;
};

// Both ways, until neither side has more to send.
void exchange(data_channel::Association& peer, ScriptedTransports& transports) {
  for (bool is_idle = false; !is_idle;) {
    is_idle = true;
    while (peer.poll_event()) continue;
    while (const auto packet = peer.poll_transmit()) {
      Buffer copy(packet->begin(), packet->end());
      transports.listener().on_data(copy);
      is_idle = false;
    }
    for (; !transports.sent().empty(); is_idle = false) {
      peer.handle_packet(transports.sent().front(), common::now());
      transports.sent().pop_front();
    }
  }
}

// A transport reports data before events: an INIT right behind the peer's last flight comes before
// on_connected(). The peer would repeat a lost one after a second or more.
TEST(EchoSession, TakesAnInitThatComesBeforeTheConnectionIsReported) {
  ScriptedTransports transports;
  const auto offer = read_offer(small_offer());
  ASSERT_TRUE(offer.has_value());
  const auto session =
      EchoSession::make("id", *offer, {}, {.transports = transports}, [](const std::string&) {});
  ASSERT_TRUE(session.has_value());
  auto peer = data_channel::Association::make({.role = dtls::Role::client}, common::now());
  ASSERT_TRUE(peer.has_value());

  exchange(*peer, transports);
  EXPECT_TRUE(peer->established());

  // The association is the same then.
  transports.listener().on_connected({});
  EXPECT_TRUE(transports.sent().empty());
}

// RFC 8842 section 5.3: the answerer takes the role of its choice.
TEST(EchoSession, TakesOneAnswerToItsOffer) {
  for (const auto setup : {interop::Setup::active, interop::Setup::passive}) {
    ScriptedTransports transports;
    const auto session = EchoSession::make("id", own_offer(), {.setup = interop::Setup::actpass},
                                           {.transports = transports}, [](const std::string&) {});
    ASSERT_TRUE(session.has_value());
    Offer answer = own_offer();
    answer.transport.setup = setup;
    const auto taken = (*session)->take_answer(answer);
    ASSERT_TRUE(taken) << taken.error().sentence;
    EXPECT_FALSE((*session)->take_answer(answer)) << "again";
    transports.listener().on_connected({});
    const auto role = setup == interop::Setup::active ? dtls::Role::client : dtls::Role::server;
    auto peer = data_channel::Association::make({.role = role}, common::now());
    ASSERT_TRUE(peer.has_value());
    exchange(*peer, transports);
    ASSERT_TRUE(peer->established());
  }
}

}  // namespace
}  // namespace sluice::interop::demo
