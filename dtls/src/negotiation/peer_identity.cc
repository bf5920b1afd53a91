#include "negotiation/peer_identity.h"

#include "crypto/hash.h"
#include "crypto/library.h"
#include "negotiation/peer_certificate.h"

namespace sluice::dtls::handshake {
namespace {

// The bits of a PolicyId; the lowest eight are the PeerAuthentication.
constexpr std::uint32_t kHasTrustStore = 1U << 8;
constexpr std::uint32_t kExpectsName = 1U << 9;

}  // namespace

PolicyId policy_of(const ConfigOptions& config, Role role) {
  auto bits = static_cast<std::uint32_t>(config.peer_authentication);
  if (config.trust_store) bits |= kHasTrustStore;
  if (role == Role::client && !expected_name(config).empty()) bits |= kExpectsName;
  return PolicyId{bits};
}

PeerIdentity PeerIdentity::of_certificate(Bytes certificate) {
  return {.proof = PeerProof::certificate,
          .credential = Buffer(certificate.begin(), certificate.end())};
}

PeerIdentity PeerIdentity::of_psk(Bytes identity) {
  return {.proof = PeerProof::external_psk, .credential = Buffer(identity.begin(), identity.end())};
}

Result<void> PeerIdentity::keep_fingerprint_only(crypto::Library& library) {
  if (proof != PeerProof::certificate) return {};
  const auto fingerprint = crypto::digest(library, HashAlgorithm::sha256, credential);
  if (!fingerprint) return forward_error(fingerprint);
  const Bytes bytes = fingerprint->bytes();
  credential = Buffer(bytes.begin(), bytes.end());
  proof = PeerProof::certificate_fingerprint;
  return {};
}

bool PeerIdentity::is_consistent() const {
  switch (proof) {
    case PeerProof::none:
      return credential.empty();
    case PeerProof::certificate:
      return !credential.empty();
    case PeerProof::certificate_fingerprint:
      return credential.size() == crypto::hash_size(HashAlgorithm::sha256);
    case PeerProof::external_psk:  // RFC 4279 section 5.1 allows an empty identity
      return true;
  }
  return false;
}

}  // namespace sluice::dtls::handshake
