// Which of the nominated tuples is used: RFC 8445 section 8.2, RFC 5245 section 8.1.1.2.
#include "lite_server.h"
#include "support/ice_world.h"

namespace sluice::ice_lite {
namespace {

const dtls::UdpEndpoint kFirst = address(1, 5000);
const dtls::UdpEndpoint kSecond = address(2, 5000);

TEST(LiteNomination, BeginsWithTheFirst) {
  LiteServer lite;
  const auto session = lite.add();
  EXPECT_EQ(lite.check(lite.check_for(session), kFirst), kSuccess);
  EXPECT_EQ(lite.peer_of(session), std::nullopt) << "not nominated";
  lite.nominate(session, kSecond);
  EXPECT_EQ(lite.peer_of(session), kSecond);
  const auto told = lite.told<PathSelected>(session);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].path, LiteServer::path(kSecond));
  EXPECT_FALSE(told[0].ends_restart);
  EXPECT_EQ(lite.server.statistics().selections, 1U);
}

TEST(LiteNomination, FollowsAHigherPriority) {
  LiteServer lite;
  const auto session = lite.add();
  lite.nominate(session, kFirst, 1000);
  lite.nominate(session, kSecond, 1001);
  EXPECT_EQ(lite.peer_of(session), kSecond);
  lite.nominate(session, kFirst, 1000);
  EXPECT_EQ(lite.peer_of(session), kSecond) << "a lower one changes nothing";
  EXPECT_EQ(lite.told<PathSelected>(session).size(), 2U);
}

// A replay has the same priority as what it repeats.
TEST(LiteNomination, DoesNotFollowAnEqualPriority) {
  LiteServer lite;
  const auto session = lite.add();
  lite.nominate(session, kFirst, 1000);
  lite.nominate(session, kSecond, 1000);
  EXPECT_EQ(lite.peer_of(session), kFirst);
}

TEST(LiteNomination, FollowsWhenThePresentOneIsQuiet) {
  LiteServer lite;
  const auto session = lite.add();
  lite.nominate(session, kFirst, 1000);
  lite.pass(12s - 1us);
  lite.nominate(session, kSecond, 1);
  EXPECT_EQ(lite.peer_of(session), kFirst);
  lite.pass(1us);
  lite.nominate(session, kSecond, 1);
  EXPECT_EQ(lite.peer_of(session), kSecond);
}

// draft-thatcher-ice-renomination: the highest value, whatever the priority.
TEST(LiteNomination, FollowsTheHighestNominationAttribute) {
  LiteServer lite;
  const auto session = lite.add();
  const auto renominate = [&](const dtls::UdpEndpoint& from, std::uint32_t value,
                              std::uint32_t priority) {
    auto fields = lite.check_for(session);
    fields.nomination = value;
    fields.priority = priority;
    EXPECT_EQ(lite.check(fields, from), kSuccess);
  };
  renominate(kFirst, 1, 1000);
  EXPECT_EQ(lite.peer_of(session), kFirst);
  renominate(kSecond, 2, 10);
  EXPECT_EQ(lite.peer_of(session), kSecond);
  renominate(kFirst, 1, 1000);
  EXPECT_EQ(lite.peer_of(session), kSecond);
  renominate(kFirst, 3, 1000);
  EXPECT_EQ(lite.peer_of(session), kFirst);
}

TEST(LiteNomination, IsForgottenWithTheTuple) {
  LiteServer lite;
  const auto session = lite.add();
  lite.nominate(session, kFirst, 1000);
  lite.nominate(session, kSecond, 10);
  lite.pass(20s);
  lite.check(lite.check_for(session), kSecond);
  lite.pass(10s);
  EXPECT_EQ(lite.peer_of(session), kSecond) << "the other nominated one takes its place";
  EXPECT_TRUE(lite.told<Expired>(session).empty());
  EXPECT_EQ(lite.server.statistics().tuples_expired, 1U);
}

// The peer has moved: what tells it is delivered, and not only what follows.
TEST(LiteNomination, DeliversThePacketThatMovesASession) {
  for (const bool is_media : {false, true}) {
    test::IceWorld world({});
    const auto session = world.begin({.candidates = {address(1, 5000), address(1, 5001)}});
    world.run_for(5s);
    world.clients[0]->nominate(1, world.now);
    world.flush(0);
    world.run_for(1s);
    EXPECT_EQ(world.server.path_of(session)->peer, address(1, 5000)) << "of a higher priority";
    const auto packet = test::make_rtp();
    ASSERT_TRUE(is_media ? world.clients[0]->send_rtp(packet)
                         : world.clients[0]->send_data(packet));
    world.flush(0);
    world.run_for(1s);
    EXPECT_EQ(world.server.path_of(session)->peer, address(1, 5001));
    ASSERT_EQ(world.rtp.size() + world.data.size(), 1U);
    EXPECT_EQ((is_media ? world.rtp : world.data)[0].bytes, packet);
  }
}

// RFC 8445 section 8.1.1: the controlling agent chooses the pair, by a nomination.
TEST(LiteNomination, DeliversAPacketOverAnotherPathAndStays) {
  test::IceWorld world({});
  const auto session = world.begin({.candidates = {address(1, 5000), address(1, 5001)}});
  world.run_for(5s);
  ASSERT_EQ(world.server.tuples(), 2U);
  const auto packet = test::make_rtp();
  ASSERT_TRUE(world.clients[0]->send_rtp(packet));
  const auto sent = world.clients[0]->take();
  ASSERT_EQ(sent.size(), 1U);
  world.inject(sent[0].bytes, address(1, 5001));
  ASSERT_EQ(world.rtp.size(), 1U);
  EXPECT_EQ(world.rtp[0].bytes, packet);
  EXPECT_EQ(world.server.path_of(session)->peer, address(1, 5000));
}

}  // namespace
}  // namespace sluice::ice_lite
