// Resumption by session IDs, kept in a store of the server's (RFC 5246 sections 7.3 and 7.4.1).
#include "conformance/dtls12/resumption.h"
#include "support/listening_server.h"

namespace sluice::test {
namespace {

// The handshake that leads to a session, and what the server has kept of it.
struct First {
  explicit First(const dtls::ConfigOptions& options) : pair(first_pair(options)) {
    EXPECT_EQ(pair.server.stored.size(), 1U);
  }
  [[nodiscard]] const ResumableSession& offered() const { return pair.client.sessions.at(0); }
  [[nodiscard]] const ResumableSession& stored() const { return pair.server.stored.at(0).session; }

  Pair pair;
};

// Its two meet again: the server has found what the client's hello names, and is about to answer.
Pair meeting_again(const First& first, const dtls::ConfigOptions& options) {
  Pair pair = second_pair(options, options, first.offered());
  pair.flight(pair.client);
  answer_session(pair.server, dtls::ResumeSession{0, first.stored()});
  return pair;
}

dtls::ConfigOptions resumable_psk_options(CipherSuite suite) {
  auto options = store_options();
  options.identities.clear();
  options.pre_shared_keys = {must(dtls::PreSharedKey::make(counted(4), counted(16)))};
  options.cipher_suites = {suite};
  return options;
}

// Whether the same two resume it with other options.
bool resumes(const First& first, const dtls::ConfigOptions& client,
             const dtls::ConfigOptions& server, Instant now = {}) {
  return is_resumed(resumed_pair(client, server, first.offered(), first.stored(), now));
}

TEST(Rfc5246_7_3, ASessionIdResumesTheSession) {
  const auto options = store_options();
  First first(options);
  EXPECT_EQ(first.pair.server.stored.at(0).id.size(), 32U);
  EXPECT_EQ(first.offered().version(), ProtocolVersion::dtls12);
  Pair second = second_pair(options, options, first.offered());
  second.run();
  ASSERT_TRUE(second.server.session_request);
  EXPECT_EQ(second.server.session_request->id, first.pair.server.stored.at(0).id);
  answer_session(second.server,
                 dtls::ResumeSession{0, must(ResumableSession::parse(first.stored().serialize()))});
  second.run();
  ASSERT_TRUE(works(second));
  EXPECT_TRUE(is_resumed(second));
  EXPECT_EQ(exported(second.client), exported(second.server));
  EXPECT_NE(exported(second.client), exported(first.pair.client)) << "the randoms are new";
  // The store has it already; the client is told that it still may use it.
  EXPECT_TRUE(second.server.stored.empty());
  ASSERT_EQ(second.client.sessions.size(), 1U);
  EXPECT_TRUE(
      is_resumed(resumed_pair(options, options, second.client.sessions.at(0), first.stored())));
}

TEST(Rfc5246_7_3, TheServerFinishesFirst) {
  const auto options = store_options();
  const First first(options);
  Pair second = meeting_again(first, options);
  const auto flight = second.server.take_datagrams();
  ASSERT_EQ(flight.size(), 1U);
  EXPECT_EQ(types_in(flight.front()), std::vector{HandshakeType::server_hello});
  second.client.receive(flight.front(), {});
  EXPECT_FALSE(second.server.connected);
  second.flight(second.client);
  EXPECT_TRUE(second.client.connected);
  EXPECT_TRUE(second.server.connected);
}

TEST(Rfc5246_7_3, ThePeerIsWhoItWas) {
  const auto options = store_options();
  const First first(options);
  const Pair pair = resumed_pair(options, options, first.offered(), first.stored());
  const Buffer certificate = copy_of(ecdsa_identity().certificate());
  EXPECT_EQ(pair.client.peer_chain, std::vector<Buffer>{certificate});
  EXPECT_EQ(pair.server.peer_chain, std::vector<Buffer>{certificate});
}

TEST(Rfc5246_7_3, APeerThatIsNotMeantAnyMoreIsRefused) {
  const auto options = store_options();
  const First first(options);
  const auto other =
      must(dtls::Fingerprint::of(counted(100), dtls::HashAlgorithm::sha256, environment()));
  Pair pair = second_pair(options, options, first.offered());
  pair.client.settle(pair.client.connection().set_peer_fingerprints(std::array{other}, {}), {});
  pair.run();
  answer_session(pair.server, dtls::ResumeSession{0, first.stored()});
  pair.run();
  EXPECT_TRUE(failed(pair.client, Errc::peer_rejected, Alert::bad_certificate));
  EXPECT_FALSE(pair.server.connected);
}

TEST(Rfc5246_7_4_1_2, ASessionThatIsGoneMeansAFullHandshake) {
  const auto options = store_options();
  const First first(options);
  const Pair pair = resumed_pair(options, options, first.offered());
  EXPECT_FALSE(is_resumed(pair));
  ASSERT_EQ(pair.server.stored.size(), 1U);
  EXPECT_NE(pair.server.stored.at(0).id, first.pair.server.stored.at(0).id);
}

// Nothing blocks: the client repeats its hello meanwhile, which changes nothing.
TEST(Rfc5246_7_4_1_2, TheAnswerMayComeLate) {
  const auto options = store_options();
  const First first(options);
  Pair pair = second_pair(options, options, first.offered());
  VirtualNetwork network({}, 1);
  network.run_handshake(pair.client, pair.server, 20s);
  ASSERT_TRUE(pair.server.session_request);
  EXPECT_FALSE(pair.client.connected);
  EXPECT_GT(pair.client.connection().statistics().flights_retransmitted, 1U);
  answer_session(pair.server, dtls::ResumeSession{0, first.stored()}, network.now());
  network.run_handshake(pair.client, pair.server, 20s);
  ASSERT_TRUE(works(pair));
  EXPECT_TRUE(is_resumed(pair));
}

TEST(Rfc5246_7_4_1_2, OnlyAnAnswerThatFitsIsTaken) {
  const auto options = store_options();
  const First first(options);
  Pair pair = second_pair(options, options, first.offered());
  pair.run();
  const auto question = pair.server.session_request.value().question.id();
  for (const dtls::Answer& wrong : {dtls::Answer(dtls::NoPsk{}), dtls::Answer(dtls::AcceptPeer{}),
                                    dtls::Answer(dtls::ResumeSession{1, first.stored()})}) {
    const auto outcome = pair.server.connection().answer(question, wrong, {});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Errc::invalid_argument);
  }
  answer_session(pair.server, dtls::NoSession{});
  pair.run();
  EXPECT_TRUE(works(pair));
}

TEST(Rfc5246_F_1_4, ASessionHasALifetime) {
  auto options = store_options();
  options.session_lifetime = 1h;
  const First first(options);
  EXPECT_EQ(first.offered().expires(), Instant{} + 1h);
  EXPECT_TRUE(resumes(first, options, options, Instant{} + 1h - 1us));
  EXPECT_FALSE(resumes(first, options, options, Instant{} + 1h));
  // Nor does a server take one that its client, whose clock stands still, believes to be alive.
  Pair pair = second_pair(options, options, first.offered());
  pair.flight(pair.client, Instant{} + 1h);
  answer_session(pair.server, dtls::ResumeSession{0, first.stored()}, Instant{} + 1h);
  pair.run(Instant{} + 1h);
  ASSERT_TRUE(works(pair));
  EXPECT_FALSE(is_resumed(pair));
}

TEST(Rfc5246_7_4_1_2, TheCipherSuiteMustStillBeWanted) {
  auto options = store_options();
  options.cipher_suites = {CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256,
                           CipherSuite::ecdhe_ecdsa_with_chacha20_poly1305_sha256};
  const First first(options);
  auto without = options;
  without.cipher_suites.erase(without.cipher_suites.begin());
  EXPECT_FALSE(resumes(first, options, without));
  EXPECT_FALSE(resumes(first, without, options));
  // It is the session's own, whatever the server prefers.
  auto other_order = options;
  std::ranges::reverse(other_order.cipher_suites);
  EXPECT_TRUE(resumes(first, options, other_order));
}

TEST(Rfc5246_7_4_1_3, AnotherSuiteForTheSameSessionIsRefused) {
  const auto options = store_options();
  const First first(options);
  Pair pair = meeting_again(first, options);
  const auto flight = pair.server.take_datagrams();
  pair.client.receive(rewritten(flight.at(0), HandshakeType::server_hello,
                                [](Buffer& body) {
                                  // Behind version, random and session ID.
                                  body.at(2 + 32 + 1 + 32 + 1) ^= std::byte{0x07};
                                }),
                      {});
  EXPECT_TRUE(failed(pair.client, Errc::illegal_parameter, Alert::illegal_parameter));
}

TEST(Rfc6066_3_Names, ASessionIsResumedUnderItsNameAlone) {
  auto options = store_options();
  options.server_name = "a.example";
  const First first(options);
  auto other = options;
  other.server_name = "b.example";
  EXPECT_TRUE(resumes(first, options, options));
  EXPECT_FALSE(resumes(first, other, options));
  // A client that would offer it all the same.
  Pair pair = second_pair(options, options, first.offered());
  const auto hello = pair.client.take_datagrams();
  pair.server.receive(rewritten(hello.at(0), HandshakeType::client_hello,
                                [](Buffer& body) {
                                  const auto name = bytes_of("a.example");
                                  const auto found = std::ranges::search(body, name);
                                  ASSERT_FALSE(found.empty());
                                  found.front() = std::byte{'b'};
                                }),
                      {});
  answer_session(pair.server, dtls::ResumeSession{0, first.stored()});
  EXPECT_EQ(types_in(pair.server.take_datagrams().at(0)).at(1), HandshakeType::certificate);
}

TEST(Rfc5764_4_1_Resumed, ProfileAndProtocolAreAgreedOnAnew) {
  auto options = store_options();
  options.application_protocols = {"a", "b"};
  const First first(options);
  EXPECT_EQ(first.pair.client.connected->srtp_profile, SrtpProfile::aead_aes_256_gcm);
  auto server = options;
  server.srtp_profiles = {SrtpProfile::aes128_cm_hmac_sha1_80};
  server.application_protocols = {"b"};
  const Pair pair = resumed_pair(options, server, first.offered(), first.stored());
  ASSERT_TRUE(is_resumed(pair));
  for (const auto& info : {pair.client.connected, pair.server.connected}) {
    EXPECT_EQ(info->srtp_profile, SrtpProfile::aes128_cm_hmac_sha1_80);
    EXPECT_EQ(info->application_protocol, "b");
    EXPECT_EQ(info->cipher_suite, first.pair.client.connected->cipher_suite);
    EXPECT_EQ(info->group, first.pair.client.connected->group) << "of the first handshake";
  }
}

TEST(Rfc5246_7_3, AServerThatNowWantsCertificatesTakesNoSessionWithout) {
  auto anonymous = store_options();
  anonymous.peer_authentication = dtls::PeerAuthentication::none;
  // A given policy leaves the checks beneath it.
  anonymous.policy_id = dtls::Buffer(1);
  const First first(anonymous);
  auto strict = anonymous;
  strict.peer_authentication = dtls::PeerAuthentication::require;
  EXPECT_FALSE(resumes(first, strict, strict));
  EXPECT_TRUE(resumes(first, anonymous, anonymous));
}

// Neither version takes a session of the other.
TEST(Rfc8446_2_2_Versions, ASessionKeepsToItsVersion) {
  const auto options = store_options();
  const First first(options);
  auto both = options;
  both.max_version = ProtocolVersion::dtls13;
  EXPECT_TRUE(resumes(first, both, options));
  Pair newer = second_pair(both, both, first.offered());
  newer.run();
  ASSERT_TRUE(works(newer));
  EXPECT_EQ(newer.client.connected->version, ProtocolVersion::dtls13);
  EXPECT_FALSE(is_resumed(newer));
  // RFC 9147 section 5.3: who can't speak 1.2 doesn't name one of its sessions.
  auto only13 = both;
  only13.min_version = ProtocolVersion::dtls13;
  Pair newest = second_pair(only13, only13, first.offered());
  EXPECT_TRUE(client_hello_of(newest.client.take_datagrams().at(0)).session_id.empty());
  // Nor does a server, whatever its store says.
  Pair of13(only13);
  of13.run();
  ASSERT_EQ(of13.server.stored.size(), 1U);
  EXPECT_FALSE(is_resumed(
      resumed_pair(options, options, first.offered(), of13.server.stored.at(0).session)));
}

TEST(Rfc4279_Resumed, ASessionOfAPskResumes) {
  for (const CipherSuite suite :
       {CipherSuite::psk_with_aes_128_ccm_8, CipherSuite::ecdhe_psk_with_aes_128_gcm_sha256}) {
    const auto options = resumable_psk_options(suite);
    const First first(options);
    const Pair pair = resumed_pair(options, options, first.offered(), first.stored());
    EXPECT_TRUE(is_resumed(pair));
    EXPECT_TRUE(pair.client.connected->psk && pair.server.connected->psk);
    EXPECT_TRUE(pair.server.peer_chain.empty());
  }
}

TEST(Rfc7366_Resumed, ASuiteOfCbcResumes) {
  const auto options = resumable_psk_options(CipherSuite::psk_with_aes_128_cbc_sha256);
  const First first(options);
  EXPECT_TRUE(resumes(first, options, options));
}

// What the store has under that name is another session: the keys differ, so that nothing opens.
TEST(Rfc5246_7_3, AnotherSessionOfTheStoreIsOfNoUse) {
  const auto options = store_options();
  const First first(options);
  const First other(options);
  Pair pair = second_pair(options, options, first.offered());
  pair.run();
  answer_session(pair.server, dtls::ResumeSession{0, other.stored()});
  pair.run();
  EXPECT_FALSE(pair.client.connected || pair.server.connected);
  EXPECT_GT(discards(pair.client, Discard::authentication_failed), 0U);
}

TEST(Rfc5246_7_4_1_2, WhoDoesNotResumeNeitherOffersNorTakes) {
  const auto options = store_options();
  const First first(options);
  Pair silent = second_pair(options12(), options, first.offered());
  EXPECT_TRUE(client_hello_of(silent.client.take_datagrams().at(0)).session_id.empty());
  Pair deaf = second_pair(options, options12(), first.offered());
  deaf.run();
  ASSERT_TRUE(works(deaf));
  EXPECT_FALSE(deaf.server.session_request);
  EXPECT_FALSE(is_resumed(deaf));
  EXPECT_TRUE(deaf.client.sessions.empty());
  EXPECT_TRUE(deaf.server.stored.empty());
}

TEST(Rfc5246_7_3, IsToldOfOnlyOnceThePeerIsAccepted) {
  Pair pair = unaccepted_pair(store_options());
  EXPECT_TRUE(pair.client.sessions.empty());
  EXPECT_TRUE(pair.server.stored.empty());
  for (Peer* peer : {&pair.client, &pair.server}) {
    peer->settle(peer->connection().answer(*peer->question, dtls::AcceptPeer{}, Instant{}), {});
    EXPECT_TRUE(peer->connected);
  }
  EXPECT_EQ(pair.client.sessions.size(), 1U);
  EXPECT_EQ(pair.server.stored.size(), 1U);
}

// ---- loss (RFC 6347 section 4.2.4): here the client sends the last flight.

struct Timed {
  Timed() : options(store_options()), first(options) {
    pair.emplace(meeting_again(first, options));
  }
  void expire(Peer& peer) {
    const auto at = peer.connection().next_timeout().value();
    now = std::max(now, at);
    peer.settle(peer.connection().handle_timeout(now), now);
  }

  dtls::ConfigOptions options;
  First first;
  std::optional<Pair> pair;
  Instant now{};
};

TEST(Rfc6347_4_2_4_Resumed, ALostFinishedOfTheClientComesAgain) {
  Timed timed;
  Pair& pair = *timed.pair;
  pair.flight(pair.server);
  EXPECT_FALSE(pair.client.take_datagrams().empty());  // and lost
  ASSERT_TRUE(pair.client.connected);
  timed.expire(pair.server);
  pair.flight(pair.server, timed.now);
  EXPECT_EQ(pair.flight(pair.client, timed.now), 1U);
  EXPECT_TRUE(works(pair));
}

TEST(Rfc6347_4_2_4_Resumed, ALostFlightOfTheServerComesAgain) {
  Timed timed;
  Pair& pair = *timed.pair;
  EXPECT_FALSE(pair.server.take_datagrams().empty());  // and lost
  timed.expire(pair.client);
  pair.run(timed.now);
  EXPECT_TRUE(works(pair));
}

TEST(Rfc6347_4_2_4_Resumed, TheClientKeepsItsFlightForTwiceTheLifetimeOfASegment) {
  Timed timed;
  Pair& pair = *timed.pair;
  pair.flight(pair.server);
  pair.flight(pair.client);
  EXPECT_EQ(pair.client.connection().next_timeout(), Instant{} + 4min);
  EXPECT_FALSE(pair.server.connection().next_timeout()) << "the server has nothing to repeat";
  // Data shows that it has come.
  pair.client.receive(pair.server.seal(bytes_of("data")), {});
  EXPECT_FALSE(pair.client.connection().next_timeout());
}

// ---- behind a cookie (RFC 6347 section 4.2.1)

TEST(Rfc6347_4_2_1_Resumed, TheSecondHelloNamesTheSessionAgain) {
  const auto options = store_options();
  const First first(options);
  ListeningServer server(make_config(options));
  Peer client = make_client(make_config(options), {}, first.offered());
  const Buffer address = counted(6);
  exchange(client, address, server);
  Peer* connection = server.connection(address);
  ASSERT_NE(connection, nullptr);
  answer_session(*connection, dtls::ResumeSession{0, first.stored()});
  for (Buffer& datagram : connection->take_datagrams()) client.receive(std::move(datagram), {});
  exchange(client, address, server);
  ASSERT_TRUE(works(client, address, server));
  EXPECT_TRUE(client.connected->resumed);
}

}  // namespace
}  // namespace sluice::test
