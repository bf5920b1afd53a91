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
  ASSERT_TRUE(lite.server.set_rtt(session, 60ms, lite.now));
  lite.nominate(session, kPeer);
  EXPECT_TRUE(repeats_after(120ms));
}

TEST_F(LiteRtt, LeavesAFlightThatHasBegun) {
  lite.nominate(session, kPeer);
  ASSERT_TRUE(lite.server.set_rtt(session, 60ms, lite.now));
  EXPECT_TRUE(repeats_after(1s));
}

TEST_F(LiteRtt, HoldsForALaterAssociation) {
  lite.nominate(session, kPeer);
  ASSERT_TRUE(lite.server.set_rtt(session, 60ms, lite.now));
  const IceRestart restart{.dtls = IceRestart::Dtls{.role = dtls::Role::client}};
  const auto fresh = test::must(lite.server.restart_ice(session, restart, lite.now));
  auto fields = LiteServer::check_for(fresh);
  fields.use_candidate = true;
  lite.check(fields, address(2, 5000));
  EXPECT_TRUE(repeats_after(120ms));
}

TEST_F(LiteRtt, IsReplacedByALaterOne) {
  ASSERT_TRUE(lite.server.set_rtt(session, 60ms, lite.now));
  ASSERT_TRUE(lite.server.set_rtt(session, 200ms, lite.now));
  lite.nominate(session, kPeer);
  EXPECT_TRUE(repeats_after(400ms));
}

TEST_F(LiteRtt, OddOnesAreRefused) {
  const auto negative = lite.server.set_rtt(session, -1us, lite.now);
  ASSERT_FALSE(negative);
  EXPECT_EQ(negative.error().code, dtls::Errc::invalid_argument);
  lite.server.remove(session);
  const auto gone = lite.server.set_rtt(session, 60ms, lite.now);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, dtls::Errc::closed);
}

}  // namespace
}  // namespace sluice::ice_lite
