// The return routability check (RFC 9853) moves no MediaTransport: ICE checks and chooses paths.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "call.h"
#include "message/path_message.h"
#include "support/by_version.h"
#include "support/bytes.h"
#include "support/record_access.h"

namespace sluice::transport {
namespace {

using dtls::ReturnRoutability;
using dtls::message::PathMessage;
using dtls::message::PathMessageType;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr PathId kUnknownPath{7};

dtls::ConfigOptions with_ids(dtls::ConfigOptions options, std::optional<ReturnRoutability> kind) {
  options.connection_id_size = 8;
  options.return_routability = kind;
  return options;
}

TEST(ReturnRoutability, AConfigThatMovesByItselfIsRefused) {
  for (const std::optional<ReturnRoutability> kind :
       {std::optional<ReturnRoutability>(), std::optional(ReturnRoutability::basic),
        std::optional(ReturnRoutability::enhanced)}) {
    const auto made = MediaTransport::make(
        {.dtls = test::make_config(with_ids(test::options(), kind))}, test::environment());
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, dtls::Errc::invalid_config);
    EXPECT_THAT(std::string(made.error().detail), testing::StartsWith("dtls: return_routability:"));
  }
  EXPECT_TRUE(MediaTransport::make(
      {.dtls = test::make_config(with_ids(test::options(), ReturnRoutability::none))},
      test::environment()));
}

// A server with a MediaTransport, and a client with the engine alone.
class ReturnRoutabilityOf : public test::ByVersion {
 protected:
  static constexpr dtls::Instant kNow{1h};

  ReturnRoutabilityOf()
      : server_(test::must(MediaTransport::make(
            {.dtls = test::make_config(with_ids(ByVersion::options(), ReturnRoutability::none))},
            test::environment()))),
        client_(test::make_client(
            test::make_config(with_ids(ByVersion::options(), ReturnRoutability::enhanced)), kNow)) {
    const auto fingerprint = test::must(dtls::Fingerprint::of(
        test::ecdsa_identity().certificate(), dtls::HashAlgorithm::sha256, test::environment()));
    EXPECT_TRUE(server_.start(dtls::Role::server, kNow));
    EXPECT_TRUE(server_.set_peer_fingerprints({&fingerprint, 1}, kNow));
    EXPECT_TRUE(server_.path_selected(kPathA, std::nullopt, kNow));
    EXPECT_TRUE(server_.path_validated(kPathB, kNow));
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& datagram : client_.take_datagrams()) receive(std::move(datagram), kPathA);
      for (auto& datagram : std::exchange(sent_, {})) {
        client_.receive(std::move(datagram), kNow);
        moved = true;
      }
    }
    EXPECT_TRUE(server_.connected() && client_.connected);
    data_.clear();
  }

  void receive(dtls::Buffer datagram, PathId path) {
    const auto outcome = server_.handle_datagram(datagram, path, kNow);
    if (!outcome) error_ = outcome.error();
    std::array<std::byte, dtls::kMaxDatagram> out{};
    while (const auto sent = server_.poll_transmit(out)) {
      EXPECT_EQ(sent->path, kPathA);
      sent_.push_back(test::copy_of(dtls::Bytes(out).first(sent->size)));
    }
    while (const auto data = server_.poll_data()) data_.push_back(test::copy_of(*data));
    while (server_.poll_event()) continue;
  }
  dtls::Buffer seal(const PathMessage& message) {
    auto& records = test::records_of(client_.connection());
    dtls::Buffer out(400);
    out.resize(records
                   .seal(records.write_epoch(), dtls::ContentType::return_routability_check,
                         message.encode(), out)
                   .value());
    return out;
  }

  MediaTransport server_;
  test::Peer client_;
  std::vector<dtls::Buffer> sent_;
  std::vector<dtls::Buffer> data_;
  std::optional<dtls::Error> error_;
};

INSTANTIATE_TEST_SUITE_P(Versions, ReturnRoutabilityOf, test::both_versions(),
                         test::name_of_version);

// The client's new address is ICE's to tell, whatever its records say.
TEST_P(ReturnRoutabilityOf, ThePeersOfferIsNotAccepted) {
  EXPECT_FALSE(client_.connected->return_routability);
  EXPECT_FALSE(server_.info()->return_routability);
  ASSERT_EQ(server_.info()->own_connection_id.size(), 8U);

  const auto first = test::copy_of(test::bytes_of("first"));
  receive(client_.seal(first), kPathB);
  EXPECT_THAT(data_, ElementsAre(first)) << "ICE has validated the path";
  EXPECT_EQ(server_.path(), kPathA);
  EXPECT_THAT(sent_, IsEmpty()) << "no challenge";

  receive(client_.seal(test::bytes_of("second")), kUnknownPath);
  EXPECT_EQ(server_.statistics().count(Drop::unvalidated_path), 1U);
  EXPECT_EQ(data_.size(), 1U);
  EXPECT_THAT(sent_, IsEmpty());

  ASSERT_TRUE(server_.path_selected(kPathB, std::nullopt, kNow));
  EXPECT_EQ(server_.path(), kPathB);
}

// RFC 9853 section 3: "MUST NOT use RRC unless both sides have successfully exchanged rrc
// extensions".
TEST_P(ReturnRoutabilityOf, AMessageOfThePeerEndsTheAssociation) {
  receive(seal({PathMessageType::path_challenge, {std::byte{7}}}), kPathA);
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, dtls::Errc::unexpected_message);
  EXPECT_TRUE(server_.ended());
  ASSERT_EQ(sent_.size(), 1U);
  client_.receive(std::move(sent_[0]), kNow);
  ASSERT_TRUE(client_.error);
  EXPECT_EQ(client_.error->alert, dtls::Alert::unexpected_message);
}

// Anybody can write those.
TEST_P(ReturnRoutabilityOf, AMessageInPlaintextChangesNothing) {
  const auto before = server_.dtls_statistics()->total_discarded();
  int sequence = 0;
  for (const auto* epoch : {"0000", "0001"}) {
    for (const auto* type : {"00", "01", "02"}) {
      receive(test::from_hex(std::string("1b fefd ") + epoch + "00000000001" +
                             std::to_string(sequence++) + "0009" + type + "0102030405060708"),
              kPathA);
    }
  }
  EXPECT_EQ(server_.dtls_statistics()->total_discarded(), before + 6);
  EXPECT_TRUE(server_.connected());
  EXPECT_THAT(sent_, IsEmpty());
  const auto data = test::copy_of(test::bytes_of("data"));
  receive(client_.seal(data), kPathA);
  EXPECT_THAT(data_, ElementsAre(data));
}

// A session of the engine alone, with the check, becomes no MediaTransport.
TEST_P(ReturnRoutabilityOf, ASessionThatHasItIsNotRestored) {
  const auto config = test::make_config(with_ids(ByVersion::options(), ReturnRoutability::basic));
  test::Peer client = test::make_client(config, kNow);
  test::Peer server = test::make_server(config, kNow);
  test::exchange(client, server, kNow);
  ASSERT_TRUE(server.connected->return_routability);
  const auto session = test::must(std::move(server.connection()).export_session());
  // The form of docs/live-sessions.md: no flags, path 1, no validated paths.
  dtls::Buffer state = test::from_hex("01 00 00000001 0000");
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    state.push_back(static_cast<std::byte>(session.bytes().size() >> shift & 0xff));
  }
  state.insert(state.end(), session.bytes().begin(), session.bytes().end());
  for (const auto kind : {ReturnRoutability::basic, ReturnRoutability::none}) {
    const auto restored = MediaTransport::restore(
        {.dtls = test::make_config(with_ids(ByVersion::options(), kind))}, test::environment(),
        test::must(TransportState::parse(state)), kNow);
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().code, kind == ReturnRoutability::none ? dtls::Errc::session_refused
                                                                     : dtls::Errc::invalid_config);
  }
}

}  // namespace
}  // namespace sluice::transport
