// Paths that end, such as TCP connections, beside those that last until they expire.
#include "lite_server.h"

namespace sluice::ice_lite {
namespace {

// As tcp::Listener names them: the peer's address is none of its UDP ones.
dtls::UdpPath connection(std::uint32_t number, const dtls::UdpEndpoint& from = address(1, 7000)) {
  return {
      .socket = dtls::SocketId{0x8000'0000U | number}, .peer = from, .own = test::kServerAddress};
}

// Priorities as libwebrtc gives them: any of UDP is above any of TCP.
constexpr std::uint32_t kUdpPriority = 110U << 24;
constexpr std::uint32_t kTcpPriority = 80U << 24;

class ClosedPaths : public testing::Test {
 protected:
  void nominate(const dtls::UdpPath& path, std::uint32_t priority) {
    auto fields = lite_.check_for(session_);
    fields.use_candidate = true;
    fields.priority = priority;
    auto check = make_check(fields);
    lite_.server.handle_datagram(check, path, lite_.now);
    lite_.drain();
  }
  void close(const dtls::UdpPath& path) {
    lite_.server.path_closed(path, lite_.now);
    lite_.drain();
  }
  [[nodiscard]] std::optional<dtls::UdpPath> path() const { return lite_.server.path_of(session_); }

  LiteServer lite_;
  SessionHandle session_ = lite_.add();
  const dtls::UdpPath udp_ = LiteServer::path(kPeer);
};

TEST_F(ClosedPaths, AConnectionIsNominatedAndAnsweredAsAnyPath) {
  nominate(connection(1), kTcpPriority);
  EXPECT_EQ(path(), connection(1));
  EXPECT_EQ(lite_.server.find(connection(1)), session_);
  ASSERT_EQ(lite_.sent.size(), 1U);
  EXPECT_EQ(lite_.sent[0].path, connection(1));
  EXPECT_EQ(lite_.told<PathSelected>(session_).size(), 1U);
}

// The same address and port of the peer, over another connection.
TEST_F(ClosedPaths, TwoConnectionsFromOneAddressAreTwoTuples) {
  nominate(connection(1), kTcpPriority);
  nominate(connection(2), kTcpPriority);
  EXPECT_EQ(lite_.server.tuples(), 2U);
  EXPECT_EQ(path(), connection(1));
}

TEST_F(ClosedPaths, UdpIsPreferredByThePriorityOfItsChecks) {
  nominate(connection(1), kTcpPriority);
  nominate(udp_, kUdpPriority);
  EXPECT_EQ(path(), udp_);
  nominate(connection(1), kTcpPriority);
  EXPECT_EQ(path(), udp_);
}

TEST_F(ClosedPaths, AnotherNominatedTupleTakesThePlaceAtOnce) {
  nominate(connection(1), kTcpPriority);
  nominate(udp_, kUdpPriority);
  nominate(connection(2, address(2, 1)), kTcpPriority + 1);
  close(udp_);
  EXPECT_EQ(path(), connection(2, address(2, 1)));
  close(connection(2, address(2, 1)));
  EXPECT_EQ(path(), connection(1));
  EXPECT_EQ(lite_.told<PathSelected>(session_).size(), 4U);
  EXPECT_EQ(lite_.server.statistics().tuples_closed, 2U);
}

TEST_F(ClosedPaths, TheOneInUseStaysWhereAnotherEnds) {
  nominate(connection(1), kTcpPriority);
  nominate(udp_, kUdpPriority);
  close(connection(1));
  EXPECT_EQ(path(), udp_);
  EXPECT_EQ(lite_.server.find(connection(1)), std::nullopt);
  EXPECT_EQ(lite_.server.tuples(), 1U);
  lite_.pass(30s);
  EXPECT_EQ(lite_.told<Expired>(session_).size(), 1U);
}

// The session waits as long as consent on the path would have lasted.
TEST_F(ClosedPaths, TheLastOneExpiresWithItsConsent) {
  nominate(connection(1), kTcpPriority);
  lite_.pass(10s);
  close(connection(1));
  EXPECT_EQ(path(), std::nullopt);
  EXPECT_EQ(lite_.server.tuples(), 0U);
  lite_.pass(20s - 1us);
  EXPECT_TRUE(lite_.told<Expired>(session_).empty());
  lite_.pass(1us);
  const auto told = lite_.told<Expired>(session_);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].path, connection(1));
  EXPECT_EQ(lite_.server.next_timeout(), std::nullopt);
  lite_.pass(1h);
  EXPECT_EQ(lite_.told<Expired>(session_).size(), 1U);
}

TEST_F(ClosedPaths, ANewConnectionRevivesTheSession) {
  nominate(connection(1), kTcpPriority);
  close(connection(1));
  lite_.pass(20s);
  nominate(connection(2), kTcpPriority);
  EXPECT_EQ(path(), connection(2));
  lite_.pass(29s);
  EXPECT_TRUE(lite_.told<Expired>(session_).empty());
  lite_.pass(1s);
  EXPECT_EQ(lite_.told<Expired>(session_).size(), 1U);
}

// A tuple that was checked but not nominated does not end the wait, nor prolong it.
TEST_F(ClosedPaths, ATupleWithoutNominationChangesNothing) {
  nominate(connection(1), kTcpPriority);
  lite_.pass(10s);
  lite_.check(lite_.check_for(session_), kPeer);
  close(connection(1));
  lite_.pass(20s);
  EXPECT_EQ(lite_.told<Expired>(session_).size(), 1U);
  EXPECT_EQ(lite_.server.tuples(), 1U);
}

// Nor does its end: the wait is for the consent that was last.
TEST_F(ClosedPaths, TheEndOfAnotherTupleDoesNotShortenTheWait) {
  lite_.check(lite_.check_for(session_), kPeer);
  lite_.pass(10s);
  nominate(connection(1), kTcpPriority);
  close(connection(1));
  lite_.pass(20s);
  EXPECT_EQ(lite_.server.tuples(), 0U);
  EXPECT_TRUE(lite_.told<Expired>(session_).empty());
  lite_.pass(10s);
  EXPECT_EQ(lite_.told<Expired>(session_).size(), 1U);
}

// When the wait would have ended, the tuple in use stays, also where another has a higher priority.
TEST_F(ClosedPaths, ASelectionEndsTheWait) {
  nominate(connection(1), kTcpPriority);
  close(connection(1));
  lite_.pass(1s);
  nominate(udp_, kUdpPriority);
  lite_.pass(14s);
  nominate(connection(2), kTcpPriority);
  ASSERT_EQ(path(), connection(2)) << "nothing has come over the other one for 12 s";
  lite_.pass(15s);
  EXPECT_EQ(lite_.server.tuples(), 2U);
  EXPECT_EQ(path(), connection(2));
}

TEST_F(ClosedPaths, UnknownPathsAndEndedSessionsAreNoMatter) {
  close(connection(9));
  nominate(connection(1), kTcpPriority);
  static_cast<void>(lite_.server.close(session_, lite_.now));
  lite_.server.path_closed(connection(1), lite_.now);
  lite_.drain();
  EXPECT_EQ(lite_.server.tuples(), 0U);
  EXPECT_TRUE(lite_.told<Expired>(session_).empty());
  EXPECT_EQ(lite_.told<Ended>(session_).size(), 1U);
  lite_.pass(1h);
  EXPECT_TRUE(lite_.told<Expired>(session_).empty());
}

}  // namespace
}  // namespace sluice::ice_lite
