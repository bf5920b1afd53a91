// Private keys that are kept elsewhere: the handshake waits for their signatures.
#include <algorithm>
#include <string>

#include "support/authority.h"
#include "support/connections.h"

namespace sluice::test {
namespace {

using dtls::Alert;
using dtls::Errc;
using dtls::Role;

struct Case {
  dtls::ProtocolVersion version;
  Role role;  // whose key is elsewhere
};

class KeyElsewhere : public testing::TestWithParam<Case> {
 protected:
  static Pair pair_of(const dtls::Identity& identity) {
    const dtls::ConfigOptions options = options_for(GetParam().version);
    dtls::ConfigOptions signing = options;
    signing.identities = {identity};
    return GetParam().role == Role::client ? Pair(signing, options) : Pair(options, signing);
  }
  static Peer& signer(Pair& pair) {
    return GetParam().role == Role::client ? pair.client : pair.server;
  }
  static Peer& other(Pair& pair) {
    return GetParam().role == Role::client ? pair.server : pair.client;
  }
  // A pair that waits for its signature.
  Pair waiting(KeyKind kind = KeyKind::p256) {
    Pair pair = pair_of(authority_.issue_elsewhere({.key = kind}, key_));
    pair.run();
    EXPECT_TRUE(signer(pair).signature_request);
    return pair;
  }
  dtls::Signature signature(Pair& pair) {
    const auto& request = *signer(pair).signature_request;
    return {sign_elsewhere(key_.get(), request.scheme, request.content)};
  }

  const Authority authority_{"root"};
  std::shared_ptr<EVP_PKEY> key_;
};

TEST_P(KeyElsewhere, SignsWithEveryKindOfKey) {
  for (const KeyKind kind : {KeyKind::p256, KeyKind::p384, KeyKind::rsa_2048, KeyKind::ed25519}) {
    Pair pair = waiting(kind);
    const auto& request = *signer(pair).signature_request;
    EXPECT_FALSE(request.certificate.empty());
    answer(signer(pair), signer(pair).signature_request, signature(pair));
    pair.run();
    EXPECT_TRUE(works(pair)) << to_string(request.scheme);
  }
}

// RFC 8446 section 4.4.3: 64 spaces, a context that names the signer, a zero, and the hash.
TEST_P(KeyElsewhere, TheContentNamesItsSigner) {
  if (GetParam().version != dtls::ProtocolVersion::dtls13) GTEST_SKIP() << "DTLS 1.3 only";
  Pair pair = waiting();
  const dtls::Bytes content = signer(pair).signature_request->content;
  const std::string wanted = std::string(64, ' ') + "TLS 1.3, " +
                             (GetParam().role == Role::client ? "client" : "server") +
                             " CertificateVerify";
  ASSERT_EQ(content.size(), wanted.size() + 1 + 32);
  EXPECT_TRUE(std::ranges::equal(content.first(wanted.size()), bytes_of(wanted)));
  EXPECT_EQ(content[wanted.size()], std::byte{0});
}

// Whatever the other side repeats meanwhile, nobody gets further; afterwards all is well.
TEST_P(KeyElsewhere, ASlowSignerHoldsItsFlightAlone) {
  Pair pair = waiting();
  dtls::Instant now{};
  for (int i = 0; i < 4; ++i) {
    for (Peer* peer : {&pair.client, &pair.server}) {
      const auto timeout = peer->connection().next_timeout();
      if (!timeout || *timeout >= dtls::Instant{} + options().timers.total) continue;
      now = std::max(now, *timeout);
      peer->settle(peer->connection().handle_timeout(now), now);
    }
    pair.run(now);
    EXPECT_FALSE(pair.client.connected || pair.server.connected);
    EXPECT_FALSE(pair.client.error || pair.server.error);
  }
  answer(signer(pair), signer(pair).signature_request, signature(pair), now);
  pair.run(now);
  EXPECT_TRUE(works(pair));
}

TEST_P(KeyElsewhere, ASignerThatFailsEndsTheHandshake) {
  Pair pair = waiting();
  answer(signer(pair), signer(pair).signature_request, dtls::NoSignature{});
  EXPECT_TRUE(failed(signer(pair), Errc::signing_failed, Alert::internal_error, other(pair)));
}

TEST_P(KeyElsewhere, AWrongSignatureIsThePeersToRefuse) {
  Pair pair = waiting();
  dtls::Signature wrong = signature(pair);
  wrong.value.back() ^= std::byte{1};
  answer(signer(pair), signer(pair).signature_request, wrong);
  pair.run();
  EXPECT_TRUE(failed(other(pair), Errc::bad_signature, Alert::decrypt_error));
}

// The whole handshake's time limit holds for signers too.
TEST_P(KeyElsewhere, ASignerThatNeverAnswersRunsIntoTheTimeLimit) {
  Pair pair = waiting();
  const dtls::Instant end = dtls::Instant{} + options().timers.total;
  Peer& peer = signer(pair);
  peer.settle(peer.connection().handle_timeout(end), end);
  ASSERT_TRUE(peer.error);
  EXPECT_EQ(peer.error->code, Errc::handshake_timeout);
}

TEST_P(KeyElsewhere, AnswersThatFitNothingChangeNothing) {
  Pair pair = waiting();
  Peer& peer = signer(pair);
  const auto question = peer.signature_request->question.id();
  const dtls::Answer wrong[] = {dtls::NoPsk{}, dtls::NoIdentity{}, dtls::AcceptPeer{}};
  for (const auto& answer : wrong) {
    const auto outcome = peer.connection().answer(question, answer, {});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Errc::invalid_argument);
  }
  answer(peer, peer.signature_request, signature(pair));
  EXPECT_FALSE(peer.connection().answer(question, dtls::NoSignature{}, {}));
  pair.run();
  EXPECT_TRUE(works(pair));
}

INSTANTIATE_TEST_SUITE_P(VersionsAndRoles, KeyElsewhere,
                         testing::Values(Case{dtls::ProtocolVersion::dtls12, Role::client},
                                         Case{dtls::ProtocolVersion::dtls12, Role::server},
                                         Case{dtls::ProtocolVersion::dtls13, Role::client},
                                         Case{dtls::ProtocolVersion::dtls13, Role::server}),
                         [](const auto& tested) {
                           return version_name(tested.param.version) +
                                  (tested.param.role == Role::client ? "Client" : "Server");
                         });

}  // namespace
}  // namespace sluice::test
