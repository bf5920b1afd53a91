// Whether the peer is the right one: asked, announced before or after, and what waits meanwhile.
#include "unit/dtls/connection/connections.h"

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

Fingerprint right() {
  return must(Fingerprint::of(test::ecdsa_identity().certificate(), HashAlgorithm::sha256,
                              test::environment()));
}
Fingerprint wrong() { return {HashAlgorithm::sha256, counted(32)}; }

void announce(Peer& peer, std::vector<Fingerprint> fingerprints) {
  peer.settle(peer.connection().set_peer_fingerprints(fingerprints, {}), {});
}
void accept(Peer& peer) {
  peer.settle(peer.connection().answer(*peer.question, AcceptPeer{}, {}), {});
}

TEST(Acceptance, TheQuestionBringsThePeersChain) {
  Pair pair = unaccepted_pair();
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

TEST(Acceptance, ItIsAskedBeforeTheHandshakeIsComplete) {
  Pair pair;
  pair.client.accepts_peer = false;
  pair.flight(pair.client);
  pair.flight(pair.server);
  ASSERT_TRUE(pair.client.question);
  accept(pair.client);
  EXPECT_FALSE(pair.client.connected) << "accepted, but not complete";
  pair.run();
  EXPECT_TRUE(pair.client.connected);
}

TEST(Acceptance, AnAnnouncedFingerprintSavesTheQuestion) {
  Pair pair;
  pair.client.accepts_peer = false;
  pair.server.accepts_peer = false;
  announce(pair.client, {wrong(), right()});
  announce(pair.server, {right()});
  pair.run();
  EXPECT_TRUE(pair.client.connected && pair.server.connected);
  EXPECT_FALSE(pair.client.question || pair.server.question);
}

TEST(Acceptance, AFingerprintMayComeAfterTheHandshake) {
  Pair pair = unaccepted_pair();
  announce(pair.client, {right()});
  EXPECT_TRUE(pair.client.connected);
  announce(pair.server, {right()});
  EXPECT_TRUE(pair.server.connected);
}

TEST(Acceptance, AFingerprintMayComeInItsMidst) {
  Pair pair;
  pair.client.accepts_peer = false;
  pair.flight(pair.client);
  pair.flight(pair.server);
  announce(pair.client, {right()});
  EXPECT_FALSE(pair.client.connected);
  pair.run();
  EXPECT_TRUE(pair.client.connected);
}

// RFC 8122 section 6.2: torn down at once, with bad_certificate.
TEST(Acceptance, AWrongFingerprintEndsItWheneverItComes) {
  const auto ended = [](Pair& pair) {
    EXPECT_TRUE(pair.client.error);
    EXPECT_EQ(pair.client.error->code, Errc::peer_rejected);
    EXPECT_EQ(pair.client.error->alert, Alert::bad_certificate);
    EXPECT_FALSE(pair.client.connected);
    pair.run();
    return pair.server.error && pair.server.error->code == Errc::alert_received &&
           pair.server.error->alert == Alert::bad_certificate;
  };
  Pair before;
  announce(before.client, {wrong()});
  before.run();
  EXPECT_TRUE(ended(before)) << "before the certificate";
  EXPECT_FALSE(before.server.connected);

  Pair in_the_midst;
  in_the_midst.client.accepts_peer = false;
  in_the_midst.flight(in_the_midst.client);
  in_the_midst.flight(in_the_midst.server);
  announce(in_the_midst.client, {wrong()});
  EXPECT_TRUE(ended(in_the_midst)) << "in the midst of the handshake";

  Pair after = unaccepted_pair();
  announce(after.client, {wrong()});
  EXPECT_TRUE(ended(after)) << "after the handshake";

  Pair none;
  announce(none.client, {});
  none.run();
  EXPECT_TRUE(ended(none)) << "an empty list matches nobody";
}

TEST(Acceptance, OnceAcceptedAFingerprintChangesNothing) {
  Pair pair = connected_pair();
  announce(pair.client, {wrong()});
  EXPECT_FALSE(pair.client.error);
  EXPECT_TRUE(pair.client.connection().connected());
}

TEST(Acceptance, ALaterAnnouncementReplacesAnEarlierOne) {
  Pair pair;
  announce(pair.client, {wrong()});
  announce(pair.client, {right()});
  pair.run();
  EXPECT_TRUE(pair.client.connected);
}

TEST(Acceptance, AServerThatAsksForNoCertificateHasNothingToJudge) {
  ConfigOptions options = test::options();
  options.peer_authentication = PeerAuthentication::none;
  Pair pair(options);
  pair.server.accepts_peer = false;
  pair.run();
  EXPECT_TRUE(pair.server.connected);
  EXPECT_FALSE(pair.server.question);
  EXPECT_TRUE(pair.client.connected);
  EXPECT_TRUE(pair.client.question) << "a client always has";
}

// SCTP's INIT comes with the last flight, the SDP answer much later.
TEST(EarlyData, WaitsForAcceptanceInItsOrder) {
  Pair pair;
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

TEST(EarlyData, OfARejectedPeerIsNeverSeen) {
  Pair pair;
  pair.server.accepts_peer = false;
  pair.run();
  pair.server.receive(pair.client.seal(bytes_of("data")), {});
  pair.server.settle(pair.server.connection().answer(*pair.server.question, RejectPeer{}, {}), {});
  EXPECT_TRUE(pair.server.data.empty());
}

TEST(EarlyData, HasItsStatedBound) {
  ConfigOptions options = test::options();
  options.max_early_data = 1000;
  Pair pair(options);
  pair.server.accepts_peer = false;
  pair.run();
  pair.server.receive(pair.client.seal(counted(600)), {});
  pair.server.receive(pair.client.seal(counted(401)), {});
  EXPECT_EQ(discards(pair.server, Discard::early_data_full), 1U);
  pair.server.receive(pair.client.seal(counted(400)), {});
  pair.server.receive(pair.client.seal(counted(1)), {});
  EXPECT_EQ(discards(pair.server, Discard::early_data_full), 2U);
  accept(pair.server);
  ASSERT_EQ(pair.server.data.size(), 2U);
  EXPECT_EQ(pair.server.data[0].size() + pair.server.data[1].size(), 1000U);
}

// Records without a byte in them would be free.
TEST(EarlyData, EmptyRecordsHaveABoundToo) {
  Pair pair;
  pair.server.accepts_peer = false;
  pair.run();
  for (int i = 0; i < 1000; ++i) pair.server.receive(pair.client.seal({}), {});
  EXPECT_GT(discards(pair.server, Discard::early_data_full), 500U);
  accept(pair.server);
  EXPECT_TRUE(pair.server.connected);
}

// The client's Finished and its data overtake the messages that make the server's keys.
TEST(EarlyData, RecordsThatOvertakeTheirKeysAreKept) {
  ConfigOptions options = test::options();
  options.mtu = 256;
  Pair pair(options);
  pair.flight(pair.client);
  pair.flight(pair.server);
  auto flight = pair.client.take_datagrams();
  ASSERT_GT(flight.size(), 2U);
  std::ranges::reverse(flight);
  for (auto& datagram : flight) pair.server.receive(std::move(datagram), {});
  EXPECT_TRUE(pair.server.connected) << "without a retransmission";
  EXPECT_EQ(pair.client.connection().statistics().timeouts, 0U);
  EXPECT_EQ(pair.server.connection().statistics().total_discarded(), 0U);
}

}  // namespace
}  // namespace sluice::dtls
