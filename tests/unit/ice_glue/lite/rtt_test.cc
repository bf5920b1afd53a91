// The round-trip time that the application knows decides when DTLS repeats a flight.
#include "lite_server.h"

namespace sluice::ice_lite {
namespace {

class LiteRtt : public testing::Test {
 public:
  LiteRtt() {
    SessionOptions options;
    options.role = dtls::Role::client;
    session = lite.add(options);
  }
  // Nothing is sent for that long, and then the ClientHello again.
  [[nodiscard]] bool repeats_after(dtls::Duration time) {
    lite.sent.clear();
    lite.pass(time - 1ms);
    const bool was_silent = lite.sent.empty();
    lite.pass(1ms);
    return was_silent && lite.sent.size() == 1;
  }

  LiteServer lite;
  SessionHandle session{};
};

TEST_F(LiteRtt, IsUnknownAtFirst) {
  lite.nominate(session, kPeer);
  EXPECT_TRUE(repeats_after(1s));
}

TEST_F(LiteRtt, HoldsForTheFirstFlight) {
  ASSERT_TRUE(lite.server.set_rtt(session, 60ms));
  lite.nominate(session, kPeer);
  EXPECT_TRUE(repeats_after(120ms));
}

TEST_F(LiteRtt, LeavesAFlightThatHasBegun) {
  lite.nominate(session, kPeer);
  ASSERT_TRUE(lite.server.set_rtt(session, 60ms));
  EXPECT_TRUE(repeats_after(1s));
}

TEST_F(LiteRtt, HoldsForALaterAssociation) {
  lite.nominate(session, kPeer);
  ASSERT_TRUE(lite.server.set_rtt(session, 60ms));
  const IceRestart restart{.dtls = IceRestart::Dtls{.role = dtls::Role::client}};
  const auto fresh = test::must(lite.server.restart_ice(session, restart, lite.now));
  auto fields = LiteServer::check_for(fresh);
  fields.use_candidate = true;
  lite.check(fields, address(2, 5000));
  EXPECT_TRUE(repeats_after(120ms));
}

TEST_F(LiteRtt, IsReplacedByALaterOne) {
  ASSERT_TRUE(lite.server.set_rtt(session, 60ms));
  ASSERT_TRUE(lite.server.set_rtt(session, 200ms));
  lite.nominate(session, kPeer);
  EXPECT_TRUE(repeats_after(400ms));
}

// The application reads it in a report between two polls.
TEST_F(LiteRtt, LeavesWhatIsToBePolled) {
  auto fields = lite.check_for(session);
  fields.use_candidate = true;
  auto check = make_check(fields);
  lite.server.handle_datagram(check, LiteServer::path(kPeer), lite.now);
  ASSERT_TRUE(lite.server.set_rtt(session, 60ms));
  lite.drain();
  EXPECT_EQ(lite.sent.size(), 2U) << "the response and the ClientHello";
  EXPECT_EQ(lite.told<PathSelected>(session).size(), 1U);
}

TEST_F(LiteRtt, OddOnesAreRefused) {
  const auto negative = lite.server.set_rtt(session, -1us);
  ASSERT_FALSE(negative);
  EXPECT_EQ(negative.error().code, dtls::Errc::invalid_argument);
  lite.server.remove(session);
  const auto gone = lite.server.set_rtt(session, 60ms);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, dtls::Errc::closed);
}

}  // namespace
}  // namespace sluice::ice_lite
