// Raw public keys in place of certificates, in both versions (RFC 7250, RFC 8446 section 4.4.2).
#include "crypto/credentials.h"
#include "support/authority.h"
#include "support/connections.h"
#include "support/resumption.h"

namespace sluice::test {
namespace {

using dtls::Alert;
using dtls::Buffer;
using dtls::CertificateType;
using dtls::ConfigOptions;
using dtls::Errc;
using dtls::Fingerprint;
using dtls::Identity;
using dtls::PeerAuthentication;
using dtls::PeerCredential;
using dtls::Role;

using Types = std::vector<CertificateType>;

constexpr auto kX509 = CertificateType::x509;
constexpr auto kRaw = CertificateType::raw_public_key;
constexpr std::uint16_t kClientExtension = 19;
constexpr std::uint16_t kServerExtension = 20;

// Without a certificate.
const Identity& raw_identity() {
  static const Identity kIdentity = [] {
    std::shared_ptr<EVP_PKEY> key;
    static_cast<void>(Authority("any").issue_elsewhere({.key = KeyKind::ed25519}, key));
    Buffer der(1000);
    auto* at = reinterpret_cast<unsigned char*>(der.data());
    der.resize(static_cast<std::size_t>(i2d_PrivateKey(key.get(), &at)));
    return must(Identity::raw_public_key(dtls::Bytes(der)));
  }();
  return kIdentity;
}

Fingerprint fingerprint_of_key(const Identity& identity) {
  return must(Fingerprint::of(identity.public_key(), dtls::HashAlgorithm::sha256, environment()));
}

// Keeps the certificate types of the hellos: a client's offer and a DTLS 1.2 server's answer.
class TypesHook : public dtls::HelloHook {
 public:
  void on_received(const dtls::IncomingHello& hello) const override {
    seen.clear();
    for (const auto& [type, data] : hello.extensions) {
      if (type == kClientExtension || type == kServerExtension) seen[type] = to_hex(data);
    }
  }
  mutable std::map<std::uint16_t, std::string> seen;
};

// Replaces the data of an extension in the client's hellos.
class CertificateTypesHook : public dtls::HelloHook {
 public:
  CertificateTypesHook(std::uint16_t type, Buffer data) : type_(type), data_(std::move(data)) {}
  void on_sending(dtls::OutgoingHello& hello) const override {
    std::erase_if(hello.extensions, [&](const auto& extension) { return extension.type == type_; });
    hello.extensions.push_back({type_, data_});
  }

 private:
  std::uint16_t type_;
  Buffer data_;
};

class Rfc7250 : public ByVersion {
 protected:
  static ConfigOptions with_types(Types own, Types peer) {
    ConfigOptions with = options();
    with.own_certificate_types = std::move(own);
    with.peer_certificate_types = std::move(peer);
    return with;
  }
  static ConfigOptions raw_options() {
    ConfigOptions raw = with_types({kRaw}, {kRaw});
    raw.identities = {raw_identity()};
    return raw;
  }
  static Pair met(const ConfigOptions& client, const ConfigOptions& server) {
    Pair pair(client, server);
    pair.run();
    return pair;
  }
  static PeerCredential credential_of_peer(const Peer& peer) {
    return peer.connected.value().peer.credential;
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, Rfc7250, both_versions(), name_of_version);

// Section 5.2.
TEST_P(Rfc7250, BothSidesSendOnlyTheirKeys) {
  Pair pair = met(raw_options(), raw_options());
  ASSERT_TRUE(works(pair));
  for (const Peer* peer : {&pair.client, &pair.server}) {
    const dtls::PeerInfo& info = peer->connected->peer;
    EXPECT_EQ(info.credential, PeerCredential::raw_public_key);
    EXPECT_EQ(info.certificate_fingerprint, fingerprint_of_key(raw_identity()).value);
    EXPECT_EQ(info.signature_scheme, dtls::SignatureScheme::ed25519);
    EXPECT_EQ(peer->peer_type, kRaw);
    EXPECT_EQ(peer->peer_chain, std::vector<Buffer>{copy_of(raw_identity().public_key())});
  }
}

TEST_P(Rfc7250, EveryKindOfKeyWorks) {
  for (const Identity& identity :
       {ecdsa_identity(), p384_identity(), rsa_identity(), raw_identity()}) {
    ConfigOptions both = raw_options();
    both.identities = {identity};
    Pair pair = met(both, both);
    ASSERT_TRUE(works(pair));
    EXPECT_EQ(pair.client.peer_chain, std::vector<Buffer>{copy_of(identity.public_key())});
  }
}

// Sections 5.1 and 5.3: each direction has its own type.
TEST_P(Rfc7250, EachDirectionHasItsOwnType) {
  for (const CertificateType clients : {kX509, kRaw}) {
    for (const CertificateType servers : {kX509, kRaw}) {
      Pair pair = met(with_types({clients}, {servers}), with_types({servers}, {clients}));
      ASSERT_TRUE(works(pair));
      EXPECT_EQ(pair.client.peer_type, servers);
      EXPECT_EQ(pair.server.peer_type, clients);
    }
  }
}

// Section 4.1: "MUST omit" what the client cannot provide or process, and what is only X.509.
TEST_P(Rfc7250, AClientOffersTheTypesThatItHas) {
  const struct {
    Types own;
    Types peer;
    std::map<std::uint16_t, std::string> seen;
  } cases[] = {
      {{kX509}, {kX509}, {}},
      {{kRaw}, {kX509}, {{kClientExtension, "0102"}}},
      {{kX509}, {kRaw}, {{kServerExtension, "0102"}}},
      {{kRaw, kX509}, {kX509, kRaw}, {{kClientExtension, "020200"}, {kServerExtension, "020002"}}},
  };
  for (const auto& [own, peer, seen] : cases) {
    const auto hook = std::make_shared<TypesHook>();
    ConfigOptions server = with_types({kX509, kRaw}, {kX509, kRaw});
    server.hello_hook = hook;
    Pair pair = met(with_types(own, peer), server);
    EXPECT_TRUE(works(pair));
    EXPECT_EQ(hook->seen, seen);
  }
}

// Section 4.2, where the answer is in plaintext: what the client offered, and
// client_certificate_type only beside a CertificateRequest.
TEST(Rfc7250Section4_2, TheServerAnswersWhatItChose) {
  const struct {
    PeerAuthentication authentication;
    bool psk;
    std::map<std::uint16_t, std::string> seen;
  } cases[] = {
      {PeerAuthentication::require, false, {{kClientExtension, "02"}, {kServerExtension, "00"}}},
      {PeerAuthentication::none, false, {{kServerExtension, "00"}}},
      {PeerAuthentication::require, true, {}},
  };
  for (const auto& [authentication, psk, seen] : cases) {
    const auto hook = std::make_shared<TypesHook>();
    ConfigOptions client = options_for(dtls::ProtocolVersion::dtls12);
    client.own_certificate_types = client.peer_certificate_types = {kRaw, kX509};
    client.hello_hook = hook;
    ConfigOptions server = options_for(dtls::ProtocolVersion::dtls12);
    server.own_certificate_types = {kX509, kRaw};
    server.peer_authentication = authentication;
    if (authentication != PeerAuthentication::none) server.peer_certificate_types = {kRaw};
    if (psk) {
      client.pre_shared_keys = {must(dtls::PreSharedKey::make(bytes_of("id"), counted(16)))};
      server.pre_shared_keys = client.pre_shared_keys;
      server.cipher_suites = {dtls::CipherSuite::psk_with_aes_128_gcm_sha256};
    }
    Pair pair(client, server);
    pair.run();
    EXPECT_TRUE(works(pair));
    EXPECT_EQ(hook->seen, seen);
  }
}

TEST_P(Rfc7250, TheServersOrderDecides) {
  for (const CertificateType first : {kX509, kRaw}) {
    const CertificateType second = first == kX509 ? kRaw : kX509;
    Pair pair = met(with_types({second, first}, {second, first}),
                    with_types({first, second}, {first, second}));
    ASSERT_TRUE(works(pair));
    EXPECT_EQ(pair.client.peer_type, first);
    EXPECT_EQ(pair.server.peer_type, first);
  }
}

// A server without the extension sends X.509, and so does one with it to a client without.
TEST_P(Rfc7250, AClientThatOffersBothMeetsAServerOfOld) {
  Pair pair = met(with_types({kRaw, kX509}, {kRaw, kX509}), options());
  ASSERT_TRUE(works(pair));
  EXPECT_EQ(pair.client.peer_type, kX509);
  EXPECT_EQ(pair.server.peer_type, kX509);
  Pair other = met(options(), with_types({kRaw, kX509}, {kRaw, kX509}));
  ASSERT_TRUE(works(other));
  EXPECT_EQ(other.client.peer_type, kX509);
  EXPECT_EQ(other.server.peer_type, kX509);
}

// Section 4.2, outcome 2.
TEST_P(Rfc7250, NoTypeInCommonEndsTheHandshake) {
  for (const auto& [client, server] :
       {std::pair{with_types({kX509}, {kRaw}), with_types({kX509}, {kX509})},
        std::pair{with_types({kX509}, {kX509}), with_types({kRaw}, {kX509})},
        std::pair{with_types({kRaw}, {kX509}), with_types({kX509}, {kX509})}}) {
    Pair pair(client, server);
    pair.flight(pair.client);
    EXPECT_TRUE(failed(pair.server, Errc::unsupported_certificate, Alert::unsupported_certificate,
                       pair.client));
  }
}

// A client that offers no type has X.509 certificates only.
TEST_P(Rfc7250, AClientsCertificateMustBeOfATypeThatTheServerAccepts) {
  const Pair pair = met(options(), with_types({kX509}, {kRaw}));
  EXPECT_TRUE(failed(pair.server, Errc::unsupported_certificate, Alert::unsupported_certificate));
  EXPECT_FALSE(pair.server.connected);
  // It may still have none at all, where the server lets it.
  ConfigOptions server = with_types({kX509}, {kRaw});
  server.peer_authentication = PeerAuthentication::request;
  ConfigOptions client = options();
  client.identities.clear();
  Pair anonymous = met(client, server);
  EXPECT_TRUE(works(anonymous));
  EXPECT_EQ(credential_of_peer(anonymous.server), PeerCredential::none);
}

// Such a server's certificate would be what the client cannot process.
TEST_P(Rfc7250, AServersCertificateMustBeOfATypeThatTheClientAccepts) {
  ConfigOptions client = with_types({kX509}, {kRaw});
  // A server that knows no extension: the hook takes it out of the hello.
  class Removing : public dtls::HelloHook {
   public:
    void on_sending(dtls::OutgoingHello& hello) const override {
      std::erase_if(hello.extensions,
                    [](const auto& extension) { return extension.type == kServerExtension; });
    }
  };
  client.hello_hook = std::make_shared<Removing>();
  const Pair pair = met(client, options());
  EXPECT_TRUE(failed(pair.client, Errc::unsupported_certificate, Alert::unsupported_certificate));
}

TEST_P(Rfc7250, AMalformedListIsRefused) {
  for (const std::uint16_t extension : {kClientExtension, kServerExtension}) {
    for (const char* data : {"", "00", "0102ff", "0202"}) {
      ConfigOptions client = options();
      client.hello_hook = std::make_shared<CertificateTypesHook>(extension, from_hex(data));
      Pair pair(client, options());
      pair.flight(pair.client);
      EXPECT_TRUE(failed(pair.server, Errc::decode_error, Alert::decode_error, pair.client))
          << data;
    }
  }
}

// OpenPGP is 1.
TEST_P(Rfc7250, UnknownTypesAreIgnored) {
  ConfigOptions client = options();
  client.hello_hook =
      std::make_shared<CertificateTypesHook>(kServerExtension, from_hex("03017f00"));
  Pair pair = met(client, options());
  EXPECT_TRUE(works(pair));
}

// "MUST be selected from one of the values provided" by the client.
TEST_P(Rfc7250, AnAnswerThatWasNotOfferedIsRefused) {
  for (const std::uint16_t extension : {kClientExtension, kServerExtension}) {
    ConfigOptions client = with_types({kRaw}, {kRaw});
    client.hello_hook = std::make_shared<CertificateTypesHook>(extension, from_hex("0100"));
    const bool is_own = extension == kClientExtension;
    const Pair pair = met(client, with_types(is_own ? Types{kRaw} : Types{kX509},
                                             is_own ? Types{kX509} : Types{kRaw}));
    EXPECT_TRUE(failed(pair.client, Errc::illegal_parameter, Alert::illegal_parameter))
        << extension;
  }
}

// Sections 4.3 and 4.4: only what is known out of band authenticates a raw public key.
TEST_P(Rfc7250, AFingerprintOfTheKeyDecides) {
  for (const bool is_right : {true, false}) {
    for (const bool is_early : {true, false}) {
      Pair pair(raw_options());
      pair.client.accepts_peer = false;
      const Fingerprint expected = fingerprint_of_key(is_right ? raw_identity() : ecdsa_identity());
      const auto announce = [&] {
        pair.client.settle(
            pair.client.connection().set_peer_fingerprints(std::span(&expected, 1), {}), {});
      };
      if (is_early) announce();
      pair.run();
      if (!is_early) {
        EXPECT_FALSE(pair.client.connected);
        announce();
        pair.run();
      }
      EXPECT_EQ(pair.client.connected.has_value(), is_right);
      if (is_right) {
        announce();  // once more, of an open connection
        EXPECT_FALSE(pair.client.error);
      } else {
        EXPECT_TRUE(failed(pair.client, Errc::peer_rejected, Alert::bad_certificate));
      }
    }
  }
}

TEST_P(Rfc7250, WithoutAnAnswerNobodyIsConnected) {
  const Pair pair = unaccepted_pair(raw_options());
  for (const Peer* peer : {&pair.client, &pair.server}) {
    EXPECT_EQ(peer->connection().waiting_for(), dtls::WaitingFor::peer_acceptance);
    EXPECT_FALSE(peer->connection().srtp_keys());
  }
}

// Beside certificates that a trust store verifies, raw public keys are asked about.
TEST_P(Rfc7250, NoTrustStoreVerifiesARawPublicKey) {
  const Authority authority("root");
  ConfigOptions server = with_types({kX509}, {kX509, kRaw});
  server.peer_authentication = PeerAuthentication::require_and_verify;
  server.trust_store = authority.store();
  const auto refused = dtls::Config::make(server);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_config);
  EXPECT_TRUE(refused.error().detail.starts_with("peer_certificate_types:"));

  server.ask_about_verified_peer = true;
  ConfigOptions client = with_types({kRaw}, {kX509});
  client.identities = {authority.issue({})};
  for (const bool accepts : {true, false}) {
    Pair pair(client, server);
    pair.server.accepts_peer = accepts;
    pair.run();
    EXPECT_EQ(pair.server.connected.has_value(), accepts);
    if (!accepts) continue;
    EXPECT_EQ(credential_of_peer(pair.server), PeerCredential::raw_public_key);
    EXPECT_FALSE(pair.server.connected->peer.verified_name);
  }
}

TEST_P(Rfc7250, AnIdentityMayHaveItsKeyElsewhere) {
  std::shared_ptr<EVP_PKEY> key;
  const Identity with_chain = Authority("any").issue_elsewhere({}, key);
  ConfigOptions server = raw_options();
  server.identities = {must(Identity::raw_public_key_elsewhere(with_chain.public_key()))};
  Pair pair = met(raw_options(), server);
  ASSERT_TRUE(pair.server.signature_request);
  const dtls::SignatureRequested asked = *pair.server.signature_request;
  EXPECT_EQ(asked.certificate, copy_of(with_chain.public_key()));
  answer(pair.server, pair.server.signature_request,
         dtls::Signature{sign_elsewhere(key.get(), asked.scheme, asked.content)});
  pair.run();
  EXPECT_TRUE(works(pair));
}

TEST_P(Rfc7250, AnIdentityMayBeAskedFor) {
  ConfigOptions asking = raw_options();
  asking.identities.clear();
  asking.ask_for_identity = true;
  Pair server = met(raw_options(), asking);
  ASSERT_TRUE(server.server.identity_request);
  EXPECT_EQ(server.server.identity_request->certificate_types, Types{kRaw});
  answer(server.server, server.server.identity_request, dtls::UseIdentity{raw_identity()});
  server.run();
  EXPECT_TRUE(works(server));

  Pair client = met(asking, raw_options());
  ASSERT_TRUE(client.client.identity_request);
  EXPECT_EQ(client.client.identity_request->certificate_types, Types{kRaw});
  answer(client.client, client.client.identity_request, dtls::UseIdentity{raw_identity()});
  client.run();
  EXPECT_TRUE(works(client));
}

// A resumed peer is still known by its key, and is judged again.
TEST_P(Rfc7250, ASessionKeepsTheKey) {
  const ConfigOptions both = with_tickets(raw_options());
  const Pair first = first_pair(both);
  const ResumableSession& session = first.client.sessions.front();
  EXPECT_EQ(session.peer().credential, PeerCredential::raw_public_key);
  EXPECT_EQ(session.peer().certificate, copy_of(raw_identity().public_key()));
  const auto stored = must(ResumableSession::parse(session.serialize()));

  const Pair again = resumed_pair(both, both, stored);
  EXPECT_TRUE(is_resumed(again));
  EXPECT_EQ(credential_of_peer(again.client), PeerCredential::raw_public_key);
  EXPECT_EQ(credential_of_peer(again.server), PeerCredential::raw_public_key);

  Pair unaccepted = second_pair(both, both, stored);
  unaccepted.client.accepts_peer = unaccepted.server.accepts_peer = false;
  unaccepted.run();
  EXPECT_FALSE(unaccepted.client.connected || unaccepted.server.connected);
  EXPECT_TRUE(unaccepted.client.question && unaccepted.server.question);
}

// Whatever policy_id says.
TEST_P(Rfc7250, NoSessionIsResumedWhereTheTypeIsNoLongerAccepted) {
  for (const bool has_policy_id : {true, false}) {
    ConfigOptions both = with_tickets(with_types({kRaw, kX509}, {kRaw, kX509}));
    if (has_policy_id) both.policy_id = buffer_of("policy");
    const Pair first = first_pair(both);
    for (const Role role : kRoles) {
      ConfigOptions strict = both;
      strict.peer_certificate_types = {kX509};
      const bool is_client = role == Role::client;
      EXPECT_FALSE(is_resumed(resumed_pair(is_client ? strict : both, is_client ? both : strict,
                                           first.client.sessions.front())));
    }
  }
}

}  // namespace
}  // namespace sluice::test
