#include "negotiation/peer_identity.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "crypto/constant_time.h"
#include "crypto/hash.h"
#include "crypto/library.h"
#include "negotiation/config_rules.h"
#include "negotiation/peer_certificate.h"
#include "wire/writer.h"

namespace sluice::dtls::handshake {
namespace {

// The hashed text begins with this, then a PolicyText, then what that says. All fields have a fixed
// size or a length, so no two policies have the same text.
constexpr std::string_view kLabel = "sluice session policy 1";
enum class PolicyText : std::uint8_t { derived, given };

void put_vector(wire::Writer& out, Bytes bytes) {
  out.u32(static_cast<std::uint32_t>(bytes.size()));
  out.bytes(bytes);
}

// All, by their numbers.
constexpr std::array kSchemes{SignatureScheme::rsa_pkcs1_sha256,
                              SignatureScheme::ecdsa_secp256r1_sha256,
                              SignatureScheme::rsa_pkcs1_sha384,
                              SignatureScheme::ecdsa_secp384r1_sha384,
                              SignatureScheme::rsa_pkcs1_sha512,
                              SignatureScheme::rsa_pss_rsae_sha256,
                              SignatureScheme::rsa_pss_rsae_sha384,
                              SignatureScheme::rsa_pss_rsae_sha512,
                              SignatureScheme::ed25519};
static_assert(std::ranges::is_sorted(kSchemes));

// Their order does not decide whether a peer is accepted.
void put_set(wire::Writer& out, std::span<const SignatureScheme> schemes) {
  std::array<SignatureScheme, kSchemes.size()> set{};
  const auto end = std::ranges::copy_if(kSchemes, set.begin(), [&](SignatureScheme scheme) {
                     return std::ranges::find(schemes, scheme) != schemes.end();
                   }).out;
  const std::span sorted(set.begin(), end);
  out.u32(static_cast<std::uint32_t>(sorted.size()));
  for (const SignatureScheme scheme : sorted) out.code(scheme);
}

void put_chain_rules(wire::Writer& out, const ConfigOptions& config, Role role) {
  const crypto::TrustAnchors& anchors = config.trust_store->anchors();
  put_vector(out, anchors.fingerprint());
  out.u8(anchors.at() ? 1 : 0);
  out.u64(anchors.at()
              ? static_cast<std::uint64_t>(std::chrono::system_clock::to_time_t(*anchors.at()))
              : 0);
  const std::string name = role == Role::client ? expected_name(config) : std::string();
  put_vector(out, std::as_bytes(std::span(name)));
  put_set(out, certificate_schemes(config));
}

void put_rules(wire::Writer& out, const ConfigOptions& config, Role role) {
  const bool verifies = verifies_chain(config) && config.trust_store;
  out.u8(verifies ? 1 : 0);
  // A client always requires a certificate.
  out.u8(role == Role::client || requires_certificate(config) ? 1 : 0);
  out.u8(role == Role::client || asks_for_certificate(config) ? 1 : 0);
  out.u8(has_psk(config) ? 1 : 0);
  for (const auto type : {CertificateType::x509, CertificateType::raw_public_key}) {
    out.u8(accepts(config, type) ? 1 : 0);
  }
  put_set(out, config.signature_schemes);
  if (verifies) put_chain_rules(out, config, role);
}

}  // namespace

Result<PolicyId> policy_of(crypto::Library& library, const ConfigOptions& config, Role role) {
  const auto write = [&](Buffer& text) {
    wire::Writer out(text);
    out.bytes(std::as_bytes(std::span(kLabel)));
    out.code(role);
    if (config.policy_id.empty()) {
      out.code(PolicyText::derived);
      put_rules(out, config, role);
    } else {
      out.code(PolicyText::given);
      out.bytes(config.policy_id);
    }
  };
  return library.policy_hash(role).of(library, write).map([](const crypto::Sha256& hash) {
    return PolicyId{hash};
  });
}

PeerIdentity PeerIdentity::of_certificate(Bytes certificate, CertificateType type) {
  return {
      .proof = type == CertificateType::x509 ? PeerProof::certificate : PeerProof::raw_public_key,
      .credential = Buffer(certificate.begin(), certificate.end())};
}

Result<PeerIdentity> PeerIdentity::of_psk(crypto::Library& library, Bytes identity, Bytes key) {
  return psk_digest(library, identity, key).map([&](const PskDigest& digest) {
    PeerIdentity peer = of_psk(identity);
    peer.psk = digest;
    return peer;
  });
}

PeerIdentity PeerIdentity::of_psk(Bytes identity) {
  return {.proof = PeerProof::external_psk, .credential = Buffer(identity.begin(), identity.end())};
}

bool PeerIdentity::is_by(crypto::Library& library, const PreSharedKey& key) const {
  if (!is_by_psk() || !std::ranges::equal(key.identity(), credential)) return false;
  const auto digest = psk_digest(library, key.identity(), key.key());
  return digest && crypto::equal(*digest, psk);
}

void PeerIdentity::keep_hash(const Fingerprint* match) {
  if (match == nullptr || match->hash != HashAlgorithm::sha256) return;
  if (!has_certificate() && !has_raw_public_key()) return;
  std::ranges::copy(match->value, certificate_hash.emplace().begin());
}

Result<void> PeerIdentity::keep_fingerprint_only(crypto::Library& library) {
  if (!has_certificate() && !has_raw_public_key()) return {};
  if (certificate_hash) {
    credential.assign(certificate_hash->begin(), certificate_hash->end());
  } else {
    const auto fingerprint = crypto::digest(library, HashAlgorithm::sha256, credential);
    if (!fingerprint) return forward_error(fingerprint);
    const Bytes bytes = fingerprint->bytes();
    credential = Buffer(bytes.begin(), bytes.end());
  }
  certificate_hash.reset();
  proof = has_certificate() ? PeerProof::certificate_fingerprint
                            : PeerProof::raw_public_key_fingerprint;
  return {};
}

Instant PeerIdentity::resumable_until(const ConfigOptions& config) const {
  return std::min(saturating_add(authenticated_at, config.max_session_age), valid_until);
}

PeerInfo PeerIdentity::info() && {
  PeerInfo info{.verified_name = std::move(verified_name), .authenticated_at = authenticated_at};
  if (signature_scheme != SignatureScheme{}) info.signature_scheme = signature_scheme;
  switch (proof) {
    case PeerProof::none:
      break;
    case PeerProof::certificate:
      info.credential = PeerCredential::certificate;
      info.certificate = std::move(credential);
      break;
    case PeerProof::certificate_fingerprint:
      info.credential = PeerCredential::certificate;
      info.certificate_fingerprint = std::move(credential);
      break;
    case PeerProof::external_psk:
      info.credential = PeerCredential::psk;
      info.psk_identity = std::move(credential);
      break;
    case PeerProof::raw_public_key:
      info.credential = PeerCredential::raw_public_key;
      info.certificate = std::move(credential);
      break;
    case PeerProof::raw_public_key_fingerprint:
      info.credential = PeerCredential::raw_public_key;
      info.certificate_fingerprint = std::move(credential);
      break;
  }
  return info;
}

bool PeerIdentity::is_consistent() const {
  if (!is_by_psk() && psk != PskDigest{}) return false;
  if (certificate_hash && !has_certificate() && !has_raw_public_key()) return false;
  switch (proof) {
    case PeerProof::none:
      return credential.empty();
    case PeerProof::certificate:
    case PeerProof::raw_public_key:
      return !credential.empty();
    case PeerProof::certificate_fingerprint:
    case PeerProof::raw_public_key_fingerprint:
      return credential.size() == crypto::hash_size(HashAlgorithm::sha256);
    case PeerProof::external_psk:  // RFC 4279 section 5.1 allows an empty identity
      return true;
  }
  return false;
}

}  // namespace sluice::dtls::handshake
