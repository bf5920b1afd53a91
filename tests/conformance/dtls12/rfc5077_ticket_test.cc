// Resumption by tickets, which the server doesn't keep (RFC 5077).
#include "conformance/dtls12/resumption.h"
#include "message/new_session_ticket12.h"

namespace sluice::test {
namespace {

Buffer ticket_body(std::uint32_t lifetime, Bytes ticket) {
  Buffer body;
  dtls::wire::Writer out(body);
  dtls::message::put_new_session_ticket12(out, {std::chrono::seconds{lifetime}, ticket});
  return body;
}

Bytes ticket_of(const ResumableSession& session) { return session.session().ticket; }

// A handshake with the same options that offers the session.
Pair again(const dtls::ConfigOptions& options, const ResumableSession& session, Instant now = {}) {
  return resumed_pair(options, options, session, {}, now);
}

TEST(Rfc5077_3_1, ATicketResumesTheSession) {
  const auto options = ticket_options();
  Pair first = first_pair(options);
  Pair second = again(options, first.client.sessions.at(0));
  EXPECT_TRUE(is_resumed(second));
  EXPECT_EQ(exported(second.client), exported(second.server));
  EXPECT_NE(exported(second.client), exported(first.client));
  // The same ticket is good again.
  ASSERT_EQ(second.client.sessions.size(), 1U);
  EXPECT_EQ(copy_of(ticket_of(second.client.sessions.at(0))),
            copy_of(ticket_of(first.client.sessions.at(0))));
  EXPECT_TRUE(is_resumed(again(options, second.client.sessions.at(0))));
}

TEST(Rfc5077_3_1, ThePeerIsWhoItWas) {
  const auto options = ticket_options();
  Pair first = first_pair(options);
  const Pair pair = again(options, first.client.sessions.at(0));
  const Buffer certificate = copy_of(ecdsa_identity().certificate());
  EXPECT_EQ(pair.client.peer_chain, std::vector<Buffer>{certificate});
  EXPECT_EQ(pair.server.peer_chain, std::vector<Buffer>{certificate});
}

TEST(Rfc5077_3_4, ANewSessionHasATicketAndNoId) {
  const auto options = ticket_options();
  Pair pair(options);
  pair.flight(pair.client);
  const auto flight = pair.server.take_datagrams();
  rewritten(flight.at(0), HandshakeType::server_hello, [](Buffer& body) {
    const auto hello = dtls::message::ServerHello::decode(body);
    EXPECT_TRUE(hello->session_id.empty());
    EXPECT_TRUE(hello->extensions.has(ExtensionType::session_ticket));
  });
  for (const Buffer& datagram : flight) pair.client.receive(datagram, {});
  pair.flight(pair.client);
  EXPECT_EQ(types_in(pair.server.take_datagrams().at(0)),
            std::vector{HandshakeType::new_session_ticket});
}

// So that onlookers can't tell by it that two connections are one client's.
TEST(Rfc5077_3_4, TheIdBesideATicketIsMadeUpEachTime) {
  const auto options = ticket_options();
  Pair first = first_pair(options);
  std::set<Buffer> ids;
  for (int i = 0; i < 3; ++i) {
    Pair pair = second_pair(options, options, first.client.sessions.at(0));
    ids.insert(client_hello_of(pair.client.take_datagrams().at(0)).session_id);
  }
  EXPECT_EQ(ids.size(), 3U);
  EXPECT_EQ(ids.begin()->size(), 32U);
}

TEST(Rfc5077_3_4, AStoreIsNotAskedForTheIdBesideATicket) {
  const auto options = ticket_options();
  Pair first = first_pair(options);
  const Pair pair = resumed_pair(options, store_options(), first.client.sessions.at(0));
  EXPECT_FALSE(pair.server.session_request);
  EXPECT_FALSE(is_resumed(pair));
}

// A server's answer to a client that makes nothing up.
std::vector<HandshakeType> answer_to_ticket(const dtls::ConfigOptions& options, Script script,
                                            Buffer ticket) {
  script.client_hello.extensions.set(ExtensionType::session_ticket, std::move(ticket));
  script.replies = false;
  Duel duel(Role::server, std::move(script), options);
  duel.peer.start();
  for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
  std::vector<HandshakeType> types;
  for (const Buffer& datagram : duel.engine.take_datagrams()) {
    for (const HandshakeType type : types_in(datagram)) types.push_back(type);
  }
  return types;
}

TEST(Rfc5077_3_4, TheIdMayBeEmpty) {
  const auto options = ticket_options();
  Pair first = first_pair(options);
  EXPECT_EQ(answer_to_ticket(options, {}, copy_of(ticket_of(first.client.sessions.at(0)))),
            std::vector{HandshakeType::server_hello});
}

TEST(Rfc5077_3_3, ATicketOfDtls13IsNoneHere) {
  auto options = ticket_options();
  auto newer = options;
  newer.min_version = ProtocolVersion::dtls13;
  newer.max_version = ProtocolVersion::dtls13;
  Pair first(newer);
  first.run();
  ASSERT_EQ(first.client.sessions.size(), 1U);
  EXPECT_EQ(answer_to_ticket(options, {}, copy_of(ticket_of(first.client.sessions.at(0)))).at(1),
            HandshakeType::certificate);
  // The client doesn't offer it either.
  Pair pair = second_pair(options, options, first.client.sessions.at(0));
  EXPECT_TRUE(client_hello_of(pair.client.take_datagrams().at(0)).session_id.empty());
}

TEST(Rfc5077_4, AChangedTicketIsNone) {
  const auto options = ticket_options();
  Pair first = first_pair(options);
  const Buffer whole = first.client.sessions.at(0).serialize();
  // The ticket stands last; its first bytes name the key, its last are the tag.
  for (const std::size_t from_end : {std::size_t{1}, std::size_t{20}, std::size_t{100}}) {
    Buffer changed = whole;
    changed.at(changed.size() - from_end) ^= std::byte{1};
    const Pair pair = again(options, must(ResumableSession::parse(changed)));
    EXPECT_FALSE(is_resumed(pair));
    EXPECT_EQ(pair.client.sessions.size(), 1U) << "and has another ticket";
  }
  EXPECT_TRUE(is_resumed(again(options, must(ResumableSession::parse(whole)))));
  for (const std::size_t size : {std::size_t{1}, std::size_t{44}, std::size_t{12000}}) {
    EXPECT_EQ(answer_to_ticket(options, {}, Buffer(size)).at(1), HandshakeType::certificate);
  }
}

TEST(Rfc5077_4, OtherKeysDontOpenATicket) {
  const auto options = ticket_options();
  Pair first = first_pair(options);
  auto other = options;
  other.ticket_keys = std::make_shared<dtls::TicketKeys>();
  EXPECT_FALSE(is_resumed(resumed_pair(options, other, first.client.sessions.at(0))));
}

TEST(Rfc5077_3_3, TheLifetimeIsTheServers) {
  auto options = ticket_options();
  options.session_lifetime = 1h;
  auto client = options;
  client.session_lifetime = 2h;
  Pair first(client, options);
  first.run();
  const ResumableSession session = first.client.sessions.at(0);
  EXPECT_EQ(session.expires(), Instant{} + 1h);
  EXPECT_TRUE(is_resumed(again(options, session, Instant{} + 1h - 1us)));
  EXPECT_FALSE(is_resumed(again(options, session, Instant{} + 1h)));
}

// A session lives no longer by it: its secret stays the same.
TEST(Rfc5077_3_3, ATicketUnderAnOldKeyIsRenewed) {
  auto options = ticket_options();
  options.ticket_keys = std::make_shared<dtls::TicketKeys>(1h);
  options.session_lifetime = 1h;
  first_pair(options);  // makes the key
  const Instant later = Instant{} + 30min;
  Pair first(options);
  first.client = make_client(make_config(options), later);
  first.server = make_server(make_config(options), later);
  first.run(later);
  const ResumableSession session = first.client.sessions.at(0);
  EXPECT_EQ(session.expires(), later + 1h);
  Pair early = again(options, session, Instant{} + 59min);
  EXPECT_EQ(early.client.sessions.at(0).serialize(), session.serialize());

  const Pair pair = again(options, session, Instant{} + 61min);
  ASSERT_TRUE(is_resumed(pair));
  ASSERT_EQ(pair.client.sessions.size(), 1U);
  const ResumableSession& renewed = pair.client.sessions.at(0);
  EXPECT_NE(copy_of(ticket_of(renewed)), copy_of(ticket_of(session)));
  EXPECT_EQ(renewed.expires(), session.expires());
  const Pair third = again(options, renewed, Instant{} + 62min);
  EXPECT_TRUE(is_resumed(third));
  EXPECT_EQ(third.client.sessions.at(0).serialize(), renewed.serialize());
}

TEST(Rfc5077_3_2, AClientThatDoesNotResumeGetsNoTicket) {
  Pair pair(options12(), ticket_options());
  EXPECT_FALSE(client_hello_of(pair.client.take_datagrams().at(0))
                   .extensions.has(ExtensionType::session_ticket));
  Pair other(options12(), ticket_options());
  other.run();
  ASSERT_TRUE(works(other));
  EXPECT_TRUE(other.client.sessions.empty());
}

TEST(Rfc5077_3_2, AServerWithoutKeysIsRefused) {
  auto server = ticket_options();
  server.ticket_keys.reset();
  const auto made = dtls::Connection::server(make_config(server), environment(), kPath, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::invalid_config);
}

// ---- a scripted server's NewSessionTicket

dtls::ConfigOptions client_options() {
  dtls::ConfigOptions options = options12();
  options.resumption = Resumption::tickets;
  return options;
}

Script with_ticket(Buffer body) {
  Script script;
  script.server_hello.extensions.set(ExtensionType::session_ticket, {});
  script.new_session_ticket = std::move(body);
  return script;
}

TEST(Rfc5077_3_3, TheTicketIsInTheTranscript) {
  Duel duel(Role::client, with_ticket(ticket_body(60, counted(64))), client_options());
  ASSERT_TRUE(works(duel));
  ASSERT_EQ(duel.engine.sessions.size(), 1U);
  EXPECT_EQ(copy_of(ticket_of(duel.engine.sessions.at(0))), counted(64));
  EXPECT_EQ(duel.engine.sessions.at(0).expires(), duel.now + 60s);
}

TEST(Rfc5077_3_3, AnUnspecifiedLifetimeIsOurs) {
  auto options = client_options();
  options.session_lifetime = 3h;
  Duel duel(Role::client, with_ticket(ticket_body(0, counted(64))), options);
  ASSERT_TRUE(works(duel));
  EXPECT_EQ(duel.engine.sessions.at(0).expires(), duel.now + 3h);
}

TEST(Rfc5077_3_3, NobodyKeepsATicketForMoreThanSevenDays) {
  auto options = client_options();
  options.max_session_age = 30 * 24h;  // the proof of the peer would last longer
  Duel duel(Role::client, with_ticket(ticket_body(0xffffffff, counted(64))), options);
  ASSERT_TRUE(works(duel));
  EXPECT_EQ(duel.engine.sessions.at(0).expires(), duel.now + 7 * 24h);
}

// RFC 7627 section 5.4: without the extension a session is not resumed.
TEST(Rfc5077_3_3, ATicketWithoutTheExtendedMasterSecretIsNotKept) {
  auto options = client_options();
  options.extended_master_secret = dtls::ExtendedMasterSecret::request;
  for (const bool extended : {false, true}) {
    Script script = with_ticket(ticket_body(60, counted(64)));
    if (!extended) {
      script.server_hello.extensions.remove(ExtensionType::extended_master_secret);
    }
    Duel duel(Role::client, script, options);
    ASSERT_TRUE(works(duel));
    EXPECT_EQ(duel.engine.sessions.size(), extended ? 1U : 0U);
  }
}

TEST(Rfc5077_3_3, AnEmptyTicketIsNone) {
  for (const bool with_id : {false, true}) {
    Script script = with_ticket(ticket_body(60, {}));
    if (with_id) script.server_hello.session_id = counted(32);
    Duel duel(Role::client, script, client_options());
    ASSERT_TRUE(works(duel));
    EXPECT_EQ(duel.engine.sessions.size(), with_id ? 1U : 0U);
  }
}

// Section 3.3: a server that has announced a ticket may send an empty one. One that contains the
// peer's long identity would not fit.
TEST(Rfc5077_3_3, ASessionThatNoTicketCanHoldGetsAnEmptyOne) {
  for (const std::size_t size : {std::size_t{1000}, std::size_t{40000}}) {
    auto options = ticket_options();
    options.pre_shared_keys = {
        must(dtls::PreSharedKey::make(counted(size), counted(32), dtls::HashAlgorithm::sha256))};
    options.cipher_suites = {dtls::CipherSuite::ecdhe_psk_with_aes_128_gcm_sha256};
    Pair pair(options);
    pair.run();
    ASSERT_TRUE(works(pair));
    EXPECT_EQ(pair.client.sessions.size(), size == 1000 ? 1U : 0U);
  }
}

// Section 3.4: with a ticket the ID is forgotten.
TEST(Rfc5077_3_4, ATicketTakesThePlaceOfTheId) {
  Script script = with_ticket(ticket_body(60, counted(64)));
  script.server_hello.session_id = counted(32);
  Duel duel(Role::client, script, client_options());
  ASSERT_TRUE(works(duel));
  EXPECT_TRUE(duel.engine.sessions.at(0).session().session_id.empty());
}

TEST(Rfc5077_3_3, AMalformedOneIsFatal) {
  Buffer longer = ticket_body(60, counted(4));
  longer.push_back({});
  for (const Buffer& body :
       {Buffer{}, from_hex("0000003c"), from_hex("0000003c 0002 00"), longer}) {
    EXPECT_TRUE(refused(Role::client, with_ticket(body), Errc::decode_error, Alert::decode_error,
                        client_options()));
  }
}

TEST(Rfc5077_3_3, AnAnnouncedOneMustCome) {
  Script script = with_ticket(ticket_body(60, counted(64)));
  script.omitted = {HandshakeType::new_session_ticket};
  EXPECT_TRUE(refused(Role::client, script, Errc::unexpected_message, Alert::unexpected_message,
                      client_options()));
}

// It stands in plaintext where only an encrypted Finished may follow, so anyone can have sent it.
TEST(Rfc5077_3_3, OneThatWasNotAnnouncedIsNotTaken) {
  Script script;
  script.new_session_ticket = ticket_body(60, counted(64));
  Duel duel(Role::client, script, client_options());
  duel.run();
  EXPECT_EQ(discards(duel, Discard::unexpected_content), 1U);
  EXPECT_TRUE(still_waiting(duel));
}

TEST(Rfc5077_3_2, TheAnnouncementMustBeAskedForAndEmpty) {
  EXPECT_TRUE(refused(Role::client, with_ticket(ticket_body(60, counted(64))),
                      Errc::unsupported_extension, Alert::unsupported_extension, options12()));
  Script script = with_ticket(ticket_body(60, counted(64)));
  script.server_hello.extensions.set(ExtensionType::session_ticket, from_hex("00"));
  EXPECT_TRUE(
      refused(Role::client, script, Errc::decode_error, Alert::decode_error, client_options()));
}

}  // namespace
}  // namespace sluice::test
