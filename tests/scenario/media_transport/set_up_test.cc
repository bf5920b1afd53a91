// From the first path to flowing media: what is held, what waits, what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "call.h"
#include "support/by_version.h"

namespace sluice::transport {
namespace {

using dtls::Errc;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SetUp : public test::ByVersion {
 protected:
  static CallOptions options() { return call_options(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Versions, SetUp, test::both_versions(), test::name_of_version);

TEST_P(SetUp, CarriesMediaAndDataBothWays) {
  Call call(options());
  call.connect();
  EXPECT_EQ(call.client.connected.front().role, dtls::Role::client);
  EXPECT_EQ(call.server.connected.front().srtp_profile, dtls::SrtpProfile::aead_aes_256_gcm);
  for (auto [from, to] : {std::pair(&call.client, &call.server), {&call.server, &call.client}}) {
    EXPECT_TRUE(from->transport.connected());
    EXPECT_TRUE(call.send_rtp(*from, make_rtp()));
    EXPECT_TRUE(call.send_rtcp(*from, make_rtcp()));
    EXPECT_TRUE(call.send_data(*from, kData));
    call.run_for(100ms);
    EXPECT_THAT(to->rtp, ElementsAre(make_rtp()));
    EXPECT_THAT(to->rtcp, ElementsAre(make_rtcp()));
    EXPECT_THAT(to->data, ElementsAre(kData));
    EXPECT_EQ(from->transport.statistics().rtp_sent, 1U);
    EXPECT_EQ(from->transport.statistics().rtcp_sent, 1U);
    EXPECT_EQ(to->transport.statistics().rtp_received, 1U);
    EXPECT_EQ(to->transport.statistics().rtcp_received, 1U);
    EXPECT_EQ(to->transport.statistics().associations, 1U);
  }
}

TEST_P(SetUp, EveryProfileWorks) {
  for (const auto profile : test::kAllSrtpProfiles) {
    CallOptions options = SetUp::options();
    options.client_dtls.srtp_profiles = {profile};
    Call call(options);
    call.connect();
    EXPECT_EQ(call.server.connected.front().srtp_profile, profile);
    EXPECT_TRUE(call.send_rtp(call.client, make_rtp()));
    EXPECT_TRUE(call.send_rtcp(call.server, make_rtcp()));
    call.run_for(100ms);
    EXPECT_THAT(call.server.rtp, ElementsAre(make_rtp()));
    EXPECT_THAT(call.client.rtcp, ElementsAre(make_rtcp()));
    EXPECT_EQ(call.client.transport.srtp_session()->profile(), profile);
  }
}

TEST_P(SetUp, AClientHoldsDtlsUntilIceHasSelectedAPath) {
  Call call(options());
  call.settle(call.client, call.client.transport.start(dtls::Role::client, call.now));
  call.announce(call.client, call.server.fingerprint);
  call.validate(call.client, kPathA);
  EXPECT_EQ(call.client.transport.next_timeout(), std::nullopt)
      << "no timer runs before there is a path";
  EXPECT_FALSE(call.client.transport.dtls_statistics());
  EXPECT_EQ(call.client.transport.path(), std::nullopt);
  std::vector<Flight> sent;
  call.network = [&](Flight& flight) { return sent.push_back(flight), false; };
  call.select(call.client, kPathA);
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent.front().path, kPathA);
  EXPECT_EQ(classify(sent.front().bytes), PacketClass::dtls);
  EXPECT_NE(call.client.transport.next_timeout(), std::nullopt);
  EXPECT_EQ(call.client.transport.path(), kPathA);
}

TEST_P(SetUp, TheRoleMayComeAfterThePath) {
  Call call(options());
  call.select_both(kPathA);
  call.settle(call.server, call.server.transport.start(dtls::Role::server, call.now));
  call.settle(call.client, call.client.transport.start(dtls::Role::client, call.now));
  call.announce(call.client, call.server.fingerprint);
  call.announce(call.server, call.client.fingerprint);
  call.run_for(1s);
  EXPECT_THAT(call.client.connected, SizeIs(1));
  EXPECT_THAT(call.server.connected, SizeIs(1));
}

TEST_P(SetUp, AClientHelloFromAPathThatIceHasNotCheckedIsDropped) {
  Call call(options());
  call.set_up(kPathA);
  call.server.transport.path_removed(kPathA);
  call.validate(call.server, kPathB);
  std::size_t answers = 0;
  call.network = [&](Flight& flight) { return answers += !flight.to_server, true; };
  call.run_for(100ms);
  EXPECT_EQ(call.server.transport.statistics().count(Drop::unvalidated_path), 1U);
  EXPECT_FALSE(call.server.transport.dtls_statistics()) << "nothing was made for it";
  EXPECT_EQ(answers, 0U);

  call.validate(call.server, kPathA);
  call.run_for(3s);
  EXPECT_THAT(call.server.connected, SizeIs(1)) << "by the client's repetition";
}

TEST_P(SetUp, AServerAnswersWhereTheClientHelloCameFrom) {
  Call call(options());
  call.settle(call.client, call.client.transport.start(dtls::Role::client, call.now));
  call.settle(call.server, call.server.transport.start(dtls::Role::server, call.now));
  call.announce(call.client, call.server.fingerprint);
  call.announce(call.server, call.client.fingerprint);
  call.validate(call.server, kPathA);
  call.validate(call.server, kPathB);
  std::vector<PathId> answers;
  call.network = [&](Flight& flight) {
    if (!flight.to_server) answers.push_back(flight.path);
    return true;
  };
  call.select(call.client, kPathB);
  call.run_for(1s);
  EXPECT_THAT(call.server.connected, SizeIs(1));
  EXPECT_THAT(answers, testing::Each(kPathB));
  EXPECT_FALSE(answers.empty());
}

TEST_P(SetUp, DtlsBeforeTheRoleIsDropped) {
  Call call(options());
  call.validate(call.server, kPathA);
  call.settle(call.client, call.client.transport.start(dtls::Role::client, call.now));
  call.select(call.client, kPathA);
  call.run_for(100ms);
  EXPECT_EQ(call.server.transport.statistics().count(Drop::not_started), 1U);
}

TEST_P(SetUp, WhoOfferedActpassMayTurnFromServerToClient) {
  Call call(options());
  auto& transport = call.client.transport;
  EXPECT_TRUE(transport.start(dtls::Role::server, call.now));
  call.set_up();
  call.run_for(1s);
  EXPECT_THAT(call.client.connected, SizeIs(1));
  const auto turned = transport.start(dtls::Role::server, call.now);
  ASSERT_FALSE(turned);
  EXPECT_EQ(turned.error().code, Errc::invalid_argument);
  EXPECT_TRUE(transport.start(dtls::Role::client, call.now));
  EXPECT_TRUE(transport.connected()) << "the refusal had no effect";
}

TEST_P(SetUp, AServerIsReadyBeforeTheAnswerAndWaitsForTheFingerprint) {
  Call call(options());
  call.settle(call.server, call.server.transport.start(dtls::Role::server, call.now));
  call.validate(call.server, kPathA);
  call.settle(call.client, call.client.transport.start(dtls::Role::client, call.now));
  call.announce(call.client, call.server.fingerprint);
  call.select(call.client, kPathA);
  call.run_for(1s);
  ASSERT_THAT(call.client.connected, SizeIs(1)) << "the handshake itself doesn't wait";
  EXPECT_THAT(call.server.connected, IsEmpty());
  EXPECT_FALSE(call.server.transport.connected());

  for (std::uint16_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(call.send_rtp(call.client, make_rtp({.sequence = i})));
  }
  EXPECT_TRUE(call.send_rtcp(call.client, make_rtcp()));
  EXPECT_TRUE(call.send_data(call.client, kData));
  EXPECT_FALSE(call.send_rtp(call.server, make_rtp()));
  EXPECT_FALSE(call.send_data(call.server, kData));
  call.run_for(5s);
  EXPECT_THAT(call.server.rtp, IsEmpty()) << "nothing passes before the peer is accepted";
  EXPECT_THAT(call.server.data, IsEmpty());

  call.announce(call.server, call.client.fingerprint);
  EXPECT_THAT(call.server.connected, SizeIs(1));
  EXPECT_THAT(call.server.rtp, ElementsAre(make_rtp({.sequence = 0}), make_rtp({.sequence = 1}),
                                           make_rtp({.sequence = 2})));
  EXPECT_THAT(call.server.rtcp, ElementsAre(make_rtcp()));
  EXPECT_THAT(call.server.data, ElementsAre(kData));
}

TEST_P(SetUp, EarlyMediaWaitsWithinItsBound) {
  CallOptions options = SetUp::options();
  options.server.max_early_packets = 5;
  options.server.max_early_packet_size = 500;
  Call call(options);
  call.settle(call.server, call.server.transport.start(dtls::Role::server, call.now));
  call.validate(call.server, kPathA);
  call.settle(call.client, call.client.transport.start(dtls::Role::client, call.now));
  call.announce(call.client, call.server.fingerprint);
  call.select(call.client, kPathA);
  call.run_for(1s);
  EXPECT_TRUE(call.send_rtp(call.client, make_rtp({.sequence = 1, .payload = 500})));
  for (std::uint16_t i = 2; i < 10; ++i) {
    EXPECT_TRUE(call.send_rtp(call.client, make_rtp({.sequence = i})));
  }
  call.run_for(1s);
  const auto& statistics = call.server.transport.statistics();
  EXPECT_EQ(statistics.count(Drop::early_media_large), 1U);
  EXPECT_EQ(statistics.count(Drop::early_media_full), 3U);
  call.announce(call.server, call.client.fingerprint);
  EXPECT_THAT(call.server.rtp, SizeIs(5));
  EXPECT_EQ(call.server.rtp.front(), make_rtp({.sequence = 2})) << "the newest are dropped";
}

TEST_P(SetUp, EarlyMediaIsNotTakenFromAnUncheckedPath) {
  Call call(options());
  call.set_up();
  for (int i = 0; i < 100; ++i) call.inject(call.server, make_rtp(), kPathB);
  call.run_for(1s);
  EXPECT_EQ(call.server.transport.statistics().count(Drop::unvalidated_path), 100U);
  EXPECT_EQ(call.server.transport.statistics().count(Drop::early_media_full), 0U);
}

TEST_P(SetUp, ForgedEarlyMediaIsRefusedWhenTheKeysAreThere) {
  Call call(options());
  call.set_up();
  call.inject(call.server, make_rtp(), kPathA);
  call.inject(call.server, Packet(40, std::byte{0x80}), kPathA);
  call.run_for(1s);
  EXPECT_THAT(call.server.rtp, IsEmpty());
  EXPECT_EQ(call.server.transport.statistics().count(srtp::PacketError::authentication_failed), 2U);
}

TEST_P(SetUp, MediaThatOvertakesTheLastFlightIsNotLost) {
  Call call(options());
  call.set_up();
  // The last flight, the server's or in DTLS 1.3 the client's, is lost once; its sender's media is
  // not.
  auto& last = is13() ? call.client : call.server;
  auto& hearer = is13() ? call.server : call.client;
  bool dropped = false;
  call.network = [&](Flight& flight) {
    // It begins with a ChangeCipherSpec, in DTLS 1.3 with a unified header.
    const auto first = std::to_integer<unsigned>(flight.bytes.front());
    const bool is_last = is13() ? first >= 32 && first < 64 : first == 20;
    if (flight.to_server == is13() && is_last && !dropped) {
      dropped = true;
      return false;
    }
    return true;
  };
  while (last.connected.empty()) call.run_for(1ms);
  EXPECT_TRUE(call.send_rtp(last, make_rtp()));
  call.run_for(50ms);
  ASSERT_THAT(hearer.connected, IsEmpty());
  call.run_for(5s);
  EXPECT_TRUE(dropped);
  EXPECT_THAT(hearer.connected, SizeIs(1));
  EXPECT_THAT(hearer.rtp, ElementsAre(make_rtp()));
}

class WrongFingerprint : public testing::TestWithParam<std::tuple<bool, dtls::ProtocolVersion>> {
 protected:
  static bool at_the_server() { return std::get<bool>(GetParam()); }
  static bool is13() {
    return std::get<dtls::ProtocolVersion>(GetParam()) == dtls::ProtocolVersion::dtls13;
  }
  static CallOptions options() { return call_options(std::get<dtls::ProtocolVersion>(GetParam())); }
};

std::string name_of_end(const testing::TestParamInfo<WrongFingerprint::ParamType>& info) {
  const auto [at_the_server, version] = info.param;
  return (at_the_server ? "AtTheServer" : "AtTheClient") + test::version_name(version);
}
INSTANTIATE_TEST_SUITE_P(Ends, WrongFingerprint,
                         testing::Combine(testing::Bool(), test::both_versions()), name_of_end);

TEST_P(WrongFingerprint, EndsTheHandshakeAtOnce) {
  Call call(options());
  auto& victim = at_the_server() ? call.server : call.client;
  auto& peer = at_the_server() ? call.client : call.server;
  call.settle(call.client, call.client.transport.start(dtls::Role::client, call.now));
  call.settle(call.server, call.server.transport.start(dtls::Role::server, call.now));
  call.announce(peer, victim.fingerprint);
  call.announce(victim, wrong_fingerprint());
  call.select_both(kPathA);
  call.run_for(1s);
  ASSERT_TRUE(victim.error);
  EXPECT_EQ(victim.error->code, Errc::peer_rejected);
  EXPECT_EQ(victim.error->alert, dtls::Alert::bad_certificate);
  ASSERT_TRUE(peer.error) << "the alert has left";
  EXPECT_EQ(peer.error->code, Errc::alert_received);
  EXPECT_EQ(peer.error->alert, dtls::Alert::bad_certificate);
  EXPECT_THAT(victim.connected, IsEmpty());
  // A client of DTLS 1.3 is connected before its certificate is judged (RFC 8446 section 2).
  EXPECT_THAT(peer.connected, SizeIs(is13() && at_the_server() ? 1 : 0));
  for (auto* end : {&victim, &peer}) {
    EXPECT_FALSE(call.send_rtp(*end, make_rtp()));
    EXPECT_FALSE(call.send_data(*end, kData));
    const auto dropped = end->transport.statistics().count(Drop::ended);
    call.inject(*end, make_rtp(), kPathA);
    EXPECT_EQ(end->transport.statistics().count(Drop::ended), dropped + 1);
    EXPECT_THAT(end->rtp, IsEmpty());
    EXPECT_EQ(end->transport.next_timeout(), std::nullopt);
  }
  const auto later = victim.transport.path_validated(kPathB, call.now);
  EXPECT_TRUE(later) << "an Error is told once";
  EXPECT_TRUE(victim.error->is_fatal);
  EXPECT_TRUE(victim.transport.ended());
  ASSERT_TRUE(victim.transport.error()) << "and kept";
  EXPECT_EQ(victim.transport.error()->code, Errc::peer_rejected);
}

TEST_P(WrongFingerprint, ThatComesLateLetsNothingThatWaitedPass) {
  Call call(options());
  auto& victim = at_the_server() ? call.server : call.client;
  auto& peer = at_the_server() ? call.client : call.server;
  call.settle(call.client, call.client.transport.start(dtls::Role::client, call.now));
  call.settle(call.server, call.server.transport.start(dtls::Role::server, call.now));
  call.announce(peer, victim.fingerprint);
  call.select_both(kPathA);
  call.run_for(1s);
  ASSERT_THAT(peer.connected, SizeIs(1));
  EXPECT_TRUE(call.send_rtp(peer, make_rtp()));
  EXPECT_TRUE(call.send_data(peer, kData));
  call.run_for(1s);
  call.announce(victim, wrong_fingerprint());
  ASSERT_TRUE(victim.error);
  EXPECT_EQ(victim.error->code, Errc::peer_rejected);
  EXPECT_THAT(victim.rtp, IsEmpty());
  EXPECT_THAT(victim.data, IsEmpty());
  EXPECT_THAT(victim.connected, IsEmpty());
  call.run_for(1s);
  ASSERT_TRUE(peer.error);
  EXPECT_EQ(peer.error->alert, dtls::Alert::bad_certificate);
  EXPECT_FALSE(call.send_rtp(peer, make_rtp({.sequence = 2000})));
}

TEST_P(SetUp, AnEmptyListOfFingerprintsIsRefusedWithoutEffect) {
  Call call(options());
  call.set_up();
  const auto refused = call.client.transport.set_peer_fingerprints({}, call.now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  call.run_for(1s);
  EXPECT_THAT(call.client.connected, SizeIs(1));
}

// The answer with the fingerprints never comes.
TEST_P(SetUp, SaysWhatItWaitsForAndDoesNotWaitForEver) {
  Call call(options());
  MediaTransport& client = call.client.transport;
  MediaTransport& server = call.server.transport;
  EXPECT_EQ(client.waiting_for(), TransportWaitingFor::role);
  call.settle(call.client, client.start(dtls::Role::client, call.now));
  call.settle(call.server, server.start(dtls::Role::server, call.now));
  EXPECT_EQ(client.waiting_for(), TransportWaitingFor::path);
  EXPECT_EQ(server.waiting_for(), TransportWaitingFor::client_hello);
  call.announce(call.client, call.server.fingerprint);
  call.select_both(kPathA);
  EXPECT_EQ(client.waiting_for(), TransportWaitingFor::peer_message);
  call.run_for(1s);
  EXPECT_EQ(server.waiting_for(), TransportWaitingFor::fingerprints);
  EXPECT_EQ(client.waiting_for(), TransportWaitingFor::nothing);
  call.run_for(2min);
  ASSERT_TRUE(call.server.error);
  EXPECT_EQ(call.server.error->code, dtls::Errc::handshake_timeout);
  EXPECT_THAT(std::string(call.server.error->detail),
              testing::HasSubstr("set_peer_fingerprints()"));
  EXPECT_EQ(server.waiting_for(), TransportWaitingFor::nothing);
  ASSERT_TRUE(call.client.error) << "the peer is told";
  EXPECT_EQ(call.client.error->alert, dtls::Alert::certificate_unknown);
}

TEST_P(SetUp, WithoutAProfileDataPassesAndMediaDoesNot) {
  CallOptions options = SetUp::options();
  options.server_dtls.srtp_profiles = {};
  Call call(options);
  call.set_up();
  call.inject(call.server, make_rtp(), kPathA);
  call.run_for(1s);
  ASSERT_THAT(call.client.connected, SizeIs(1));
  EXPECT_EQ(call.client.connected.front().srtp_profile, std::nullopt);
  EXPECT_TRUE(call.send_data(call.client, kData));
  Packet buffer = make_rtp();
  buffer.resize(buffer.size() + srtp::kMaxTrailer);
  EXPECT_EQ(call.client.transport.protect_rtp(buffer, make_rtp().size()),
            tl::unexpected(srtp::PacketError::no_key));
  call.inject(call.server, make_rtp(), kPathA);
  call.run_for(1s);
  EXPECT_EQ(call.server.transport.statistics().count(Drop::not_negotiated), 2U)
      << "the early one and the late one";
  EXPECT_THAT(call.server.data, ElementsAre(kData));
}

TEST_P(SetUp, AHandshakeThatGetsNoAnswerEnds) {
  Call call(options());
  call.network = [](Flight&) { return false; };
  call.set_up();
  call.run_for(10min);
  ASSERT_TRUE(call.client.error);
  EXPECT_EQ(call.client.error->code, Errc::handshake_timeout);
  EXPECT_EQ(call.client.transport.next_timeout(), std::nullopt);
}

}  // namespace
}  // namespace sluice::transport
