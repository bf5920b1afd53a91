// Calls whose header extensions and CSRCs are encrypted (RFC 9335), as SDP has agreed on it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <utility>

#include "call.h"

namespace sluice::transport {
namespace {

using srtp::Cryptex;
using testing::ElementsAre;
using testing::HasSubstr;

const Packet kWithHeader = make_rtp({.payload = 40, .csrcs = 1, .extension_words = 2});

Packet with_header(std::uint16_t sequence) {
  return make_rtp({.sequence = sequence, .payload = 40, .csrcs = 1, .extension_words = 2});
}

// Whether the CSRC and the extension's elements of with_header() are hidden.
bool is_hidden(const Packet& datagram) {
  const auto shows = [&](std::size_t at, std::size_t size) {
    return !std::ranges::search(datagram, std::span(kWithHeader).subspan(at, size)).empty();
  };
  return !shows(12, 4) && !shows(20, 8);
}

TEST(TransportWithoutCryptex, IsRefusedAndNeverIgnored) {
  if (srtp::has_cryptex()) GTEST_SKIP() << "this libsrtp has cryptex";
  MediaTransportOptions options;
  auto dtls = test::options();
  dtls.identities = {test::must(dtls::Identity::self_signed(test::environment()))};
  options.dtls = test::make_config(std::move(dtls));
  options.srtp.cryptex = Cryptex::receive;
  const auto refused = MediaTransport::make(options, test::environment());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, dtls::Errc::invalid_config);
  EXPECT_THAT(std::string(refused.error().detail), HasSubstr("srtp: cryptex"));
  Call call;
  call.connect();
  const auto unchanged = call.client.transport.set_cryptex(Cryptex::on);
  ASSERT_FALSE(unchanged);
  EXPECT_EQ(unchanged.error().code, dtls::Errc::invalid_argument);
  EXPECT_TRUE(call.send_rtp(call.client, kWithHeader));
  call.run_for(100ms);
  EXPECT_THAT(call.server.rtp, ElementsAre(kWithHeader));
}

// The last bits of the flags, which are the second byte.
TEST(TransportWithoutCryptex, AStateThatNeedsItIsRefused) {
  if (srtp::has_cryptex()) GTEST_SKIP() << "this libsrtp has cryptex";
  CallOptions options;
  options.identity = test::must(dtls::Identity::self_signed(test::environment()));
  Call call(options);
  call.connect();
  const auto state = test::must(std::move(call.server.transport).export_session());
  Packet bytes(state.bytes().begin(), state.bytes().end());
  bytes[1] |= std::byte{0x20};
  auto dtls = options.server_dtls;
  dtls.identities = {*options.identity};
  const auto restored =
      MediaTransport::restore({.dtls = test::make_config(std::move(dtls))}, test::environment(),
                              test::must(TransportState::parse(bytes)), call.now);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, dtls::Errc::session_refused);
  EXPECT_THAT(std::string(restored.error().detail), HasSubstr("cryptex"));
}

class TransportCryptex : public testing::Test {
 protected:
  void SetUp() override {
    if (!srtp::has_cryptex()) GTEST_SKIP() << "libsrtp has cryptex from 2.8.0 on";
    options_.identity = test::must(dtls::Identity::self_signed(test::environment()));
  }
  // From the client, with what has been on the way.
  static bool arrives_hidden(Call& call, std::uint16_t sequence) {
    Packet datagram;
    call.network = [&](Flight& flight) { return datagram = flight.bytes, true; };
    EXPECT_TRUE(call.send_rtp(call.client, with_header(sequence)));
    call.run_for(100ms);
    call.network = [](Flight&) { return true; };
    EXPECT_FALSE(call.server.rtp.empty());
    if (!call.server.rtp.empty()) {
      EXPECT_EQ(call.server.rtp.back(), with_header(sequence));
    }
    return is_hidden(datagram);
  }

  CallOptions options_;
};

TEST_F(TransportCryptex, IsAnOption) {
  options_.client.srtp.cryptex = Cryptex::on;
  options_.server.srtp.cryptex = Cryptex::receive;
  Call call(options_);
  call.connect();
  EXPECT_TRUE(arrives_hidden(call, 1));
  // The server has not been told that the client can.
  Packet datagram;
  call.network = [&](Flight& flight) { return datagram = flight.bytes, true; };
  EXPECT_TRUE(call.send_rtp(call.server, kWithHeader));
  call.run_for(100ms);
  EXPECT_FALSE(is_hidden(datagram));
  EXPECT_THAT(call.client.rtp, ElementsAre(kWithHeader));
}

// RFC 9335 section 4: an answer comes after the transport was made, a later offer changes it.
TEST_F(TransportCryptex, ChangesWithOffersAndAnswers) {
  options_.client.srtp.cryptex = Cryptex::receive;
  options_.server.srtp.cryptex = Cryptex::receive;
  Call call(options_);
  ASSERT_TRUE(call.client.transport.set_cryptex(Cryptex::on));
  call.connect();
  EXPECT_TRUE(arrives_hidden(call, 1)) << "said before there was a session";
  ASSERT_TRUE(call.client.transport.set_cryptex(Cryptex::receive));
  EXPECT_FALSE(arrives_hidden(call, 2));
  ASSERT_TRUE(call.client.transport.set_cryptex(Cryptex::on));
  EXPECT_TRUE(arrives_hidden(call, 3));
}

TEST_F(TransportCryptex, CountsWhatIsInClearAgainstRequired) {
  options_.server.srtp.cryptex = Cryptex::required;
  Call call(options_);
  call.connect();
  EXPECT_TRUE(call.send_rtp(call.client, kWithHeader));
  call.run_for(100ms);
  EXPECT_TRUE(call.server.rtp.empty());
  EXPECT_EQ(call.server.transport.statistics().count(srtp::PacketError::header_in_clear), 1U);
}

// Early packets wait for the fingerprints, and are decrypted with what was agreed on by then.
TEST_F(TransportCryptex, IsThereForEarlyPackets) {
  options_.client.srtp.cryptex = Cryptex::on;
  options_.server.srtp.cryptex = Cryptex::receive;
  Call call(options_);
  call.settle(call.client, call.client.transport.start(dtls::Role::client, call.now));
  call.settle(call.server, call.server.transport.start(dtls::Role::server, call.now));
  call.announce(call.client, call.server.fingerprint);
  call.select_both(kPathA);
  call.run_for(1s);
  ASSERT_FALSE(call.client.connected.empty());
  EXPECT_TRUE(call.send_rtp(call.client, kWithHeader));
  call.run_for(100ms);
  EXPECT_TRUE(call.server.rtp.empty());
  call.announce(call.server, call.client.fingerprint);
  call.run_for(100ms);
  EXPECT_THAT(call.server.rtp, ElementsAre(kWithHeader));
}

TEST_F(TransportCryptex, OutlastsARestart) {
  options_.client.srtp.cryptex = Cryptex::on;
  options_.server.srtp.cryptex = Cryptex::on;
  Call call(options_);
  call.connect();
  EXPECT_TRUE(arrives_hidden(call, 1));
  call.restart_both();
  call.validate(call.server, kPathB);
  EXPECT_TRUE(arrives_hidden(call, 2)) << "under the old keys";
  call.select_both(kPathB);
  call.run_for(2s);
  ASSERT_EQ(call.client.connected.size(), 2U);
  EXPECT_TRUE(arrives_hidden(call, 3));
  EXPECT_EQ(call.server.rtp.size(), 3U);
}

// The options that it is restored with say nothing of it.
TEST_F(TransportCryptex, MovesWithTheCall) {
  options_.client.srtp.cryptex = Cryptex::on;
  options_.server.srtp.cryptex = Cryptex::receive;
  Call call(options_);
  call.connect();
  EXPECT_TRUE(arrives_hidden(call, 1));
  for (const bool is_client : {true, false}) {
    auto& end = is_client ? call.client : call.server;
    auto dtls = is_client ? options_.client_dtls : options_.server_dtls;
    dtls.identities = {*options_.identity};
    auto state = test::must(std::move(end.transport).export_session());
    end.transport =
        test::must(MediaTransport::restore({.dtls = test::make_config(std::move(dtls))},
                                           test::environment(), std::move(state), call.now));
  }
  EXPECT_EQ(call.client.transport.cryptex(), Cryptex::on);
  EXPECT_EQ(call.server.transport.cryptex(), Cryptex::receive);
  EXPECT_TRUE(arrives_hidden(call, 2));
}

}  // namespace
}  // namespace sluice::transport
