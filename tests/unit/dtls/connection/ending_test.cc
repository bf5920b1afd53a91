// How connections end: closed in each phase, refused, failed; and what they do afterwards.
#include "crypto/library.h"
#include "support/connections.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::connected_pair;
using test::discards;
using test::Pair;
using test::Peer;
using test::to_hex;
using test::unaccepted_pair;

class Close : public test::ByVersion {};
INSTANTIATE_TEST_SUITE_P(Versions, Close, test::both_versions(), test::name_of_version);
class Reject : public test::ByVersion {};
INSTANTIATE_TEST_SUITE_P(Versions, Reject, test::both_versions(), test::name_of_version);
class Failure : public test::ByVersion {};
INSTANTIATE_TEST_SUITE_P(Versions, Failure, test::both_versions(), test::name_of_version);

void close(Peer& peer) { peer.settle(peer.connection().close({}), {}); }

// Neither sends nor waits for anything any more.
void expect_quiet(Peer& peer) {
  EXPECT_TRUE(peer.take_datagrams().empty());
  EXPECT_FALSE(peer.connection().next_timeout());
  EXPECT_FALSE(peer.connection().connected());
}

std::string error_of(const Peer& peer) {
  return peer.error ? std::string(to_string(peer.error->code)) : "none";
}
std::string alert_of(const Peer& peer) {
  return peer.error && peer.error->alert ? std::string(to_string(*peer.error->alert)) : "none";
}

TEST_P(Close, OfAnOpenConnectionIsTakenByThePeer) {
  for (const bool by_client : {true, false}) {
    Pair pair = connected_pair(options());
    Peer& closing = by_client ? pair.client : pair.server;
    Peer& other = by_client ? pair.server : pair.client;
    close(closing);
    pair.run();
    EXPECT_TRUE(other.closed);
    EXPECT_FALSE(closing.closed) << "whoever closes needs no event";
    EXPECT_EQ(error_of(closing), "none");
    EXPECT_EQ(error_of(other), "none");
    expect_quiet(closing);
    expect_quiet(other);
    // RFC 5246 section 7.2.1: the other side answers with a close_notify of its own.
    EXPECT_EQ(discards(closing, Discard::after_close), 1U);
  }
}

// libcrypto's context has the master secret for as long as a connection has it.
TEST(Ending, WipesTheMasterSecretInTheLibrary) {
  const auto& left = test::environment().library().hmac_keys().repeated;
  {
    Pair pair = connected_pair(test::options_for(ProtocolVersion::dtls12));
    EXPECT_FALSE(left.empty());
    close(pair.client);
    EXPECT_TRUE(left.empty());
  }
  {
    const Pair pair = connected_pair(test::options_for(ProtocolVersion::dtls12));
    EXPECT_FALSE(left.empty());
  }
  EXPECT_TRUE(left.empty());
}

// The handshake is complete, but our last flight has not left.
TEST_P(Close, ByThePeerBeforeOurLastFlightHasLeftIsNoError) {
  Pair pair(options());
  pair.flight(pair.client);
  if (!is13()) pair.flight(pair.server);
  Peer& closing = is13() ? pair.server : pair.client;
  const Peer& other = is13() ? pair.client : pair.server;
  pair.flight(closing);
  EXPECT_FALSE(other.connected);
  close(closing);
  pair.flight(closing);
  EXPECT_TRUE(other.connected);
  EXPECT_TRUE(other.closed);
  EXPECT_EQ(error_of(other), "none");
}

TEST_P(Close, WhatThePeerSentBeforeIsDelivered) {
  Pair pair = connected_pair(options());
  Buffer datagram = pair.client.seal(bytes_of("last words"));
  close(pair.client);
  const auto alert = pair.client.take_datagrams();
  ASSERT_EQ(alert.size(), 1U);
  datagram.insert(datagram.end(), alert[0].begin(), alert[0].end());
  pair.server.receive(datagram, {});
  ASSERT_EQ(pair.server.data.size(), 1U);
  EXPECT_EQ(to_hex(pair.server.data[0]), to_hex(bytes_of("last words")));
  EXPECT_TRUE(pair.server.closed);
}

TEST_P(Close, WhatThePeerSentAfterIsNot) {
  Pair pair = connected_pair(options());
  const Buffer late = pair.client.seal(bytes_of("reordered"));
  close(pair.client);
  pair.flight(pair.client);
  ASSERT_TRUE(pair.server.closed);
  pair.server.receive(late, {});
  EXPECT_TRUE(pair.server.data.empty());
  EXPECT_EQ(discards(pair.server, Discard::after_close), 1U);
}

TEST_P(Close, GivesUpAHandshakeInEachOfItsPhases) {
  const auto closed_after = [](std::size_t flights, bool by_client) {
    Pair pair(options());
    for (std::size_t i = 0; i < flights; ++i) {
      pair.flight(i % 2 == 0 ? pair.client : pair.server);
    }
    Peer& closing = by_client ? pair.client : pair.server;
    Peer& other = by_client ? pair.server : pair.client;
    close(closing);
    EXPECT_EQ(error_of(closing), "none");
    pair.run();
    expire_until_error(other);
    expect_quiet(closing);
    EXPECT_FALSE(closing.connected) << "its last flight had not left";
    return error_of(other) + ", " + alert_of(other);
  };
  const std::string given_up = std::string(to_string(Errc::closed_by_peer)) + ", close_notify";
  for (const std::size_t flights : {0U, 1U, 2U}) {
    // A server to which nothing was said has nothing to give up.
    EXPECT_EQ(closed_after(flights, true), flights == 0 ? "none, none" : given_up)
        << "client after " << flights;
    // A client of DTLS 1.3 is connected when it has the server's flight.
    EXPECT_EQ(closed_after(flights, false), is13() && flights == 2 ? "none, none" : given_up)
        << "server after " << flights;
  }
}

TEST_P(Close, OfAnUnacceptedConnectionIsNoClosed) {
  Pair pair = unaccepted_pair(options());
  close(pair.client);
  pair.run();
  EXPECT_EQ(error_of(pair.server), to_string(Errc::closed_by_peer));
  EXPECT_FALSE(pair.server.closed || pair.server.connected);
  expect_quiet(pair.client);
  expect_quiet(pair.server);
}

TEST_P(Close, ASecondTimeDoesNothing) {
  Pair pair = connected_pair(options());
  close(pair.client);
  EXPECT_EQ(pair.client.take_datagrams().size(), 1U);
  const auto again = pair.client.connection().close({});
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->transmit || again->data || again->event || again->timer);
  EXPECT_TRUE(pair.client.take_datagrams().empty());
}

TEST_P(Close, BothAtOnceIsFine) {
  Pair pair = connected_pair(options());
  close(pair.client);
  close(pair.server);
  pair.run();
  EXPECT_EQ(error_of(pair.client), "none");
  EXPECT_EQ(error_of(pair.server), "none");
}

TEST_P(Reject, EndsBothSidesWithTheChosenAlert) {
  for (const Alert alert : {Alert::bad_certificate, Alert::certificate_expired}) {
    Pair pair(options());
    pair.server.accepts_peer = false;
    pair.run();
    ASSERT_TRUE(pair.server.question);
    pair.server.settle(
        pair.server.connection().answer(*pair.server.question, RejectPeer{alert}, {}), {});
    EXPECT_EQ(error_of(pair.server), to_string(Errc::peer_rejected));
    EXPECT_EQ(alert_of(pair.server), to_string(alert));
    EXPECT_FALSE(pair.server.connected);
    pair.run();
    EXPECT_EQ(error_of(pair.client), to_string(Errc::alert_received));
    EXPECT_EQ(alert_of(pair.client), to_string(alert));
    expect_quiet(pair.server);
    expect_quiet(pair.client);
  }
}

// An Error is told once, and final: later inputs change nothing, and the alert leaves once.
TEST_P(Failure, IsToldOnce) {
  Pair pair(options());
  pair.server.accepts_peer = false;
  pair.run();
  Connection& server = pair.server.connection();
  const auto harmless = server.answer(QuestionId{99}, AcceptPeer{}, {});
  ASSERT_FALSE(harmless);
  EXPECT_FALSE(harmless.error().is_fatal);
  EXPECT_FALSE(server.ended() || server.error());

  const auto rejected = server.answer(*pair.server.question, RejectPeer{}, {});
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().code, Errc::peer_rejected);
  EXPECT_EQ(rejected.error().alert, Alert::bad_certificate);
  EXPECT_TRUE(rejected.error().is_fatal);
  EXPECT_EQ(pair.server.take_datagrams().size(), 1U);
  EXPECT_TRUE(server.ended());
  ASSERT_TRUE(server.error());
  EXPECT_EQ(server.error()->code, Errc::peer_rejected);

  const auto same = [](const Result<Pending>& outcome) {
    return outcome && !outcome->transmit && !outcome->data && !outcome->event && !outcome->timer;
  };
  Buffer datagram = pair.client.seal(bytes_of("data"));
  EXPECT_TRUE(same(server.handle_datagram(datagram, test::kPath, {})));
  EXPECT_TRUE(same(server.handle_datagram({}, test::kPath, {})));
  EXPECT_TRUE(same(server.handle_timeout(Instant{std::chrono::hours{1}})));
  EXPECT_TRUE(same(server.answer(*pair.server.question, AcceptPeer{}, {})));
  EXPECT_TRUE(same(server.answer(QuestionId{99}, AcceptPeer{}, {})));
  EXPECT_TRUE(same(server.set_peer_fingerprints({}, {})));
  EXPECT_TRUE(same(server.close({})));
  EXPECT_EQ(discards(pair.server, Discard::after_close), 2U);
  expect_quiet(pair.server);
  EXPECT_FALSE(server.poll_data());
  EXPECT_FALSE(server.poll_event());
}

// The last flight and the alert that takes it back, in one datagram: there was no connection.
TEST_P(Failure, LeavesNoEventOfTheInputThatFailed) {
  Pair pair(options());
  Peer& last = is13() ? pair.client : pair.server;
  Peer& hearer = is13() ? pair.server : pair.client;
  last.accepts_peer = false;
  const auto fingerprint = test::must(Fingerprint::of(test::ecdsa_identity().certificate(),
                                                      HashAlgorithm::sha256, test::environment()));
  hearer.settle(hearer.connection().set_peer_fingerprints(std::span(&fingerprint, 1), {}), {});
  pair.flight(pair.client);
  pair.flight(pair.server);
  if (!is13()) pair.flight(pair.client);
  const auto last_flight = last.take_datagrams();
  ASSERT_EQ(last_flight.size(), 1U);
  ASSERT_TRUE(last.question);
  last.settle(last.connection().answer(*last.question, RejectPeer{}, {}), {});
  const auto alert = last.take_datagrams();
  ASSERT_EQ(alert.size(), 1U);
  Buffer joined = last_flight[0];
  joined.insert(joined.end(), alert[0].begin(), alert[0].end());
  hearer.receive(joined, {});
  EXPECT_EQ(error_of(hearer), to_string(Errc::alert_received));
  EXPECT_FALSE(hearer.connected);
  EXPECT_FALSE(hearer.connection().connected());
}

TEST_P(Failure, ByTimeComesAtTheTotal) {
  ConfigOptions options = ByVersion::options();
  options.timers.total = std::chrono::seconds{10};
  Peer client = test::make_client(test::make_config(options));
  Instant last{};
  int flights = 0;
  while (const auto due = client.connection().next_timeout()) {
    flights += static_cast<int>(client.take_datagrams().size());
    ASSERT_GE(*due, last);
    last = *due;
    client.settle(client.connection().handle_timeout(last), last);
    if (client.error) break;
  }
  EXPECT_EQ(error_of(client), to_string(Errc::handshake_timeout));
  EXPECT_EQ(last, Instant{std::chrono::seconds{10}});
  EXPECT_EQ(flights, 4) << "at 0, 1, 3 and 7 s";
  EXPECT_EQ(alert_of(client), "none") << "nobody is there to be told";
  expect_quiet(client);
}

// A late wake-up is one expiry, however many deadlines have passed.
TEST_P(Failure, DoesNotComeFromALateWakeUp) {
  Peer client = test::make_client(test::make_config());
  client.take_datagrams();
  client.settle(client.connection().handle_timeout(Instant{std::chrono::seconds{60}}),
                Instant{std::chrono::seconds{60}});
  EXPECT_EQ(error_of(client), "none");
  EXPECT_EQ(client.connection().statistics().timeouts, 1U);
  EXPECT_EQ(client.take_datagrams().size(), 1U);
}

}  // namespace
}  // namespace sluice::dtls
