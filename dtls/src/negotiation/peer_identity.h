// The identity of a session's peer, and the proof of it.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/config.h>
#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/peer_info.h>

#include "crypto/hash.h"
#include "negotiation/psk_digest.h"

namespace sluice::dtls::handshake {

// The kind of proof of the peer's identity.
enum class PeerProof : std::uint8_t {
  none,         // the peer stayed anonymous
  certificate,  // PeerIdentity::credential is the certificate (DER), without its issuers
  certificate_fingerprint,     // the same, of which only the SHA-256 is kept
  external_psk,                // PeerIdentity::credential is the PSK identity on the wire
  raw_public_key,              // PeerIdentity::credential is the SubjectPublicKeyInfo (DER)
  raw_public_key_fingerprint,  // the same, of which only the SHA-256 is kept
};

// Names the rules under which a peer was accepted: a SHA-256, so that no one can make two policies
// with the same id.
struct PolicyId {
  std::array<std::byte, 32> value{};
  friend bool operator==(const PolicyId&, const PolicyId&) = default;
};

// The policy of a Config in one role: ConfigOptions::policy_id, or if that is empty, all options
// that decide which peers are accepted. Two Configs that check peers in the same way have the same
// id.
Result<PolicyId> policy_of(crypto::Library& library, const ConfigOptions& config, Role role);

// A session that is resumed keeps the identity that its first handshake established.
struct PeerIdentity {
  PeerProof proof = PeerProof::none;
  Buffer credential = {};
  // Of the certificate or raw public key, if it was computed.
  std::optional<crypto::Sha256> certificate_hash = {};
  // Of the external PSK's identity and key; zeros without one, and where no session is kept.
  PskDigest psk{};
  // The name for which the certificate chain was verified; a server verifies for no name and has an
  // empty one. Without a value the chain was not verified.
  std::optional<std::string> verified_name = {};
  SignatureScheme signature_scheme{};  // of the peer's handshake signature; 0: none
  PolicyId policy{};
  Instant authenticated_at{};  // when the first handshake was complete
  // When the first certificate of a verified chain expires. Other certificates have no limit,
  // because nothing checks their dates.
  Instant valid_until = Instant::max();

  // Of a Certificate message of this type.
  static PeerIdentity of_certificate(Bytes certificate,
                                     CertificateType type = CertificateType::x509);
  static Result<PeerIdentity> of_psk(crypto::Library& library, Bytes identity, Bytes key);
  // Without the digest.
  static PeerIdentity of_psk(Bytes identity);

  [[nodiscard]] bool has_certificate() const { return proof == PeerProof::certificate; }
  [[nodiscard]] bool has_raw_public_key() const { return proof == PeerProof::raw_public_key; }
  [[nodiscard]] bool is_by_psk() const { return proof == PeerProof::external_psk; }

  // When the last session that follows from this proof ends (RFC 8446 section 4.6.1).
  [[nodiscard]] Instant resumable_until(const ConfigOptions& config) const;
  // Moves the credential and the name there.
  [[nodiscard]] PeerInfo info() &&;

  // The fingerprint by which the certificate or raw public key was accepted; null: by none.
  void keep_hash(const Fingerprint* match);
  // Replaces the certificate or raw public key by its fingerprint; has no effect on other proofs.
  Result<void> keep_fingerprint_only(crypto::Library& library);
  // Whether this PSK is the peer's; false also where libcrypto fails.
  [[nodiscard]] bool is_by(crypto::Library& library, const PreSharedKey& key) const;
  // Whether proof, credential and PSK digest go together.
  [[nodiscard]] bool is_consistent() const;

  friend bool operator==(const PeerIdentity&, const PeerIdentity&) = default;
};

// All fields. The binding makes a new field a compile error here, and nowhere else is there a list.
template <class Identity>
  requires std::same_as<std::remove_const_t<Identity>, PeerIdentity>
auto fields_of(Identity& identity) {
  auto& [proof, credential, certificate_hash, psk, verified_name, signature_scheme, policy,
         authenticated_at, valid_until] = identity;
  return std::tie(proof, credential, certificate_hash, psk, verified_name, signature_scheme, policy,
                  authenticated_at, valid_until);
}

}  // namespace sluice::dtls::handshake
