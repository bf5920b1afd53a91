// A new association after an ICE restart, while the old one's keys serve.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "call.h"
#include "support/by_version.h"

namespace sluice::transport {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const Packet kData(100, std::byte{0x42});

// Both ends send a packet every 10 ms, and count what they have sent.
class Streams {
 public:
  explicit Streams(Call& call) : call_(call) {}

  void run(dtls::Duration duration) {
    for (auto left = duration; left > 0ms; left -= 10ms) {
      const auto packet = make_rtp({.sequence = next_++});
      ASSERT_TRUE(call_.send_rtp(call_.client, packet));
      ASSERT_TRUE(call_.send_rtp(call_.server, packet));
      sent_.push_back(packet);
      call_.run_for(10ms);
    }
  }
  [[nodiscard]] const std::vector<Packet>& sent() const { return sent_; }

 private:
  Call& call_;
  std::uint16_t next_ = 65000;  // rolls over on the way
  std::vector<Packet> sent_;
};

class Restart
    : public testing::TestWithParam<std::tuple<dtls::SrtpProfile, dtls::ProtocolVersion>> {
 protected:
  static CallOptions options() {
    CallOptions options = call_options(std::get<dtls::ProtocolVersion>(GetParam()));
    options.client_dtls.srtp_profiles = {std::get<dtls::SrtpProfile>(GetParam())};
    return options;
  }
  static bool is13() {
    return std::get<dtls::ProtocolVersion>(GetParam()) == dtls::ProtocolVersion::dtls13;
  }
  // Whose handshake ends last, and so knows that the peer has the keys; the other waits for them to
  // be used.
  End& knowing() { return is13() ? call_.server : call_.client; }
  End& waiting() { return is13() ? call_.client : call_.server; }
  void SetUp() override { call_.connect(); }

  // All that was sent has come, once, in order.
  void expect_nothing_lost() {
    call_.run_for(1s);
    EXPECT_EQ(call_.client.rtp, streams_.sent());
    EXPECT_EQ(call_.server.rtp, streams_.sent());
    EXPECT_THAT(call_.client.connected, SizeIs(2));
    EXPECT_THAT(call_.server.connected, SizeIs(2));
    EXPECT_FALSE(call_.client.error);
    EXPECT_FALSE(call_.server.error);
  }
  void expect_previous_gone() {
    call_.run_for(10s);
    const auto before = call_.server.transport.statistics().count(Drop::outdated_path);
    call_.inject(call_.server, make_rtp(), kPathA);
    EXPECT_EQ(call_.server.transport.statistics().count(Drop::outdated_path), before + 1);
  }

  Call call_{options()};
  Streams streams_{call_};
};

std::string name_of(const testing::TestParamInfo<Restart::ParamType>& info) {
  const auto [profile, version] = info.param;
  const bool is_gcm = profile == dtls::SrtpProfile::aead_aes_256_gcm;
  return (is_gcm ? "Gcm" : "Cm") + test::version_name(version);
}
INSTANTIATE_TEST_SUITE_P(
    Profiles, Restart,
    testing::Combine(testing::Values(dtls::SrtpProfile::aead_aes_256_gcm,
                                     dtls::SrtpProfile::aes128_cm_hmac_sha1_80),
                     test::both_versions()),
    name_of);

TEST_P(Restart, LosesNoPacket) {
  streams_.run(500ms);
  call_.restart_both();
  EXPECT_TRUE(call_.client.transport.connected());
  EXPECT_EQ(call_.client.transport.path(), kPathA) << "the old keys serve on the old path";
  streams_.run(500ms);
  call_.select_both(kPathB);
  EXPECT_EQ(call_.client.transport.path(), kPathA);
  streams_.run(1s);
  EXPECT_EQ(call_.client.transport.path(), kPathB);
  EXPECT_EQ(call_.server.transport.path(), kPathB);
  streams_.run(1s);
  expect_nothing_lost();
  EXPECT_GT(call_.server.transport.statistics().old_key_packets, 50U);
  EXPECT_LT(call_.server.transport.statistics().old_key_packets, 100U);
  expect_previous_gone();
}

TEST_P(Restart, LosesNoPacketWhenTheOldPathIsGone) {
  streams_.run(500ms);
  call_.restart_both();
  call_.select_both(kPathB);
  // Datagrams on their way over the old path are lost with it, so let them arrive first.
  call_.run_for(30ms);
  call_.client.transport.path_removed(kPathA);
  call_.server.transport.path_removed(kPathA);
  EXPECT_EQ(call_.client.transport.path(), kPathB) << "the old keys serve on the new path";
  streams_.run(2s);
  expect_nothing_lost();
}

// RFC 8842 section 4: only the path tells which association's keys a packet has.
TEST_P(Restart, LosesNoPacketWhileTheOldPathIsStillSelected) {
  streams_.run(100ms);
  call_.restart_both();
  call_.select(call_.client, kPathB);
  call_.validate(call_.server, kPathB);
  streams_.run(2s);
  EXPECT_EQ(call_.server.transport.path(), kPathB);
  expect_nothing_lost();
  call_.server.transport.path_removed(kPathB);
  EXPECT_EQ(call_.server.transport.path(), std::nullopt)
      << "over the old path the peer takes no packets with the new keys";
}

TEST_P(Restart, LosesNoPacketWhenTheLastFlightIsLost) {
  call_.restart_both();
  call_.select_both(kPathB);
  int dropped = 0;
  call_.network = [&](Flight& flight) {
    // It begins with a ChangeCipherSpec, in DTLS 1.3 with the unified header of an ACK.
    const auto first = std::to_integer<unsigned>(flight.bytes.front());
    const bool last_flight = !flight.to_server && flight.path == kPathB && dropped < 2 &&
                             (first == 20 || (first >= 32 && first < 64));
    dropped += last_flight;
    return !last_flight;
  };
  streams_.run(4s);
  EXPECT_GT(dropped, 0);
  expect_nothing_lost();
}

TEST_P(Restart, WorksOnTheSamePathValidatedAnew) {
  streams_.run(100ms);
  call_.run_for(30ms);
  call_.restart_both();
  streams_.run(100ms);
  call_.validate(call_.server, kPathA);
  call_.validate(call_.client, kPathA);
  streams_.run(2s);
  expect_nothing_lost();
}

TEST_P(Restart, MovesDataToTheNewAssociation) {
  call_.restart_both();
  EXPECT_TRUE(call_.send_data(call_.client, kData));
  call_.run_for(100ms);
  EXPECT_THAT(call_.server.data, ElementsAre(kData)) << "over the old association";
  call_.select_both(kPathB);
  call_.run_for(3s);
  EXPECT_TRUE(call_.send_data(call_.client, kData));
  EXPECT_TRUE(call_.send_data(call_.server, kData));
  call_.run_for(100ms);
  EXPECT_THAT(call_.server.data, SizeIs(2));
  EXPECT_THAT(call_.client.data, SizeIs(1));
  EXPECT_EQ(call_.server.transport.dtls_statistics()->count(dtls::Discard::authentication_failed),
            0U);
}

TEST_P(Restart, MayTurnTheRolesAround) {
  streams_.run(100ms);
  call_.settle(call_.client, call_.client.transport.restart(
                                 dtls::Role::server, {&call_.server.fingerprint, 1}, call_.now));
  call_.settle(call_.server, call_.server.transport.restart(
                                 dtls::Role::client, {&call_.client.fingerprint, 1}, call_.now));
  call_.select(call_.client, kPathB);
  call_.select(call_.server, kPathB);
  streams_.run(2s);
  expect_nothing_lost();
  EXPECT_EQ(call_.client.connected.back().role, dtls::Role::server);
}

TEST_P(Restart, TakesTheFingerprintLater) {
  streams_.run(100ms);
  call_.settle(call_.client, call_.client.transport.restart(
                                 dtls::Role::client, {&call_.server.fingerprint, 1}, call_.now));
  call_.settle(call_.server, call_.server.transport.restart(dtls::Role::server, {}, call_.now));
  call_.select_both(kPathB);
  // Not a packet too many for the wait: the client changes over when its handshake is done.
  streams_.run(200ms);
  EXPECT_THAT(call_.server.connected, SizeIs(1));
  call_.announce(call_.server, call_.client.fingerprint);
  streams_.run(1s);
  expect_nothing_lost();
}

// libsrtp looks for replays before it authenticates, so only the new keys can tell.
TEST_P(Restart, WhatLooksLikeAReplayUnderTheOldKeysMayHaveTheNewOnes) {
  const auto packet = make_rtp({.sequence = 7});
  const auto old = protect_rtp(call_.client, packet);
  call_.inject(call_.server, old, kPathA);
  call_.settle(call_.client, call_.client.transport.restart(
                                 dtls::Role::client, {&call_.server.fingerprint, 1}, call_.now));
  call_.settle(call_.server, call_.server.transport.restart(dtls::Role::server, {}, call_.now));
  call_.select_both(kPathB);
  call_.run_for(2s);
  ASSERT_THAT(call_.client.connected, SizeIs(2));
  ASSERT_EQ(call_.client.transport.path(), kPathB) << "it sends under the new keys";
  ASSERT_THAT(call_.server.connected, SizeIs(1));
  call_.inject(call_.server, protect_rtp(call_.client, packet), kPathB);
  call_.inject(call_.server, old, kPathB);
  EXPECT_THAT(call_.server.rtp, ElementsAre(packet));
  call_.announce(call_.server, call_.client.fingerprint);
  call_.run_for(100ms);
  EXPECT_THAT(call_.server.rtp, ElementsAre(packet, packet)) << "one under each key";
  EXPECT_EQ(call_.server.transport.statistics().count(srtp::PacketError::replayed), 1U)
      << "the real replay";
}

TEST_P(Restart, TwiceInARowKeepsTheFirstOnesKeys) {
  streams_.run(100ms);
  call_.restart_both();
  call_.network = [](Flight& flight) { return classify(flight.bytes) != PacketClass::dtls; };
  call_.select_both(kPathB);
  streams_.run(100ms);
  call_.network = [](Flight&) { return true; };
  call_.restart_both();
  streams_.run(100ms);
  call_.select_both(PathId{3});
  streams_.run(1s);
  expect_nothing_lost();
}

TEST_P(Restart, AWrongFingerprintEndsEverything) {
  streams_.run(100ms);
  const auto wrong = wrong_fingerprint();
  call_.settle(call_.client, call_.client.transport.restart(
                                 dtls::Role::client, {&call_.server.fingerprint, 1}, call_.now));
  call_.settle(call_.server,
               call_.server.transport.restart(dtls::Role::server, {&wrong, 1}, call_.now));
  call_.select_both(kPathB);
  call_.run_for(2s);
  ASSERT_TRUE(call_.server.error);
  EXPECT_EQ(call_.server.error->code, dtls::Errc::peer_rejected);
  ASSERT_TRUE(call_.client.error);
  EXPECT_EQ(call_.client.error->alert, dtls::Alert::bad_certificate);
  for (auto* end : {&call_.client, &call_.server}) {
    EXPECT_FALSE(end->transport.connected());
    EXPECT_FALSE(call_.send_rtp(*end, make_rtp({.sequence = 9}))) << "nor the old keys";
    EXPECT_EQ(end->transport.next_timeout(), std::nullopt);
  }
}

TEST_P(Restart, LeadsOutOfAnError) {
  Call call(options());
  call.network = [](Flight&) { return false; };
  call.set_up();
  call.run_for(10min);
  ASSERT_TRUE(call.client.error);
  call.network = [](Flight&) { return true; };
  call.restart_both();
  call.select_both(kPathB);
  call.run_for(2s);
  EXPECT_THAT(call.client.connected, SizeIs(1));
  EXPECT_TRUE(call.send_rtp(call.client, make_rtp()));
  call.run_for(100ms);
  EXPECT_THAT(call.server.rtp, SizeIs(1));
}

TEST_P(Restart, OldKeysStopAfterTheirTime) {
  const auto straggler = protect_rtp(call_.client, make_rtp({.sequence = 1}));
  const auto late = protect_rtp(call_.client, make_rtp({.sequence = 2}));
  call_.restart_both();
  call_.select_both(kPathB);
  call_.run_for(1s);
  ASSERT_THAT(call_.server.connected, SizeIs(2));
  call_.inject(call_.server, straggler, kPathB);
  EXPECT_THAT(call_.server.rtp, SizeIs(1)) << "within the linger";
  call_.run_for(7s);
  call_.inject(call_.server, late, kPathB);
  EXPECT_THAT(call_.server.rtp, SizeIs(1));
  EXPECT_EQ(call_.server.transport.statistics().count(srtp::PacketError::authentication_failed),
            1U);
}

TEST_P(Restart, AMutePeerIsWaitedForNoLongerThanTheHold) {
  call_.restart_both();
  call_.select_both(kPathB);
  // Nothing is sent: only time tells who waits that the peer's keys are there.
  call_.run_for(900ms);
  ASSERT_THAT(waiting().connected, SizeIs(2));
  EXPECT_EQ(waiting().transport.path(), kPathA) << "still under the old keys";
  EXPECT_EQ(knowing().transport.path(), kPathB) << "who ends last needn't wait";
  call_.run_for(500ms);
  EXPECT_EQ(waiting().transport.path(), kPathB);
}

TEST_P(Restart, DataUnderTheNewKeysIsProofEnough) {
  call_.restart_both();
  call_.select_both(kPathB);
  while (knowing().connected.size() < 2) call_.run_for(1ms);
  EXPECT_TRUE(call_.send_data(knowing(), kData));
  EXPECT_EQ(waiting().transport.path(), kPathA);
  call_.run_for(30ms);
  EXPECT_THAT(waiting().data, SizeIs(1));
  EXPECT_EQ(waiting().transport.path(), kPathB);
}

TEST_P(Restart, OldKeysServeAfterTheOldAssociationWasClosed) {
  const auto straggler = protect_rtp(call_.client, make_rtp());
  call_.settle(call_.server, call_.server.transport.restart(
                                 dtls::Role::server, {&call_.client.fingerprint, 1}, call_.now));
  call_.settle(call_.client, call_.client.transport.close(call_.now));
  call_.run_for(100ms);
  EXPECT_FALSE(call_.server.closed);
  call_.inject(call_.server, straggler, kPathA);
  EXPECT_THAT(call_.server.rtp, SizeIs(1));
}

TEST_P(Restart, WhatWaitedForTheOldKeysMakesRoom) {
  CallOptions options = Restart::options();
  options.server.max_early_packets = 1;
  Call call(options);
  call.set_up();
  call.inject(call.server, make_rtp(), kPathA);
  call.restart_both();
  call.select_both(kPathB);
  call.inject(call.server, make_rtp(), kPathB);
  EXPECT_EQ(call.server.transport.statistics().count(Drop::early_media_full), 0U);
}

TEST_P(Restart, ForgedPacketsAreCountedOnceInTheOverlap) {
  call_.restart_both();
  call_.select_both(kPathB);
  call_.run_for(1s);
  for (const auto path : {kPathA, kPathB}) call_.inject(call_.server, make_rtp(), path);
  EXPECT_EQ(call_.server.transport.statistics().count(srtp::PacketError::authentication_failed),
            2U);
  EXPECT_THAT(call_.server.rtp, IsEmpty());
}

TEST_P(Restart, CloseEndsBothAssociations) {
  call_.restart_both();
  call_.select_both(kPathB);
  call_.run_for(1s);
  std::vector<PathId> notified;
  call_.network = [&](Flight& flight) {
    if (flight.to_server) notified.push_back(flight.path);
    return true;
  };
  call_.settle(call_.client, call_.client.transport.close(call_.now));
  EXPECT_THAT(notified, testing::UnorderedElementsAre(kPathA, kPathB));
  call_.run_for(1s);
  EXPECT_TRUE(call_.server.closed);
  EXPECT_FALSE(call_.server.error);
  EXPECT_FALSE(call_.send_rtp(call_.server, make_rtp()));
}

TEST_P(Restart, TheOldAssociationsEndEndsNothing) {
  call_.restart_both();
  call_.select_both(kPathB);
  call_.run_for(1s);
  call_.client.connected.clear();
  call_.run_for(20s);  // both say close_notify on the old paths
  EXPECT_FALSE(call_.client.closed);
  EXPECT_FALSE(call_.server.closed);
  EXPECT_TRUE(call_.send_rtp(call_.server, make_rtp()));
  call_.run_for(100ms);
  EXPECT_THAT(call_.client.rtp, SizeIs(1));
}

}  // namespace
}  // namespace sluice::transport
