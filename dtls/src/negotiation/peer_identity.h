// The identity of a session's peer, and the proof of it.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/config.h>

namespace sluice::dtls::crypto {
class Library;
}

namespace sluice::dtls::handshake {

// The kind of proof of the peer's identity.
enum class PeerProof : std::uint8_t {
  none,         // the peer stayed anonymous
  certificate,  // PeerIdentity::credential is the certificate (DER), without its issuers
  certificate_fingerprint,  // the same, of which only the SHA-256 is kept
  external_psk,             // PeerIdentity::credential is the PSK identity on the wire
};

// Names the rules under which a peer was accepted. Two Configs that check peers in the same way
// have the same policy.
enum class PolicyId : std::uint32_t {};

PolicyId policy_of(const ConfigOptions& config, Role role);

// A session that is resumed keeps the identity that its first handshake established.
struct PeerIdentity {
  PeerProof proof = PeerProof::none;
  Buffer credential = {};
  // The name for which the certificate chain was verified; a server verifies for no name and has an
  // empty one. Without a value the chain was not verified.
  std::optional<std::string> verified_name = {};
  PolicyId policy{};
  Instant authenticated_at{};  // when the first handshake was complete

  static PeerIdentity of_certificate(Bytes certificate);
  static PeerIdentity of_psk(Bytes identity);

  [[nodiscard]] bool has_certificate() const { return proof == PeerProof::certificate; }
  [[nodiscard]] bool is_by_psk() const { return proof == PeerProof::external_psk; }

  // Replaces the certificate by its fingerprint; has no effect on other proofs.
  Result<void> keep_fingerprint_only(crypto::Library& library);
  // Whether proof and credential go together.
  [[nodiscard]] bool is_consistent() const;

  friend bool operator==(const PeerIdentity&, const PeerIdentity&) = default;
};

// All fields. The binding makes a new field a compile error here, and nowhere else is there a list.
template <class Identity>
  requires std::same_as<std::remove_const_t<Identity>, PeerIdentity>
auto fields_of(Identity& identity) {
  auto& [proof, credential, verified_name, policy, authenticated_at] = identity;
  return std::tie(proof, credential, verified_name, policy, authenticated_at);
}

}  // namespace sluice::dtls::handshake
