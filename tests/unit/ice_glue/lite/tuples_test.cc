// The tuples of sessions: limits, moves to another session, replays.
#include "lite_server.h"

namespace sluice::ice_lite {
namespace {

TEST(LiteTuples, MoveWithAValidCheckForAnotherSession) {
  LiteServer lite;
  const auto former = lite.add();
  const auto next = lite.add();
  lite.nominate(former, kPeer);
  lite.pass(12s);
  lite.nominate(next, kPeer);
  EXPECT_EQ(lite.server.find(LiteServer::path(kPeer)), next);
  EXPECT_EQ(lite.peer_of(next), kPeer);
  EXPECT_EQ(lite.peer_of(former), std::nullopt);
  const auto told = lite.told<PathTaken>(former);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].path, LiteServer::path(kPeer));
  EXPECT_EQ(told[0].by, next);
  EXPECT_EQ(lite.server.statistics().tuples_taken, 1U);
  EXPECT_EQ(lite.server.tuples(), 1U);
}

TEST(LiteTuples, StayWithASessionThatUsesThem) {
  LiteServer lite;
  const auto former = lite.add();
  const auto next = lite.add();
  lite.nominate(former, kPeer);
  lite.pass(12s - 1us);
  EXPECT_EQ(lite.nominate(next, kPeer), std::nullopt);
  EXPECT_EQ(lite.dropped(Drop::tuple_in_use), 1U);
  EXPECT_EQ(lite.server.find(LiteServer::path(kPeer)), former);
}

// Such as a viewer of a still picture. Who forges its address has a session, and checks for that.
TEST(LiteTuples, StayWithAPeerThatOnlyKeepsItsConsent) {
  LiteServer lite;
  const auto viewer = lite.add();
  const auto attacker = lite.add();
  lite.nominate(viewer, kPeer);
  for (int i = 0; i < 20; ++i) {
    // RFC 7675 section 5.1: 5 s and up to a fifth more. Every other check is lost.
    for (int second = 0; second < 12; ++second) {
      EXPECT_EQ(lite.nominate(attacker, kPeer), std::nullopt) << i << ", " << second;
      lite.pass(1s - 1us);
    }
    EXPECT_EQ(lite.check(lite.check_for(viewer), kPeer), kSuccess);
  }
  EXPECT_EQ(lite.peer_of(viewer), kPeer);
  EXPECT_TRUE(lite.told<PathTaken>(viewer).empty());
}

// Its peer may be gone: nothing else would ever tell.
TEST(LiteTuples, ASessionThatHasLostItsOnlyOneExpires) {
  LiteServer lite;
  const auto former = lite.add();
  const auto next = lite.add();
  lite.nominate(former, kPeer);
  lite.pass(20s);
  lite.nominate(next, kPeer);
  ASSERT_EQ(lite.told<PathTaken>(former).size(), 1U);
  lite.pass(10s - 1us);
  EXPECT_TRUE(lite.told<Expired>(former).empty());
  lite.pass(1us);
  const auto told = lite.told<Expired>(former);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].path, LiteServer::path(kPeer));
  EXPECT_EQ(lite.peer_of(next), kPeer);
}

TEST(LiteTuples, ASessionWhoseOnlyOneIsDisplacedExpires) {
  LiteServer lite({.max_tuples_per_session = 1});
  const auto session = lite.add();
  lite.nominate(session, kPeer);
  lite.check(lite.check_for(session), address(1, 6000));
  EXPECT_EQ(lite.peer_of(session), std::nullopt);
  lite.pass(30s);
  EXPECT_EQ(lite.told<Expired>(session).size(), 1U);
}

TEST(LiteTuples, ASessionWhoseOnlyOneWasOfAnotherPeerExpires) {
  LiteServer lite;
  const auto session = lite.add();
  lite.nominate(session, kPeer);
  ASSERT_TRUE(lite.server.set_remote_ufrag(session, "other", lite.now));
  EXPECT_EQ(lite.peer_of(session), std::nullopt);
  lite.pass(30s);
  EXPECT_EQ(lite.told<Expired>(session).size(), 1U);
}

TEST(LiteTuples, MoveAtOnceWithoutAHold) {
  LiteServer lite({.tuple_hold = 0s});
  const auto former = lite.add();
  const auto next = lite.add();
  lite.nominate(former, kPeer);
  EXPECT_EQ(lite.nominate(next, kPeer), kSuccess);
  EXPECT_EQ(lite.peer_of(next), kPeer);
}

TEST(LiteTuples, DoNotMoveByAForgery) {
  LiteServer lite;
  const auto former = lite.add();
  const auto next = lite.add();
  lite.nominate(former, kPeer);
  lite.pass(10s);
  auto forged = lite.check_for(next);
  forged.pwd = lite.server.local_credentials(former)->pwd;
  EXPECT_EQ(lite.check(forged, kPeer), error(401));
  EXPECT_EQ(lite.server.find(LiteServer::path(kPeer)), former);
}

TEST(LiteTuples, OfAClosedSessionAreFree) {
  LiteServer lite;
  const auto former = lite.add();
  const auto next = lite.add();
  lite.nominate(former, kPeer);
  EXPECT_TRUE(lite.server.close(former, lite.now));
  EXPECT_EQ(lite.nominate(next, kPeer), kSuccess) << "also before its outputs are polled";
  EXPECT_EQ(lite.peer_of(next), kPeer);
  EXPECT_TRUE(lite.told<PathTaken>(former).empty());
}

TEST(LiteTuples, OfARecentCheckAreNotMadeAgainElsewhere) {
  LiteServer lite;
  const auto session = lite.add();
  auto fields = lite.check_for(session);
  fields.use_candidate = true;
  fields.transaction.emplace()[11] = std::byte{7};
  lite.check(fields, kPeer);
  for (int i = 0; i < 30; ++i) lite.check(lite.check_for(session), kPeer);
  EXPECT_EQ(lite.check(fields, address(9, 9)), std::nullopt);
  EXPECT_EQ(lite.dropped(Drop::repeated_elsewhere), 1U);
  EXPECT_EQ(lite.server.tuples(), 1U);
}

TEST(LiteTuples, MakeRoomForANewOneOfTheirSession) {
  LiteServer lite({.max_tuples_per_session = 3});
  const auto session = lite.add();
  lite.nominate(session, address(1, 1));
  for (std::uint16_t port = 2; port < 10; ++port) {
    lite.pass(10ms);
    EXPECT_EQ(lite.check(lite.check_for(session), address(1, port)), kSuccess);
  }
  EXPECT_EQ(lite.server.tuples(), 3U);
  EXPECT_EQ(lite.server.statistics().tuples_displaced, 6U);
  EXPECT_EQ(lite.peer_of(session), address(1, 1)) << "the one in use stays";
  EXPECT_EQ(lite.server.find(LiteServer::path(address(1, 9))), session);
  EXPECT_EQ(lite.server.find(LiteServer::path(address(1, 7))), std::nullopt);
}

// Not the one that came first: that may be the one whose checks go on.
TEST(LiteTuples, MakeRoomWhereTheLastCheckIsTheLongestAgo) {
  LiteServer lite({.max_tuples_per_session = 3});
  const auto session = lite.add();
  lite.nominate(session, address(1, 1));
  for (const std::uint16_t port : std::array<std::uint16_t, 4>{2, 3, 2, 4}) {
    lite.pass(10ms);
    EXPECT_EQ(lite.check(lite.check_for(session), address(1, port)), kSuccess);
  }
  EXPECT_EQ(lite.server.find(LiteServer::path(address(1, 2))), session);
  EXPECT_EQ(lite.server.find(LiteServer::path(address(1, 3))), std::nullopt);
  lite.pass(10ms);
  EXPECT_EQ(lite.check(lite.check_for(session), address(1, 5)), kSuccess);
  EXPECT_EQ(lite.server.find(LiteServer::path(address(1, 2))), std::nullopt);
  EXPECT_EQ(lite.server.find(LiteServer::path(address(1, 4))), session);
}

TEST(LiteTuples, AreOneWhereThereMayBeOne) {
  LiteServer lite({.max_tuples_per_session = 1});
  const auto session = lite.add();
  lite.nominate(session, address(1, 1));
  lite.nominate(session, address(1, 2));
  EXPECT_EQ(lite.peer_of(session), address(1, 2));
  EXPECT_EQ(lite.server.tuples(), 1U);
}

TEST(LiteTuples, AreLimitedInAllAndByHost) {
  LiteServer lite({.max_tuples = 3, .max_tuples_per_host = 2});
  std::vector<SessionHandle> sessions;
  for (int i = 0; i < 5; ++i) sessions.push_back(lite.add());
  EXPECT_EQ(lite.nominate(sessions[0], address(1, 1)), kSuccess);
  EXPECT_EQ(lite.nominate(sessions[1], address(1, 2)), kSuccess);
  EXPECT_EQ(lite.nominate(sessions[2], address(1, 3)), std::nullopt);
  EXPECT_EQ(lite.dropped(Drop::too_many_of_host), 1U);
  EXPECT_EQ(lite.nominate(sessions[2], address(2, 1)), kSuccess);
  EXPECT_EQ(lite.nominate(sessions[3], address(3, 1)), std::nullopt);
  EXPECT_EQ(lite.dropped(Drop::too_many_tuples), 1U);
  EXPECT_EQ(lite.nominate(sessions[0], address(1, 1)), kSuccess) << "known ones go on";
  lite.server.remove(sessions[0]);
  EXPECT_EQ(lite.nominate(sessions[3], address(1, 3)), kSuccess);
}

TEST(LiteTuples, AreToldApartByTheServersOwnAddress) {
  LiteServer lite;
  const auto one = lite.add();
  const auto other = lite.add();
  lite.nominate(one, kPeer);
  auto check = make_check(lite.check_for(other));
  const dtls::UdpPath elsewhere{
      .socket = dtls::SocketId{1}, .peer = kPeer, .own = test::kServerAddress};
  lite.server.handle_datagram(check, elsewhere, lite.now);
  lite.sent.clear();
  lite.drain();
  ASSERT_EQ(lite.sent.size(), 1U);
  EXPECT_EQ(lite.sent[0].path, elsewhere);
  EXPECT_EQ(lite.server.find(LiteServer::path(kPeer)), one);
  EXPECT_EQ(lite.server.find(elsewhere), other);
}

}  // namespace
}  // namespace sluice::ice_lite
