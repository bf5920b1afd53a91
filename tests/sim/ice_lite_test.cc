// Calls of full ICE agents with an IceLiteServer over a lossy path, in virtual time.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "support/ice_world.h"

namespace sluice::ice_lite {
namespace {

using namespace std::chrono_literals;
using test::address;
using test::IceClientOptions;
using test::IceWorld;

class IceLiteCall : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Loss, IceLiteCall, testing::Values(0, 10, 25), [](const auto& instance) {
  return std::to_string(instance.param) + "percent";
});

// RTP until it has arrived, both ways.
void expect_media(IceWorld& world, SessionHandle session, std::size_t client,
                  std::uint16_t& sequence) {
  world.rtp.clear();
  world.clients[client]->rtp.clear();
  for (int i = 0; i < 50 && (world.rtp.empty() || world.clients[client]->rtp.empty()); ++i) {
    const auto packet = test::make_rtp({.sequence = ++sequence});
    EXPECT_TRUE(world.clients[client]->send_rtp(packet));
    world.flush(client);
    EXPECT_TRUE(world.send_rtp(session, packet));
    world.run_for(200ms);
  }
  ASSERT_FALSE(world.rtp.empty());
  EXPECT_EQ(world.rtp.front().session, session);
  EXPECT_FALSE(world.clients[client]->rtp.empty());
}

TEST_P(IceLiteCall, ConnectsAndCarriesMediaBothWays) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    IceWorld world({.conditions = {.loss = GetParam() / 100.0,
                                   .duplicate = GetParam() / 200.0,
                                   .corrupt = GetParam() / 1000.0,
                                   .delay = 30ms,
                                   .jitter = 40ms},
                    .seed = seed});
    const auto session = world.begin({.candidates = {address(1, 1), address(2, 2), address(3, 3)},
                                      .is_aggressive = seed % 2 == 0,
                                      .seed = seed});
    world.run_for(20s);
    ASSERT_TRUE(world.clients[0]->connected_at);
    ASSERT_EQ(world.events<Connected>(session).size(), 1U);
    const auto path = world.server.path_of(session);
    ASSERT_TRUE(path && world.clients[0]->selected());
    EXPECT_EQ(path->peer, world.clients[0]->candidates()[*world.clients[0]->selected()]);
    std::uint16_t sequence = 0;
    ASSERT_NO_FATAL_FAILURE(expect_media(world, session, 0, sequence));
    EXPECT_FALSE(world.clients[0]->error);
    EXPECT_TRUE(world.events<Expired>(session).empty());
    EXPECT_TRUE(world.events<Ended>(session).empty());
    world.run_for(60s);
    EXPECT_TRUE(world.events<Expired>(session).empty()) << "consent goes on";
  }
}

TEST(IceLiteCalls, OfFiftyPeersShareThePort) {
  IceWorld world({.conditions = {.loss = 0.05, .delay = 20ms}, .seed = 5});
  std::vector<SessionHandle> sessions;
  for (std::uint16_t i = 0; i < 50; ++i) {
    sessions.push_back(world.begin({.candidates = {address(static_cast<std::uint8_t>(i % 5),
                                                           static_cast<std::uint16_t>(1000 + i))},
                                    .seed = i + 1U}));
  }
  world.run_for(20s);
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    ASSERT_TRUE(world.clients[i]->connected_at) << i;
    const test::Packet data(10 + i, std::byte{1});
    ASSERT_TRUE(world.clients[i]->send_data(data));
    world.flush(i);
    ASSERT_TRUE(world.send_data(sessions[i], data));
  }
  world.run_for(1s);
  std::set<SessionHandle> heard;
  for (const auto& each : world.data) {
    heard.insert(each.session);
    EXPECT_EQ(each.session, sessions.at(each.bytes.size() - 10));
  }
  EXPECT_GT(heard.size(), 35U) << "of 50, with 5 % loss";
  EXPECT_EQ(world.server.size(), 50U);
}

TEST(IceLiteCalls, MayHaveTheServerAsDtlsClient) {
  IceWorld world({});
  const auto session = world.begin({.candidates = {address(1, 1)}}, {.role = dtls::Role::client});
  world.run_for(2s);
  EXPECT_TRUE(world.clients[0]->connected_at);
  EXPECT_EQ(world.events<Connected>(session).size(), 1U);
  EXPECT_EQ(world.server.find(session)->info()->role, dtls::Role::client);
}

// The peer changes to a candidate of lower priority, such as to a mobile network.
TEST(IceLiteCalls, FollowAPeerThatMoves) {
  IceWorld world({});
  const auto session = world.begin({.candidates = {address(1, 1), address(2, 2)}});
  world.run_for(2s);
  ASSERT_EQ(world.server.path_of(session)->peer, address(1, 1));
  // All that comes from the first candidate is lost.
  world.to_server = [](std::size_t, std::size_t candidate, dtls::Bytes) { return candidate != 0; };
  world.clients[0]->nominate(1, world.now);
  world.flush(0);
  world.run_for(500ms);
  EXPECT_EQ(world.server.path_of(session)->peer, address(1, 1)) << "a lower priority";
  ASSERT_TRUE(world.clients[0]->send_rtp(test::make_rtp({.sequence = 1})));
  world.flush(0);
  world.run_for(100ms);
  EXPECT_EQ(world.server.path_of(session)->peer, address(2, 2)) << "but it carries media";
  std::uint16_t sequence = 1;
  expect_media(world, session, 0, sequence);
  // A peer without anything to send is followed when the former path is quiet.
  world.to_server = [](std::size_t, std::size_t, dtls::Bytes) { return true; };
}

TEST(IceLiteCalls, IgnoreARepetitionOfAPeersMediaFromElsewhere) {
  IceWorld world({});
  const auto session = world.begin({.candidates = {address(1, 1)}});
  std::vector<dtls::Buffer> seen;
  world.to_server = [&](std::size_t, std::size_t, dtls::Bytes bytes) {
    seen.emplace_back(bytes.begin(), bytes.end());
    return true;
  };
  world.run_for(2s);
  std::uint16_t sequence = 0;
  expect_media(world, session, 0, sequence);
  // Long after, an eavesdropper repeats everything from his own address.
  world.run_for(10min);
  for (const auto& bytes : seen) world.inject(bytes, address(66, 6));
  EXPECT_EQ(world.server.path_of(session)->peer, address(1, 1));
  expect_media(world, session, 0, sequence);
}

TEST(IceLiteCalls, ExpireWithoutChecksAndComeBack) {
  IceWorld world({});
  const auto session = world.begin({.candidates = {address(1, 1)}});
  world.run_for(7s);
  world.clients[0]->stops_consent = true;
  std::uint16_t sequence = 0;
  expect_media(world, session, 0, sequence);
  world.run_for(29s);
  EXPECT_EQ(world.events<Expired>(session).size(), 1U) << "media is no consent";
  EXPECT_FALSE(world.send_rtp(session, test::make_rtp())) << "RFC 7675 section 5.1";
  world.clients[0]->stops_consent = false;
  world.clients[0]->nominate(0, world.now);
  world.flush(0);
  world.run_for(1s);
  expect_media(world, session, 0, sequence);
  EXPECT_EQ(world.events<Connected>(session).size(), 1U) << "the same association";
}

TEST(IceLiteCalls, GoOnOverAnIceRestart) {
  IceWorld world({});
  const auto session = world.begin({.candidates = {address(1, 1)}});
  world.run_for(2s);
  std::uint16_t sequence = 0;
  expect_media(world, session, 0, sequence);
  const ice_lite::Credentials own{.ufrag = "renewed", .pwd = "another-password-of-a-client"};
  const auto fresh =
      test::must(world.server.restart_ice(session, {.remote_ufrag = own.ufrag}, world.now));
  expect_media(world, session, 0, sequence);
  world.clients[0]->restart(own, fresh, world.now);
  world.flush(0);
  world.run_for(1s);
  const auto told = world.events<PathSelected>(session);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_TRUE(told[1].ends_restart);
  expect_media(world, session, 0, sequence);
  EXPECT_EQ(world.server.find(session)->statistics().associations, 1U);
}

TEST(IceLiteCalls, BeginANewAssociationWithAnIceRestart) {
  IceWorld world({});
  const auto session = world.begin({.candidates = {address(1, 1)}});
  world.run_for(2s);
  std::uint16_t sequence = 0;
  expect_media(world, session, 0, sequence);
  const ice_lite::Credentials own{.ufrag = "renewed", .pwd = "another-password-of-a-client"};
  const auto fingerprint = test::must(dtls::Fingerprint::of(
      test::ecdsa_identity().certificate(), dtls::HashAlgorithm::sha256, test::environment()));
  const auto fresh = test::must(world.server.restart_ice(
      session,
      {.remote_ufrag = own.ufrag,
       .dtls = IceRestart::Dtls{.role = dtls::Role::server, .peer_fingerprints = {fingerprint}}},
      world.now));
  static_cast<void>(test::must(
      world.clients[0]->transport.restart(dtls::Role::client, {&fingerprint, 1}, world.now)));
  world.clients[0]->restart(own, fresh, world.now);
  world.flush(0);
  world.run_for(10s);
  EXPECT_EQ(world.events<Connected>(session).size(), 2U);
  EXPECT_EQ(world.server.find(session)->statistics().associations, 2U);
  expect_media(world, session, 0, sequence);
}

TEST(IceLiteCalls, EndByEitherSide) {
  IceWorld world({});
  const auto one = world.begin({.candidates = {address(1, 1)}});
  const auto other = world.begin({.candidates = {address(2, 2)}});
  world.run_for(2s);
  static_cast<void>(test::must(world.server.close(one, world.now)));
  world.drain();
  static_cast<void>(test::must(world.clients[1]->transport.close(world.now)));
  world.clients[1]->handle_timeout(world.now);
  world.flush(1);
  world.run_for(1s);
  EXPECT_TRUE(world.clients[0]->closed) << "close_notify has arrived";
  ASSERT_EQ(world.events<Ended>(one).size(), 1U);
  EXPECT_EQ(world.events<Ended>(one)[0].reason, EndReason::closed);
  ASSERT_EQ(world.events<Ended>(other).size(), 1U);
  EXPECT_EQ(world.events<Ended>(other)[0].reason, EndReason::closed_by_peer);
  EXPECT_EQ(world.server.size(), 0U);
  world.drain();
  EXPECT_EQ(world.server.tuples(), 0U);
}

TEST(IceLiteCalls, FailWithAWrongFingerprint) {
  IceWorld world({});
  const dtls::Fingerprint wrong{.hash = dtls::HashAlgorithm::sha256,
                                .value = dtls::Buffer(32, std::byte{0xab})};
  const auto session = world.begin({.candidates = {address(1, 1)}}, {.peer_fingerprints = {wrong}});
  world.run_for(2s);
  const auto ended = world.events<Ended>(session);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].reason, EndReason::failed);
  ASSERT_TRUE(ended[0].error);
  EXPECT_EQ(ended[0].error->code, dtls::Errc::peer_rejected);
  ASSERT_TRUE(world.clients[0]->error);
  EXPECT_EQ(world.clients[0]->error->code, dtls::Errc::alert_received) << "the alert has left";
  EXPECT_EQ(world.server.size(), 0U);
}

// The ClientHello overtakes the first check.
TEST(IceLiteCalls, KeepAnEarlyClientHello) {
  IceWorld world({.conditions = {.delay = 10ms}});
  const auto session = world.add({.candidates = {address(1, 1)}});
  static_cast<void>(test::must(
      world.clients[0]->transport.path_selected(dtls::PathId{0}, std::nullopt, world.now)));
  world.clients[0]->handle_timeout(world.now);
  world.flush(0);
  world.run_for(100ms);
  EXPECT_GE(world.server.statistics().early_kept, 1U);
  world.clients[0]->begin(world.now);
  world.flush(0);
  world.run_for(300ms);
  EXPECT_EQ(world.server.statistics().early_delivered, world.server.statistics().early_kept);
  EXPECT_EQ(world.events<Connected>(session).size(), 1U);
  EXPECT_EQ(world.clients[0]->transport.dtls_statistics()->flights_retransmitted, 0U)
      << "no second ClientHello";
}

// Without the time that the ClientHello takes, DTLS's first timeout of 1 s would come too early.
TEST(IceLiteCalls, MeasureTheRoundTripOnce) {
  IceWorld world({.conditions = {.delay = 700ms}});
  const auto session = world.begin({.candidates = {address(1, 1)}, .retransmission = 10s});
  world.run_for(20s);
  ASSERT_EQ(world.events<Connected>(session).size(), 1U);
  EXPECT_EQ(world.server.find(session)->dtls_statistics()->flights_retransmitted, 0U);

  IceWorld told({.conditions = {.delay = 700ms}});
  const auto other =
      told.begin({.candidates = {address(1, 1)}, .retransmission = 10s}, {.rtt = 100ms});
  told.run_for(20s);
  EXPECT_GT(told.server.find(other)->dtls_statistics()->flights_retransmitted, 0U)
      << "what signalling told has precedence";
}

}  // namespace
}  // namespace sluice::ice_lite
