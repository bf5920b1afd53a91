// Resumption by tickets (RFC 8446 sections 2.2 and 4.6.1).
#include <algorithm>

#include "conformance/dtls13/vocabulary.h"
#include "message/new_session_ticket13.h"
#include "negotiation/stored_session.h"
#include "support/authority.h"
#include "support/middlebox.h"
#include "support/resumption.h"

namespace sluice::test {
namespace {

dtls::ConfigOptions store_options() { return with_store(options13()); }
dtls::ConfigOptions ticket_options() { return with_tickets(options13()); }

ResumableSession first_session(const dtls::ConfigOptions& options) {
  return first_pair(options).client.sessions.at(0);
}

// One more handshake with the same options, that offers the session.
Pair again(const dtls::ConfigOptions& options, const ResumableSession& session, Instant now = {}) {
  return resumed_pair(options, options, session, {}, now);
}

TEST(Rfc8446_2_2, ATicketResumesTheSession) {
  const auto options = ticket_options();
  Pair first = first_pair(options);
  Pair second = again(options, first.client.sessions.at(0));
  EXPECT_TRUE(is_resumed(second));
  EXPECT_TRUE(second.client.connected->psk && second.server.connected->psk);
  EXPECT_EQ(exported(second.client), exported(second.server));
  EXPECT_NE(exported(second.client), exported(first.client));
  // And it goes on: each session has a ticket of its own.
  ASSERT_EQ(second.client.sessions.size(), 1U);
  EXPECT_TRUE(is_resumed(again(options, second.client.sessions.at(0))));
}

TEST(Rfc8446_2_2, ThePeerIsWhoItWas) {
  const auto options = ticket_options();
  const auto session = first_session(options);
  const Pair pair = again(options, session);
  const Buffer certificate = copy_of(ecdsa_identity().certificate());
  EXPECT_EQ(pair.client.peer_chain, std::vector<Buffer>{certificate});
  EXPECT_EQ(pair.server.peer_chain, std::vector<Buffer>{certificate});
}

TEST(Rfc8446_2_2, APeerThatIsNotMeantAnyMoreIsRefused) {
  const auto options = ticket_options();
  const auto session = first_session(options);
  Pair pair = second_pair(options, options, session);
  const auto other =
      must(dtls::Fingerprint::of(counted(100), dtls::HashAlgorithm::sha256, environment()));
  pair.server.settle(pair.server.connection().set_peer_fingerprints(std::array{other}, Instant{}),
                     {});
  pair.run();
  ASSERT_TRUE(pair.server.error);
  EXPECT_EQ(pair.server.error->code, Errc::peer_rejected);
  EXPECT_FALSE(pair.server.connected);
}

TEST(Rfc8446_2_2, AClientWithoutTheSessionHandshakesInFull) {
  const auto options = ticket_options();
  first_session(options);
  EXPECT_FALSE(is_resumed(connected_pair(options)));
}

TEST(Rfc8446_2_2, ResumesAcrossAHelloRetryRequest) {
  auto client = ticket_options();
  const auto session = first_session(client);
  auto server = client;
  server.groups = {dtls::NamedGroup::secp384r1};
  Pair pair = second_pair(client, server, session);
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_TRUE(is_resumed(pair));
}

TEST(Rfc8446_4_6_1, ATicketHasALifetime) {
  auto options = ticket_options();
  options.session_lifetime = 1h;
  const auto session = first_session(options);
  EXPECT_EQ(session.expires(), Instant{} + 1h);
  EXPECT_TRUE(is_resumed(again(options, session, Instant{} + 1h - 1us)));
  EXPECT_FALSE(is_resumed(again(options, session, Instant{} + 1h)));
}

// The client's clock may stand still: the server has its own.
TEST(Rfc8446_4_6_1, TheServerHoldsToTheLifetimeToo) {
  auto options = ticket_options();
  options.session_lifetime = 1h;
  const auto session = first_session(options);
  Pair pair = second_pair(options, options, session);
  pair.run(Instant{} + 1h);
  ASSERT_TRUE(works(pair));
  EXPECT_FALSE(is_resumed(pair));
}

TEST(Rfc8446_4_6_1, OtherKeysDontOpenATicket) {
  const auto options = ticket_options();
  const auto session = first_session(options);
  auto other = options;
  other.ticket_keys = std::make_shared<dtls::TicketKeys>();
  Pair pair = second_pair(options, other, session);
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_FALSE(is_resumed(pair));
}

TEST(Rfc8446_4_6_1, AChangedTicketIsNone) {
  const auto options = ticket_options();
  const auto session = first_session(options);
  const Buffer whole = session.serialize();
  // The ticket stands last; its first bytes name the key, its last are the tag.
  for (const std::size_t from_end : {std::size_t{1}, std::size_t{20}, std::size_t{100}}) {
    Buffer changed = whole;
    changed.at(changed.size() - from_end) ^= std::byte{1};
    EXPECT_FALSE(is_resumed(again(options, must(ResumableSession::parse(changed)))));
  }
  EXPECT_TRUE(is_resumed(again(options, must(ResumableSession::parse(whole)))));
}

TEST(Rfc8446_4_6_1, AServerThatNowWantsCertificatesTakesNoSessionWithout) {
  auto anonymous = ticket_options();
  anonymous.peer_authentication = dtls::PeerAuthentication::none;
  // A given policy leaves the checks beneath it.
  anonymous.policy_id = dtls::Buffer(1);
  const auto session = first_session(anonymous);
  auto strict = anonymous;
  strict.peer_authentication = dtls::PeerAuthentication::require;
  EXPECT_FALSE(is_resumed(again(strict, session)));
  EXPECT_TRUE(is_resumed(again(anonymous, session)));
}

// RFC 8446 section 4.2.10 and BoringSSL's choice: another suite will do, another hash won't.
// Nor one that has grown out of such a session in the meantime.
TEST(Rfc8446_4_6_1, AnAnonymousSessionStaysAnonymous) {
  auto server = ticket_options();
  server.peer_authentication = dtls::PeerAuthentication::none;
  server.policy_id = dtls::Buffer(1);
  const auto client = server;
  const auto session = first_session(server);
  Pair second = again(server, session);
  EXPECT_TRUE(is_resumed(second));
  server.peer_authentication = dtls::PeerAuthentication::require;
  Pair third = second_pair(client, server, second.client.sessions.at(0));
  third.run();
  EXPECT_TRUE(works(third));
  EXPECT_FALSE(is_resumed(third));
}

// A chain isn't shown again: it must have been verified, by the name that is expected now.
TEST(Rfc8446_4_6_1, AServerThatVerifiesTakesOnlyVerifiedSessions) {
  const Authority root("root");
  auto client = ticket_options();
  client.identities = {root.issue({})};
  client.policy_id = dtls::Buffer(1);
  auto server = client;
  const auto unverified = first_session(server);
  server.peer_authentication = dtls::PeerAuthentication::require_and_verify;
  server.trust_store = root.store();
  Pair full = second_pair(client, server, unverified);
  full.run();
  EXPECT_TRUE(works(full));
  EXPECT_FALSE(is_resumed(full));
  Pair short_one = second_pair(client, server, full.client.sessions.at(0));
  short_one.run();
  EXPECT_TRUE(works(short_one));
  EXPECT_TRUE(is_resumed(short_one));
  EXPECT_FALSE(short_one.server.question);
}

TEST(Rfc8446_4_6_1, AClientThatVerifiesResumesUnderTheSameNameAlone) {
  const Authority root("root");
  auto server = ticket_options();
  server.identities = {root.issue({.alternative = "DNS:a.example, DNS:b.example"})};
  server.policy_id = dtls::Buffer(1);
  auto client = server;
  client.peer_authentication = dtls::PeerAuthentication::require_and_verify;
  client.trust_store = root.store();
  client.peer_name = "a.example";
  Pair first = second_pair(client, server, first_session(server));
  first.run();
  EXPECT_TRUE(works(first));
  EXPECT_FALSE(is_resumed(first)) << "it wasn't verified";
  for (const bool same : {true, false}) {
    client.peer_name = same ? "a.example" : "b.example";
    Pair second = second_pair(client, server, first.client.sessions.at(0));
    second.run();
    EXPECT_TRUE(works(second));
    EXPECT_EQ(is_resumed(second), same);
  }
}

TEST(Rfc8446_4_6_1, TheHashOfTheSessionStays) {
  auto options = ticket_options();
  const auto session = first_session(options);
  options.cipher_suites = {dtls::CipherSuite::chacha20_poly1305_sha256};
  EXPECT_TRUE(is_resumed(again(options, session)));
  options.cipher_suites = {dtls::CipherSuite::aes_256_gcm_sha384};
  EXPECT_FALSE(is_resumed(again(options, session)));
}

// RFC 8446 section 4.2.9: who couldn't use it gets none.
TEST(Rfc8446_4_6_1, AClientThatDoesNotResumeGetsNoTicket) {
  const auto server = ticket_options();
  Pair pair(options13());
  pair.server = make_server(make_config(server));
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_TRUE(pair.client.sessions.empty());
  EXPECT_EQ(pair.server.connection().next_timeout(), Instant{} + 4min) << "nothing to repeat";
}

TEST(Rfc8446_4_6_1, IsToldOfOnlyOnceThePeerIsAccepted) {
  Pair pair = unaccepted_pair(ticket_options());
  EXPECT_TRUE(pair.client.sessions.empty());
  pair.client.settle(
      pair.client.connection().answer(*pair.client.question, dtls::AcceptPeer{}, Instant{}), {});
  EXPECT_TRUE(pair.client.connected);
  EXPECT_EQ(pair.client.sessions.size(), 1U);
}

// RFC 9147 section 5.8.4: it is a flight of its own.
TEST(Rfc9147_5_8_4, ALostTicketComesAgain) {
  Pair pair(ticket_options());
  pair.flight(pair.client);
  pair.flight(pair.server);
  pair.flight(pair.client);
  pair.server.take_datagrams();  // the ACK and the ticket are lost
  EXPECT_TRUE(pair.client.sessions.empty());
  VirtualNetwork network({}, 1);
  network.run_until(pair.client, pair.server, Instant{} + 1min);
  EXPECT_EQ(pair.client.sessions.size(), 1U);
  EXPECT_EQ(pair.server.connection().next_timeout(), Instant{} + 4min) << "more than old keys";
}

Buffer ticket_body(std::uint32_t lifetime, Bytes ticket) {
  Buffer body;
  dtls::wire::Writer out(body);
  dtls::message::put_new_session_ticket13(out,
                                          {std::chrono::seconds{lifetime}, 7, counted(1), ticket});
  return body;
}

// A ticket that the server makes up; its own was message 5 of certificates both ways.
void send_ticket(Pair& pair, unsigned seq, Bytes body) {
  pair.client.receive(sealed(pair.server, kFirstApplicationEpoch13, ContentType::handshake,
                             message_of(HandshakeType::new_session_ticket, seq, body)),
                      {});
}

// RFC 9147 section 7, figure 12: until then the client may expect nothing after the handshake.
TEST(Rfc9147_7, TheLastFlightIsAcknowledgedBeforeATicketFollows) {
  TimedPair pair(ticket_options());
  for (const Role from : {Role::client, Role::server, Role::client}) pair.carry(from);
  const auto sent = pair.server.take_datagrams();
  ASSERT_EQ(sent.size(), 2U);
  pair.deliver({sent[0]}, Role::client);
  EXPECT_TRUE(pair.client.sessions.empty());
  EXPECT_TRUE(pair.wait(Role::client, 10s).empty()) << "nothing is left to be repeated";
  pair.deliver({sent[1]}, Role::client);
  EXPECT_EQ(pair.client.sessions.size(), 1U);
}

constexpr unsigned kNextServerSeq = 7;

// A ClientHello must have room for it, beside all else.
TEST(Rfc8446_4_6_1, ATicketThatNoClientHelloCanHoldIsNotKept) {
  constexpr std::size_t kMax = dtls::handshake::StoredSession::kMaxTicket;
  const auto options = ticket_options();
  for (const std::size_t size : {kMax, kMax + 1, std::size_t{65460}, std::size_t{65500}}) {
    Pair pair = first_pair(options);
    const Buffer body = ticket_body(60, counted(size));
    constexpr std::size_t kPiece = 16000;
    for (std::size_t at = 0; at < body.size(); at += kPiece) {
      const Bytes piece = Bytes(body).subspan(at, std::min(kPiece, body.size() - at));
      pair.client.receive(sealed(pair.server, kFirstApplicationEpoch13, ContentType::handshake,
                                 fragment_of(HandshakeType::new_session_ticket, kNextServerSeq,
                                             static_cast<std::uint32_t>(body.size()),
                                             static_cast<std::uint32_t>(at), piece)),
                          {});
    }
    EXPECT_FALSE(pair.client.error);
    const std::size_t kept = size > kMax ? 1 : 2;
    ASSERT_EQ(pair.client.sessions.size(), kept) << size;
    EXPECT_FALSE(is_resumed(again(options, pair.client.sessions.back())) && kept == 2);
  }
}

// A ticket contains the peer's identity. The session of one with a long identity has none.
TEST(Rfc8446_4_6_1, ASessionThatNoTicketCanHoldGetsNone) {
  for (const std::size_t size : {std::size_t{1000}, std::size_t{40000}}) {
    auto options = ticket_options();
    options.pre_shared_keys = {
        must(dtls::PreSharedKey::make(counted(size), counted(32), dtls::HashAlgorithm::sha256))};
    Pair pair(options);
    pair.run();
    ASSERT_TRUE(works(pair));
    EXPECT_EQ(pair.client.sessions.size(), size == 1000 ? 1U : 0U);
  }
}

// A ClientHello has room for the ticket or for the Config's PSK, so the handshake is a full one.
TEST(Rfc8446_4_6_1, ATicketWithoutRoomBesideTheOfferIsLeftOut) {
  auto options = ticket_options();
  auto stored = first_session(options).session().clone();
  stored.ticket = counted(dtls::handshake::StoredSession::kMaxTicket);
  const auto session = dtls::handshake::to_resumable(std::move(stored));
  options.pre_shared_keys = {must(dtls::PreSharedKey::make(counted(40000), counted(32)))};
  Pair pair = second_pair(options, options, session.value());
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_FALSE(is_resumed(pair));
  EXPECT_TRUE(pair.client.connected->psk);
}

// A ClientHello has no room for both, so none is sent.
TEST(Rfc8446_4_1_2, AHelloWithoutRoomForTheOfferIsAnError) {
  auto options = options13();
  for (const std::size_t first : {std::size_t{1}, std::size_t{2}}) {
    Buffer identity = counted(40000);
    identity[0] = static_cast<std::byte>(first);
    options.pre_shared_keys.push_back(
        must(dtls::PreSharedKey::make(identity, counted(32), dtls::HashAlgorithm::sha256)));
  }
  const auto client = dtls::Connection::client(make_config(options), environment(), kPath, {});
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, Errc::excessive_message);
  EXPECT_EQ(client.error().alert, Alert::internal_error);
  EXPECT_EQ(client.error().detail.view(), "ClientHello: no room for all that is offered");
}

// Sections 4.6.3 and 5.1: what follows a KeyUpdate comes under the new keys.
TEST(Rfc8446_5_1, AMessageBehindAKeyUpdateUnderTheSameKeysIsFatal) {
  const Buffer update = message_of(HandshakeType::key_update, kNextServerSeq, from_hex("00"));
  const Buffer ticket = message_of(HandshakeType::new_session_ticket, kNextServerSeq + 1,
                                   ticket_body(1, counted(32)));
  for (const bool overtakes : {false, true}) {
    Pair pair = first_pair(ticket_options());
    const auto send = [&](Bytes contents) {
      pair.client.receive(
          sealed(pair.server, kFirstApplicationEpoch13, ContentType::handshake, contents), {});
    };
    if (overtakes) send(ticket);
    EXPECT_FALSE(pair.client.error);
    send(overtakes ? update : joined({update, ticket}));
    EXPECT_TRUE(failed(pair.client, Errc::unexpected_message, Alert::unexpected_message));
    EXPECT_EQ(pair.client.sessions.size(), 1U);
  }
}

TEST(Rfc8446_4_6_1, AClientKeepsNoneLongerThanSevenDays) {
  auto options = ticket_options();
  options.max_session_age = 30 * 24h;  // the proof of the peer would last longer
  Pair pair = first_pair(options);
  send_ticket(pair, kNextServerSeq, ticket_body(0xffffffff, counted(32)));
  ASSERT_EQ(pair.client.sessions.size(), 2U);
  EXPECT_EQ(pair.client.sessions[1].expires(), Instant{} + 7 * 24h);
}

// A client that has not accepted its server yet keeps a few.
TEST(Rfc8446_4_6_1, TheTicketsThatWaitForTheAcceptanceAreBounded) {
  Pair pair = unaccepted_pair(ticket_options());
  for (unsigned i = 0; i < 40; ++i) {
    send_ticket(pair, kNextServerSeq + i, ticket_body(60, counted(32)));
    ASSERT_FALSE(pair.client.error);
  }
  for (Peer* peer : {&pair.client, &pair.server}) {
    peer->settle(peer->connection().answer(*peer->question, dtls::AcceptPeer{}, Instant{}), {});
  }
  EXPECT_TRUE(works(pair));
  EXPECT_LE(pair.client.sessions.size(), 8U);
  EXPECT_GE(pair.client.sessions.size(), 1U);
}

TEST(Rfc8446_4_6_1, ALifetimeOfZeroIsNone) {
  Pair pair = first_pair(ticket_options());
  send_ticket(pair, kNextServerSeq, ticket_body(0, counted(32)));
  EXPECT_EQ(pair.client.sessions.size(), 1U);
  EXPECT_FALSE(pair.client.error);
}

TEST(Rfc8446_4_6_1, AMalformedOneIsFatal) {
  Pair pair = first_pair(ticket_options());
  send_ticket(pair, kNextServerSeq, ticket_body(1, {}));
  ASSERT_TRUE(pair.client.error);
  EXPECT_EQ(pair.client.error->alert, Alert::decode_error);
}

TEST(Rfc8446_4_6_1, AServerTakesNone) {
  Pair pair = first_pair(ticket_options());
  pair.server.receive(
      sealed(pair.client, kFirstApplicationEpoch13, ContentType::handshake,
             message_of(HandshakeType::new_session_ticket, 4, ticket_body(1, counted(8)))),
      {});
  ASSERT_TRUE(pair.server.error);
  EXPECT_EQ(pair.server.error->alert, Alert::unexpected_message);
}

// ---- a store

TEST(ResumptionStore, ResumesWhatItFinds) {
  const auto options = store_options();
  Pair first = first_pair(options);
  ASSERT_EQ(first.server.stored.size(), 1U);
  const auto& [id, kept] = first.server.stored.front();
  Pair second = second_pair(options, options, first.client.sessions.at(0));
  second.run();
  ASSERT_TRUE(second.server.psk_request);
  EXPECT_EQ(second.server.psk_request->identities, std::vector<Buffer>{id});
  answer_psk(second.server,
             dtls::ResumeSession{0, must(ResumableSession::parse(kept.serialize()))});
  second.run();
  ASSERT_TRUE(works(second));
  EXPECT_TRUE(is_resumed(second));
}

TEST(ResumptionStore, AnEntryThatIsGoneMeansAFullHandshake) {
  const auto options = store_options();
  Pair second = second_pair(options, options, first_session(options));
  second.run();
  answer_psk(second.server, dtls::NoPsk{});
  second.run();
  ASSERT_TRUE(works(second));
  EXPECT_FALSE(is_resumed(second));
}

TEST(ResumptionStore, AnotherEntryIsRefused) {
  const auto options = store_options();
  Pair first = first_pair(options);
  Pair other = first_pair(options);
  Pair second = second_pair(options, options, first.client.sessions.at(0));
  second.run();
  answer_psk(second.server, dtls::ResumeSession{0, other.server.stored.at(0).session});
  EXPECT_TRUE(failed(second.server, Errc::psk_mismatch, Alert::decrypt_error, second.client));
}

TEST(ResumableSession, IsNotParsedFromAnythingElse) {
  const Buffer whole = first_session(ticket_options()).serialize();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ResumableSession::parse(Bytes(whole).first(size))) << size;
  }
  Buffer longer = whole;
  longer.push_back({});
  EXPECT_FALSE(ResumableSession::parse(longer));
  Buffer other_format = whole;
  other_format.front() = std::byte{0xff};
  EXPECT_FALSE(ResumableSession::parse(other_format));
}

}  // namespace
}  // namespace sluice::test
