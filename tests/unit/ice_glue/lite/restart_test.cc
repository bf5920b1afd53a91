// ICE restarts (RFC 8445 section 9): old and new credentials side by side.
#include "lite_server.h"

namespace sluice::ice_lite {
namespace {

const dtls::UdpEndpoint kOld = address(1, 5000);
const dtls::UdpEndpoint kNew = address(2, 5000);

class LiteRestart : public testing::Test {
 public:
  LiteRestart() {
    lite.nominate(session, kOld);
    lite.events.clear();
  }
  [[nodiscard]] CheckFields old_check(bool nominates = false) const {
    auto fields = LiteServer::check_for(old);
    fields.use_candidate = nominates;
    return fields;
  }

  LiteServer lite;
  SessionHandle session = lite.add();
  Credentials old = lite.server.local_credentials(session).value();
};

TEST_F(LiteRestart, MakesNewCredentials) {
  const auto fresh = lite.server.restart_ice(session, {}, lite.now);
  ASSERT_TRUE(fresh);
  EXPECT_NE(fresh->ufrag, old.ufrag);
  EXPECT_NE(fresh->pwd, old.pwd);
  EXPECT_EQ(lite.server.local_credentials(session), *fresh);
}

TEST_F(LiteRestart, GoesOnWithTheOldCredentialsUntilTheNewOnesNominate) {
  ASSERT_TRUE(lite.server.restart_ice(session, {}, lite.now));
  EXPECT_EQ(lite.check(old_check(), kOld), kSuccess);
  EXPECT_EQ(lite.check(lite.check_for(session), kNew), kSuccess);
  EXPECT_EQ(lite.check(old_check(), kOld), kSuccess) << "not nominated yet";
  EXPECT_EQ(lite.peer_of(session), kOld);

  lite.nominate(session, kNew, 1);
  EXPECT_EQ(lite.peer_of(session), kNew) << "whatever the priority";
  EXPECT_EQ(lite.check(old_check(), kOld), error(401));
  const auto told = lite.told<PathSelected>(session);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(told[0].ends_restart);
}

TEST_F(LiteRestart, MayKeepTheTuple) {
  ASSERT_TRUE(lite.server.restart_ice(session, {}, lite.now));
  lite.nominate(session, kOld);
  EXPECT_EQ(lite.peer_of(session), kOld);
  EXPECT_EQ(lite.check(old_check(), kOld), error(401));
  ASSERT_EQ(lite.told<PathSelected>(session).size(), 1U);
  EXPECT_TRUE(lite.told<PathSelected>(session)[0].ends_restart);
}

TEST_F(LiteRestart, IsNotUndoneByTheOldCredentials) {
  ASSERT_TRUE(lite.server.restart_ice(session, {}, lite.now));
  EXPECT_EQ(lite.check(lite.check_for(session), kNew), kSuccess);
  // On a tuple with newer checks the old ones nominate nothing.
  lite.check(old_check(true), kNew);
  EXPECT_EQ(lite.peer_of(session), kOld);
  EXPECT_EQ(lite.check(old_check(), kOld), kSuccess) << "the restart is still under way";
}

TEST_F(LiteRestart, FollowsAnOldNominationMeanwhile) {
  ASSERT_TRUE(lite.server.restart_ice(session, {}, lite.now));
  auto fields = old_check(true);
  fields.priority = 2'000'000;
  lite.check(fields, kNew);
  EXPECT_EQ(lite.peer_of(session), kNew);
  ASSERT_EQ(lite.told<PathSelected>(session).size(), 1U);
  EXPECT_FALSE(lite.told<PathSelected>(session)[0].ends_restart);
}

TEST_F(LiteRestart, ReplacesOneThatIsNotNominatedYet) {
  const auto first = test::must(lite.server.restart_ice(session, {}, lite.now));
  const auto second = test::must(lite.server.restart_ice(session, {}, lite.now));
  EXPECT_EQ(lite.check(LiteServer::check_for(first), kNew), error(401));
  EXPECT_EQ(lite.check(old_check(), kOld), kSuccess);
  EXPECT_EQ(lite.check(LiteServer::check_for(second), kNew), kSuccess);
}

TEST_F(LiteRestart, NeedsCredentialsThatNobodyHas) {
  const auto taken = lite.server.restart_ice(session, {.local = old}, lite.now);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, dtls::Errc::invalid_argument);
  EXPECT_EQ(lite.server.local_credentials(session), old) << "nothing has changed";
  const Credentials given{.ufrag = "abcd", .pwd = "0123456789012345678901"};
  EXPECT_EQ(test::must(lite.server.restart_ice(session, {.local = given}, lite.now)), given);
}

TEST_F(LiteRestart, HasAUfragOfThePeersOwn) {
  ASSERT_TRUE(lite.server.restart_ice(session, {.remote_ufrag = "next"}, lite.now));
  EXPECT_EQ(lite.check(lite.check_for(session), kNew), std::nullopt);
  EXPECT_EQ(lite.dropped(Drop::wrong_remote_ufrag), 1U);
  EXPECT_EQ(lite.check(old_check(), kOld), kSuccess) << "the former ufrag, with the former ones";
}

TEST_F(LiteRestart, LeavesNothingWhenTheSessionEnds) {
  const auto fresh = test::must(lite.server.restart_ice(session, {}, lite.now));
  lite.server.remove(session);
  EXPECT_EQ(lite.check(LiteServer::check_for(fresh), kNew), error(401));
  EXPECT_EQ(lite.check(old_check(), kOld), error(401));
}

// RFC 8842 section 4: only paths of new credentials are for the new association.
TEST_F(LiteRestart, KeepsOldPathsFromANewAssociation) {
  ASSERT_TRUE(lite.server.restart_ice(
      session, {.dtls = IceRestart::Dtls{.role = dtls::Role::server}}, lite.now));
  auto fields = old_check(true);
  fields.priority = 2'000'000;
  EXPECT_EQ(lite.check(fields, kNew), kSuccess);
  EXPECT_EQ(lite.peer_of(session), kOld) << "of no use for the new association";
  lite.nominate(session, kNew);
  EXPECT_EQ(lite.peer_of(session), kNew);
}

}  // namespace
}  // namespace sluice::ice_lite
