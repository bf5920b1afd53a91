// A session is resumed only where the peer would have been accepted in the same way, and not for
// ever (RFC 8446 section 4.6.1). In both versions, roles, and by tickets and stores.
#include "support/authority.h"
#include "support/hello_fields.h"
#include "support/resumption.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

using dtls::Alert;
using dtls::ConfigOptions;
using dtls::Errc;
using dtls::PeerAuthentication;
using dtls::Role;

const CertificateText kPeerText{.alternative = "DNS:peer.example"};

const Authority& one() {
  static const Authority kAuthority("one");
  return kAuthority;
}
const Authority& other() {
  static const Authority kAuthority("other");
  return kAuthority;
}

const std::shared_ptr<dtls::TicketKeys>& shared_keys() {
  static const auto kKeys = std::make_shared<dtls::TicketKeys>();
  return kKeys;
}

class SessionPolicy : public ByVersion {
 protected:
  // Shares its tickets with all others.
  static ConfigOptions plain() {
    ConfigOptions options = with_tickets(ByVersion::options());
    options.ticket_keys = shared_keys();
    options.identities = {one().issue(kPeerText)};
    return options;
  }
  static ConfigOptions verifying(const Authority& authority) {
    ConfigOptions options = plain();
    options.peer_authentication = PeerAuthentication::require_and_verify;
    options.trust_store = authority.store();
    options.peer_name = "peer.example";
    return options;
  }
  static ConfigOptions with_psk(ConfigOptions options) {
    options.pre_shared_keys = {must(dtls::PreSharedKey::make(bytes_of("device 1"), counted(32)))};
    return options;
  }
  static dtls::PreSharedKey psk(std::string_view identity, unsigned seed) {
    return must(dtls::PreSharedKey::make(bytes_of(identity), dtls::Buffer(32, std::byte(seed))));
  }
  static ConfigOptions by_key(unsigned seed) {
    ConfigOptions options = plain();
    options.identities.clear();
    options.pre_shared_keys = {psk("device 1", seed)};
    return options;
  }
  static ConfigOptions psk_alone() {
    ConfigOptions options = with_psk(plain());
    options.identities.clear();
    return options;
  }

  static ResumableSession session_of(const ConfigOptions& client, const ConfigOptions& server,
                                     Instant now = {}) {
    Pair pair(client, server);
    pair.client = make_client(make_config(client), now);
    pair.server = make_server(make_config(server), now);
    pair.run(now);
    EXPECT_TRUE(works(pair));
    return pair.client.sessions.at(0);
  }
  static Pair again(const ConfigOptions& client, const ConfigOptions& server,
                    const ResumableSession& session, Instant now = {}) {
    Pair pair = second_pair(client, server, session, now);
    pair.run(now);
    return pair;
  }
  static bool resumes(const ConfigOptions& client, const ConfigOptions& server,
                      const ResumableSession& session, Instant now = {}) {
    Pair pair = again(client, server, session, now);
    EXPECT_TRUE(works(pair));
    return pair.client.connected && is_resumed(pair);
  }
};
// A ticket of DTLS 1.3 is none of RFC 5077, for which the hello would need a session ID.
TEST(SessionVersion, ASessionOfDtls13IsOfferedToThatAlone) {
  const auto options = with_tickets(test::options());
  const Pair first = first_pair(options);
  ASSERT_EQ(first.client.sessions.at(0).version(), dtls::ProtocolVersion::dtls13);
  Peer client = make_client(make_config(options), {}, first.client.sessions.at(0));
  const auto hello = client.take_datagrams();
  ASSERT_EQ(hello.size(), 1U);
  EXPECT_TRUE(ClientHelloFields::decode(dtls::Bytes(hello[0]).subspan(25)).session_id.empty());
}

INSTANTIATE_TEST_SUITE_P(Versions, SessionPolicy, both_versions(), name_of_version);

TEST_P(SessionPolicy, AServerDoesNotResumeUnderOtherAuthorities) {
  const auto client = plain();
  const auto session = session_of(client, verifying(one()));
  EXPECT_TRUE(resumes(client, verifying(one()), session));
  const Pair pair = again(client, verifying(other()), session);
  EXPECT_TRUE(failed(pair.server, Errc::untrusted_certificate, Alert::unknown_ca));
}

TEST_P(SessionPolicy, AClientDoesNotResumeUnderOtherAuthorities) {
  const auto server = plain();
  const auto session = session_of(verifying(one()), server);
  EXPECT_TRUE(resumes(verifying(one()), server, session));
  const Pair pair = again(verifying(other()), server, session);
  EXPECT_TRUE(failed(pair.client, Errc::untrusted_certificate, Alert::unknown_ca));
}

TEST_P(SessionPolicy, AServerWithAStoreDoesNotResumeUnderOtherAuthorities) {
  const auto client = with_store(ByVersion::options());
  auto server = client;
  server.peer_authentication = PeerAuthentication::require_and_verify;
  server.trust_store = one().store();
  auto owner = client;
  owner.identities = {one().issue(kPeerText)};
  const auto store = std::make_shared<dtls::ResumptionStore>();
  Pair first(owner, server);
  first.server.store = store;
  first.run();
  ASSERT_TRUE(works(first));
  for (const Authority* authority : {&one(), &other()}) {
    server.trust_store = authority->store();
    Pair second = second_pair(owner, server, first.client.sessions.at(0));
    second.server.store = store;
    second.run();
    if (authority == &one()) {
      EXPECT_TRUE(works(second));
      EXPECT_TRUE(is_resumed(second));
    } else {
      EXPECT_TRUE(failed(second.server, Errc::untrusted_certificate, Alert::unknown_ca));
    }
  }
}

TEST_P(SessionPolicy, TheOrderOfAuthoritiesDoesNotMatter) {
  const dtls::Buffer first = one().certificate();
  const dtls::Buffer second = other().certificate();
  const std::array<dtls::Bytes, 2> forth{first, second};
  const std::array<dtls::Bytes, 3> back{second, first, second};
  const auto client = plain();
  auto server = verifying(one());
  server.trust_store = must(dtls::TrustStore::from_der(forth));
  const auto session = session_of(client, server);
  server.trust_store = must(dtls::TrustStore::from_der(back));
  EXPECT_TRUE(resumes(client, server, session));
  server.trust_store = must(dtls::TrustStore::from_der(forth, std::chrono::system_clock::now()));
  EXPECT_FALSE(resumes(client, server, session)) << "verified at another time";
}

// A PSK proves nothing that a certificate is required for.
TEST_P(SessionPolicy, ASessionOfAPskIsNotResumedWithoutPsks) {
  const auto session = session_of(psk_alone(), psk_alone());
  EXPECT_TRUE(resumes(psk_alone(), psk_alone(), session));
  auto client = with_psk(plain());
  EXPECT_FALSE(resumes(client, verifying(one()), session));
  EXPECT_FALSE(resumes(plain(), plain(), session));
}

TEST_P(SessionPolicy, AWithdrawnPskResumesNothing) {
  auto both = with_psk(plain());
  if (!is13()) both.identities.clear();
  const auto session = session_of(both, both);
  auto changed = both;
  changed.pre_shared_keys = {must(dtls::PreSharedKey::make(bytes_of("device 2"), counted(32)))};
  EXPECT_TRUE(resumes(both, both, session));
  auto server = both;
  server.pre_shared_keys.push_back(changed.pre_shared_keys.front());
  EXPECT_TRUE(resumes(both, server, session)) << "one more changes nothing";
  EXPECT_FALSE(resumes(changed, server, session)) << "the client has another";
}

// The same identity with another key is another PSK.
TEST_P(SessionPolicy, AReplacedPskResumesNothing) {
  const auto session = session_of(by_key(1), by_key(1));
  EXPECT_TRUE(resumes(by_key(1), by_key(1), session));
  EXPECT_FALSE(resumes(by_key(2), by_key(2), session));
  EXPECT_FALSE(again(by_key(1), by_key(2), session).client.connected) << "the server decides";
  EXPECT_FALSE(again(by_key(2), by_key(1), session).client.connected) << "the client decides";
  auto server = by_key(2);
  server.pre_shared_keys.push_back(psk("device 2", 1));
  EXPECT_FALSE(resumes(by_key(2), server, session)) << "the key has another identity now";
}

TEST_P(SessionPolicy, AReplacedPskResumesNothingFromAStore) {
  const auto store = std::make_shared<dtls::ResumptionStore>();
  const auto met = [&](unsigned seed, const std::optional<ResumableSession>& session) {
    auto options = with_store(by_key(seed));
    options.ticket_keys.reset();
    Pair pair(options);
    pair.client = make_client(make_config(options), {}, session);
    pair.server.store = store;
    pair.run();
    EXPECT_TRUE(works(pair));
    return pair;
  };
  const auto session = met(1, {}).client.sessions.at(0);
  // A server of DTLS 1.3 uses a PSK that it knows before it asks for a session.
  EXPECT_EQ(is_resumed(met(1, session)), !is13());
  EXPECT_FALSE(is_resumed(met(2, session)));
}

// A key behind a question cannot be compared. So the caller is to judge the connection, or there
// is no session.
TEST_P(SessionPolicy, ASessionOfAPskBehindAQuestionNeedsTheCallersConsent) {
  const auto client = by_key(1);
  auto server = plain();
  server.identities.clear();
  server.ask_for_psk = true;
  const auto met = [&](const std::optional<ResumableSession>& session, const auto& judge) {
    Pair pair(client, server);
    pair.client = make_client(make_config(client), {}, session);
    pair.run();
    if (pair.server.psk_request) {
      const auto& identities = pair.server.psk_request->identities;
      const auto found = std::ranges::find(identities, copy_of(bytes_of("device 1")));
      const auto index = static_cast<std::size_t>(found - identities.begin());
      answer_psk(pair.server, dtls::UsePsk{index, psk("device 1", 1)});
      pair.run();
    }
    if (pair.server.to_verify) judge(pair);
    return pair;
  };
  const auto accept = [](Pair& pair) {
    pair.server.settle(
        pair.server.connection().answer(pair.server.to_verify->question, dtls::AcceptPeer{}, {}),
        {});
    pair.run();
  };
  auto unjudged = met({}, accept);
  EXPECT_TRUE(works(unjudged));
  EXPECT_TRUE(unjudged.client.sessions.empty()) << "nothing that could not be resumed";

  server.ask_about_connection = true;
  auto first = met({}, accept);
  ASSERT_TRUE(works(first));
  const auto session = first.client.sessions.at(0);
  auto second = met(session, accept);
  ASSERT_TRUE(works(second));
  EXPECT_TRUE(is_resumed(second));
  // What to compare with the time at which the key was replaced.
  EXPECT_EQ(second.server.to_verify->info.peer.psk_identity, copy_of(bytes_of("device 1")));
  EXPECT_EQ(second.server.to_verify->info.peer.authenticated_at, session.peer().authenticated_at);

  server.ask_about_connection = false;
  auto third = met(session, accept);
  ASSERT_TRUE(works(third));
  EXPECT_FALSE(is_resumed(third));

  server.ask_about_connection = true;
  server.pre_shared_keys = {psk("device 1", 2)};
  EXPECT_FALSE(met(session, accept).client.connected) << "a key that is known is compared";
}

TEST_P(SessionPolicy, AGivenIdDecidesInPlaceOfTheRules) {
  const auto client = plain();
  auto server = verifying(one());
  server.policy_id = copy_of(bytes_of("tenant 1"));
  const auto session = session_of(client, server);
  EXPECT_TRUE(resumes(client, server, session));
  auto joined = server;
  joined.trust_store = other().store();
  EXPECT_TRUE(resumes(client, joined, session)) << "the same tenant";
  auto apart = server;
  apart.policy_id = copy_of(bytes_of("tenant 2"));
  EXPECT_FALSE(resumes(client, apart, session)) << "another with the same rules";
  EXPECT_FALSE(resumes(client, verifying(one()), session));
}

// A given id does not let in who was not verified at all.
TEST_P(SessionPolicy, AGivenIdDoesNotReplaceVerification) {
  const auto client = plain();
  auto server = plain();
  server.policy_id = copy_of(bytes_of("tenant 1"));
  const auto session = session_of(client, server);
  auto stricter = verifying(one());
  stricter.policy_id = server.policy_id;
  EXPECT_FALSE(resumes(client, stricter, session));
  EXPECT_TRUE(resumes(client, server, session));
}

// RFC 8446 section 4.6.1: each session may lead to another, so their total is limited.
TEST_P(SessionPolicy, ResumptionEndsSomeTimeAfterTheAuthentication) {
  for (const Role role : kRoles) {
    const bool psk = role == Role::client;  // each with one kind of proof
    auto limited = psk ? psk_alone() : plain();
    limited.ticket_keys = std::make_shared<dtls::TicketKeys>();
    limited.max_session_age = 48h;
    auto unlimited = limited;
    unlimited.max_session_age = 365 * 24h;
    const auto& client = role == Role::client ? limited : unlimited;
    const auto& server = role == Role::client ? unlimited : limited;
    const Instant begun{100h};
    auto session = session_of(client, server, begun);
    EXPECT_EQ(session.peer().authenticated_at, begun);
    for (const auto age : {12h, 24h, 36h, 47h, 48h, 60h}) {
      // In DTLS 1.2 a session stays the same, and so does its end.
      const bool alive = is13() ? age < 48h : age < 24h;
      Pair pair = again(client, server, session, begun + age);
      ASSERT_TRUE(works(pair)) << age.count();
      EXPECT_EQ(is_resumed(pair), alive) << age.count() << " h";
      if (!is_resumed(pair)) break;
      ASSERT_FALSE(pair.client.sessions.empty());
      session = pair.client.sessions.back();
      EXPECT_LE(session.expires(), begun + 48h);
      EXPECT_EQ(session.peer().authenticated_at, begun);
      EXPECT_EQ(pair.client.connected->peer.authenticated_at, begun);
    }
  }
}

TEST_P(SessionPolicy, ALoweredAgeEndsSessionsThatThereAre) {
  auto options = plain();
  options.max_session_age = 48h;
  const auto session = session_of(options, options);
  EXPECT_TRUE(resumes(options, options, session, Instant(12h)));
  for (const Role role : kRoles) {
    auto lowered = options;
    lowered.session_lifetime = 6h;
    lowered.max_session_age = 6h;
    EXPECT_FALSE(resumes(role == Role::client ? lowered : options,
                         role == Role::server ? lowered : options, session, Instant(12h)));
  }
}

// The clock was set back, or two hosts differ.
TEST_P(SessionPolicy, ASessionOfTheFutureIsNotResumed) {
  const auto options = plain();
  auto session = session_of(options, options, Instant(1h));
  EXPECT_FALSE(resumes(options, options, session, Instant(30min))) << "its proof is of the future";
  if (!is13()) return;
  Pair second = again(options, options, session, Instant(3h));
  ASSERT_TRUE(is_resumed(second));
  session = second.client.sessions.at(0);
  EXPECT_EQ(session.peer().authenticated_at, Instant(1h));
  EXPECT_FALSE(resumes(options, options, session, Instant(2h)));
}

// ... "these limits should take into account the lifetime of the peer's certificate".
TEST_P(SessionPolicy, ResumptionEndsWithTheVerifiedCertificate) {
  CertificateText text = kPeerText;
  text.valid_for = 3600 + 3600;  // one hour from now
  for (const Role verifier : kRoles) {
    auto client = verifier == Role::client ? verifying(one()) : plain();
    auto server = verifier == Role::server ? verifying(one()) : plain();
    (verifier == Role::client ? server : client).identities = {one().issue(text)};
    const auto session = session_of(client, server);
    EXPECT_LE(session.expires(), Instant(1h));
    EXPECT_TRUE(resumes(client, server, session, Instant(30min)));
    EXPECT_FALSE(resumes(client, server, session, Instant(61min)));
  }
}

// A ticket whose lifetime rounds to 0 s would be one to discard at once.
TEST_P(SessionPolicy, TheLastMomentOfAProofGivesNoSession) {
  auto options = plain();
  options.max_session_age = 24h;
  const auto session = session_of(options, options);
  Pair pair = again(options, options, session, Instant(24h - 500ms));
  ASSERT_TRUE(works(pair));
  EXPECT_TRUE(is_resumed(pair));
  if (is13()) {
    EXPECT_TRUE(pair.client.sessions.empty());
  }
}

}  // namespace
}  // namespace sluice::test
