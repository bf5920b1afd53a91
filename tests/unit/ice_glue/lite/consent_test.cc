// Consent by the checks of the peer (RFC 7675).
#include "lite_server.h"

namespace sluice::ice_lite {
namespace {

TEST(LiteConsent, ExpiresThirtySecondsAfterTheLastCheck) {
  LiteServer lite;
  const auto session = lite.add();
  lite.nominate(session, kPeer);
  lite.pass(29s);
  lite.check(lite.check_for(session), kPeer);
  lite.pass(30s - 1us);
  EXPECT_EQ(lite.peer_of(session), kPeer);
  EXPECT_TRUE(lite.told<Expired>(session).empty());
  lite.pass(1us);
  EXPECT_EQ(lite.peer_of(session), std::nullopt);
  const auto told = lite.told<Expired>(session);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].path, LiteServer::path(kPeer));
  EXPECT_EQ(lite.server.tuples(), 0U);
  EXPECT_EQ(lite.server.statistics().expired, 1U);
  EXPECT_EQ(lite.server.next_timeout(), std::nullopt);
}

TEST(LiteConsent, IsNotProlongedByARepetition) {
  LiteServer lite;
  const auto session = lite.add();
  auto fields = lite.check_for(session);
  fields.use_candidate = true;
  fields.transaction.emplace()[11] = std::byte{7};
  lite.check(fields, kPeer);
  lite.pass(20s);
  EXPECT_EQ(lite.check(fields, kPeer), kSuccess);
  lite.pass(10s);
  EXPECT_EQ(lite.told<Expired>(session).size(), 1U);
}

TEST(LiteConsent, IsNotProlongedByForgeries) {
  LiteServer lite;
  const auto session = lite.add();
  lite.nominate(session, kPeer);
  auto forged = lite.check_for(session);
  forged.pwd += "x";
  lite.pass(20s);
  lite.check(forged, kPeer);
  lite.send(test::make_rtp(), kPeer);
  lite.pass(10s);
  EXPECT_EQ(lite.told<Expired>(session).size(), 1U);
}

TEST(LiteConsent, ComesBackWithANomination) {
  LiteServer lite;
  const auto session = lite.add();
  lite.nominate(session, kPeer);
  lite.pass(30s);
  lite.nominate(session, address(1, 6000));
  EXPECT_EQ(lite.peer_of(session), address(1, 6000));
  EXPECT_EQ(lite.told<PathSelected>(session).size(), 2U);
}

// Who learns of Expired removes the session, as the examples do.
TEST(LiteConsent, ThatCameBackBeforeItsEndWasToldHasNotEnded) {
  LiteServer lite;
  const auto session = lite.add();
  lite.nominate(session, kPeer);
  lite.now += 30s;
  lite.server.handle_timeout(lite.now);
  ASSERT_EQ(lite.server.statistics().expired, 1U);
  EXPECT_EQ(lite.nominate(session, kPeer), kSuccess);
  EXPECT_TRUE(lite.told<Expired>(session).empty());
  EXPECT_EQ(lite.told<PathSelected>(session).size(), 2U);
  lite.pass(30s);
  EXPECT_EQ(lite.told<Expired>(session).size(), 1U);
}

TEST(LiteConsent, OfATupleThatIsNotNominatedEndsSilently) {
  LiteServer lite;
  const auto session = lite.add();
  lite.check(lite.check_for(session), kPeer);
  lite.pass(30s);
  EXPECT_EQ(lite.server.tuples(), 0U);
  EXPECT_TRUE(lite.events.empty());
}

TEST(LiteConsent, OfManySessionsEndsInTurns) {
  LiteServer lite({.max_timers_per_call = 2});
  std::vector<SessionHandle> sessions;
  for (std::uint8_t i = 0; i < 5; ++i) {
    sessions.push_back(lite.add());
    lite.nominate(sessions.back(), address(i, 1));
  }
  lite.now += 30s;
  lite.server.handle_timeout(lite.now);
  EXPECT_EQ(lite.server.statistics().expired, 2U);
  EXPECT_EQ(lite.server.next_timeout(), lite.now);
  lite.pass(0s);
  EXPECT_EQ(lite.server.statistics().expired, 5U);
}

// Who overhears checks sends a copy of each from elsewhere, which arrives first.
TEST(LiteConsent, IsNotKeptFromAPeerWhoseChecksAreOvertaken) {
  LiteServer lite;
  const auto session = lite.add();
  ASSERT_EQ(lite.nominate(session, kPeer), kSuccess);
  const auto attacker = address(66, 6);
  for (int i = 0; i < 20; ++i) {
    lite.pass(5s);
    const auto check = make_check(lite.check_for(session));
    lite.send(check, attacker);
    lite.pass(20ms);
    lite.sent.clear();
    lite.send(check, kPeer);
    EXPECT_EQ(lite.sent.size(), 1U) << "it is answered";
    ASSERT_EQ(lite.peer_of(session), kPeer) << i;
  }
  EXPECT_TRUE(lite.told<Expired>(session).empty());
}

// The peer has left its first path, and somebody repeats from there what it once sent.
TEST(LiteConsent, IsNotProlongedByCopiesOfOlderChecks) {
  LiteServer lite;
  const auto session = lite.add();
  const auto old = make_check(lite.check_for(session));
  lite.send(old, kPeer);
  const auto present = address(1, 5001);
  for (int i = 0; i < 8; ++i) {
    lite.pass(4s);
    EXPECT_EQ(lite.nominate(session, present), kSuccess);
    lite.send(old, kPeer);
  }
  EXPECT_EQ(lite.server.tuples(), 1U);
  EXPECT_EQ(lite.peer_of(session), present);
}

TEST(LiteConsent, IsProlongedByOneCopySoonAfterACheckAtMost) {
  LiteServer lite;
  const auto session = lite.add();
  auto fields = lite.check_for(session);
  fields.use_candidate = true;
  const auto check = make_check(fields);
  lite.send(check, kPeer);
  lite.pass(900ms);
  lite.send(check, kPeer);  // counts
  lite.pass(50ms);
  lite.send(check, kPeer);
  lite.pass(29'900ms);
  lite.send(check, kPeer);
  EXPECT_TRUE(lite.told<Expired>(session).empty());
  lite.pass(50ms);  // 30 s after the copy that counted
  EXPECT_EQ(lite.told<Expired>(session).size(), 1U);
}

}  // namespace
}  // namespace sluice::ice_lite
