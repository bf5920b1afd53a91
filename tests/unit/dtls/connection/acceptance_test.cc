// Whether the peer is the right one: asked, announced before or after, and what waits meanwhile.
#include "support/connections.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::connected_pair;
using test::counted;
using test::discards;
using test::must;
using test::Pair;
using test::Peer;
using test::to_hex;
using test::unaccepted_pair;

class Acceptance : public test::ByVersion {};
INSTANTIATE_TEST_SUITE_P(Versions, Acceptance, test::both_versions(), test::name_of_version);
class UnacceptedData : public test::ByVersion {};
INSTANTIATE_TEST_SUITE_P(Versions, UnacceptedData, test::both_versions(), test::name_of_version);

Fingerprint right(const Identity& identity = test::ecdsa_identity()) {
  return must(Fingerprint::of(identity.certificate(), HashAlgorithm::sha256, test::environment()));
}
Fingerprint wrong() { return {HashAlgorithm::sha256, counted(32)}; }

void announce(Peer& peer, std::vector<Fingerprint> fingerprints) {
  peer.settle(peer.connection().set_peer_fingerprints(fingerprints, {}), {});
}
void accept(Peer& peer) {
  peer.settle(peer.connection().answer(*peer.question, AcceptPeer{}, {}), {});
}

// The server's certificate has come to the client, the end of its flight hasn't.
struct Midst {
  explicit Midst(ConfigOptions options) : pair(prepare(options)) {
    pair.client.accepts_peer = false;
    pair.flight(pair.client);
    rest = pair.server.take_datagrams();
    while (rest.size() > 1) {
      pair.client.receive(std::move(rest.front()), {});
      rest.erase(rest.begin());
    }
    EXPECT_TRUE(pair.client.question);
  }
  void finish() {
    for (auto& datagram : rest) pair.client.receive(std::move(datagram), {});
    pair.run();
  }

  Pair pair;
  std::vector<Buffer> rest;

 private:
  static const ConfigOptions& prepare(ConfigOptions& options) {
    // The signature behind the certificate takes a datagram of its own.
    options.identities = {test::rsa_identity()};
    options.mtu = kMinimumMtu;
    return options;
  }
};

TEST_P(Acceptance, TheQuestionBringsThePeersChain) {
  Pair pair = unaccepted_pair(options());
  for (const Peer* peer : {&pair.client, &pair.server}) {
    ASSERT_EQ(peer->peer_chain.size(), 1U);
    EXPECT_EQ(to_hex(peer->peer_chain[0]), to_hex(test::ecdsa_identity().certificate()));
  }
  accept(pair.client);
  EXPECT_TRUE(pair.client.connected);
  EXPECT_FALSE(pair.server.connected) << "each decides for itself";
  accept(pair.server);
  EXPECT_TRUE(pair.server.connected);
}

TEST_P(Acceptance, ItIsAskedBeforeTheHandshakeIsComplete) {
  Midst midst(options());
  accept(midst.pair.client);
  EXPECT_FALSE(midst.pair.client.connected) << "accepted, but not complete";
  midst.finish();
  EXPECT_TRUE(midst.pair.client.connected);
}

TEST_P(Acceptance, AnAnnouncedFingerprintSavesTheQuestion) {
  Pair pair(options());
  pair.client.accepts_peer = false;
  pair.server.accepts_peer = false;
  announce(pair.client, {wrong(), right()});
  announce(pair.server, {right()});
  pair.run();
  EXPECT_TRUE(pair.client.connected && pair.server.connected);
  EXPECT_FALSE(pair.client.question || pair.server.question);
}

TEST_P(Acceptance, AFingerprintMayComeAfterTheHandshake) {
  Pair pair = unaccepted_pair(options());
  announce(pair.client, {right()});
  EXPECT_TRUE(pair.client.connected);
  announce(pair.server, {right()});
  EXPECT_TRUE(pair.server.connected);
}

TEST_P(Acceptance, AFingerprintMayComeInItsMidst) {
  Midst midst(options());
  announce(midst.pair.client, {right(test::rsa_identity())});
  EXPECT_FALSE(midst.pair.client.connected);
  midst.finish();
  EXPECT_TRUE(midst.pair.client.connected);
}

// RFC 8122 section 6.2: torn down at once, with bad_certificate.
TEST_P(Acceptance, AWrongFingerprintEndsItWheneverItComes) {
  const auto ended = [](Pair& pair) {
    EXPECT_TRUE(pair.client.error);
    EXPECT_EQ(pair.client.error->code, Errc::peer_rejected);
    EXPECT_EQ(pair.client.error->alert, Alert::bad_certificate);
    EXPECT_FALSE(pair.client.connected);
    pair.run();
    expire_until_error(pair.server);
    return pair.server.error && pair.server.error->code == Errc::alert_received &&
           pair.server.error->alert == Alert::bad_certificate;
  };
  Pair before(options());
  announce(before.client, {wrong()});
  before.run();
  EXPECT_TRUE(ended(before)) << "before the certificate";
  EXPECT_FALSE(before.server.connected);

  Midst in_the_midst(options());
  announce(in_the_midst.pair.client, {wrong()});
  EXPECT_TRUE(ended(in_the_midst.pair)) << "in the midst of the handshake";

  // In DTLS 1.3 the client's handshake is complete by now, but the server can't know.
  Pair before_our_flight(options());
  before_our_flight.client.accepts_peer = false;
  before_our_flight.flight(before_our_flight.client);
  before_our_flight.flight(before_our_flight.server);
  announce(before_our_flight.client, {wrong()});
  EXPECT_TRUE(ended(before_our_flight)) << "before our second flight has left";
  EXPECT_FALSE(before_our_flight.server.connected);

  Pair after = unaccepted_pair(options());
  announce(after.client, {wrong()});
  EXPECT_TRUE(ended(after)) << "after the handshake";

  Pair none(options());
  announce(none.client, {});
  none.run();
  EXPECT_TRUE(ended(none)) << "an empty list matches nobody";
}

TEST_P(Acceptance, AFingerprintIsComparedAlsoOnceThePeerIsAccepted) {
  Pair pair = connected_pair(options());
  announce(pair.client, {right()});
  EXPECT_TRUE(works(pair));
  announce(pair.client, {wrong()});
  EXPECT_TRUE(failed(pair.client, Errc::peer_rejected, Alert::bad_certificate));
  EXPECT_FALSE(pair.client.connection().connected());
}

TEST_P(Acceptance, ALaterAnnouncementReplacesAnEarlierOne) {
  Pair pair(options());
  announce(pair.client, {wrong()});
  announce(pair.client, {right()});
  pair.run();
  EXPECT_TRUE(pair.client.connected);
}

TEST_P(Acceptance, AServerThatAsksForNoCertificateHasNothingToJudge) {
  ConfigOptions options = ByVersion::options();
  options.peer_authentication = PeerAuthentication::none;
  Pair pair(options);
  pair.server.accepts_peer = false;
  pair.run();
  EXPECT_TRUE(pair.server.connected);
  EXPECT_FALSE(pair.server.question);
  EXPECT_TRUE(pair.client.connected);
  EXPECT_TRUE(pair.client.question) << "a client always has";
}

TEST_P(Acceptance, TheConnectionIsNotAcceptedBeforeItIsAskedAbout) {
  ConfigOptions asking = options();
  asking.ask_about_connection = true;
  Pair first(asking);
  first.run();
  ASSERT_TRUE(first.client.to_verify);
  Pair pair(asking);
  const auto early =
      pair.client.connection().answer(first.client.to_verify->question.id(), AcceptPeer{}, {});
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Errc::invalid_argument);
  pair.run();
  EXPECT_TRUE(pair.client.to_verify);
  EXPECT_FALSE(pair.client.connected);
}

// SCTP's INIT comes with the last flight, the SDP answer much later.
TEST_P(UnacceptedData, WaitsForAcceptanceInItsOrder) {
  Pair pair(options());
  pair.server.accepts_peer = false;
  pair.run();
  ASSERT_TRUE(pair.client.connected);
  const Buffer first = pair.client.seal(bytes_of("first"));
  const Buffer second = pair.client.seal(bytes_of("second"));
  pair.server.receive(first, {});
  pair.server.receive(second, {});
  EXPECT_TRUE(pair.server.data.empty());
  accept(pair.server);
  ASSERT_EQ(pair.server.data.size(), 2U);
  EXPECT_EQ(to_hex(pair.server.data[0]), to_hex(bytes_of("first")));
  EXPECT_EQ(to_hex(pair.server.data[1]), to_hex(bytes_of("second")));
  pair.server.receive(pair.client.seal(bytes_of("third")), {});
  EXPECT_EQ(pair.server.data.size(), 3U);
}

TEST_P(UnacceptedData, OfARejectedPeerIsNeverSeen) {
  Pair pair(options());
  pair.server.accepts_peer = false;
  pair.run();
  pair.server.receive(pair.client.seal(bytes_of("data")), {});
  pair.server.settle(pair.server.connection().answer(*pair.server.question, RejectPeer{}, {}), {});
  EXPECT_TRUE(pair.server.data.empty());
}

TEST_P(UnacceptedData, HasItsStatedBound) {
  ConfigOptions options = ByVersion::options();
  options.max_unaccepted_data = 1000;
  Pair pair(options);
  pair.server.accepts_peer = false;
  pair.run();
  pair.server.receive(pair.client.seal(counted(600)), {});
  pair.server.receive(pair.client.seal(counted(401)), {});
  EXPECT_EQ(discards(pair.server, Discard::unaccepted_data_full), 1U);
  pair.server.receive(pair.client.seal(counted(400)), {});
  pair.server.receive(pair.client.seal(counted(1)), {});
  EXPECT_EQ(discards(pair.server, Discard::unaccepted_data_full), 2U);
  accept(pair.server);
  ASSERT_EQ(pair.server.data.size(), 2U);
  EXPECT_EQ(pair.server.data[0].size() + pair.server.data[1].size(), 1000U);
}

// Records without a byte in them would be free.
TEST_P(UnacceptedData, EmptyRecordsHaveABoundToo) {
  Pair pair(options());
  pair.server.accepts_peer = false;
  pair.run();
  for (int i = 0; i < 1000; ++i) pair.server.receive(pair.client.seal({}), {});
  EXPECT_GT(discards(pair.server, Discard::unaccepted_data_full), 500U);
  accept(pair.server);
  EXPECT_TRUE(pair.server.connected);
}

// The client's Finished and its data overtake the messages that make the server's keys.
TEST_P(UnacceptedData, RecordsThatOvertakeTheirKeysAreKept) {
  ConfigOptions options = ByVersion::options();
  options.mtu = 256;
  Pair pair(options);
  pair.flight(pair.client);
  pair.flight(pair.server);
  auto flight = pair.client.take_datagrams();
  ASSERT_GT(flight.size(), 1U);
  std::ranges::reverse(flight);
  for (auto& datagram : flight) pair.server.receive(std::move(datagram), {});
  pair.server.take_datagrams();
  EXPECT_TRUE(pair.server.connected) << "without a retransmission";
  EXPECT_EQ(pair.client.connection().statistics().timeouts, 0U);
  EXPECT_EQ(pair.server.connection().statistics().total_discarded(), 0U);
}

}  // namespace
}  // namespace sluice::dtls
