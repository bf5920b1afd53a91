// The identity of the peer of an open connection, as long as that lives.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/peer_info.h>

#include "negotiation/peer_identity.h"

namespace sluice::dtls::connection {

// Of a certificate only fingerprints are kept, because most connections are open and silent most of
// the time, and there may be a million of them.
class AcceptedPeer {
 public:
  // A peer without credentials.
  AcceptedPeer() = default;
  // Errors: libcrypto_failure.
  static Result<AcceptedPeer> make(handshake::PeerIdentity identity, crypto::Library& library);

  // What a connection that moves takes with it.
  struct Facts {
    PeerInfo info = {};  // without PeerInfo::certificate
    // PeerIdentity::psk, which an AcceptedPeer does not keep: who exports it asks the Config. Empty
    // also where the PSK was an answer (PskRequested).
    std::optional<handshake::PskDigest> psk = {};
    std::optional<Fingerprint> match = {};  // see keep(); none with SHA-256
    Instant valid_until = Instant::max();   // PeerIdentity::valid_until
  };
  [[nodiscard]] Facts facts() const;
  static AcceptedPeer of(Facts facts);

  // Keeps the fingerprint by which the certificate was accepted, for later calls of matches().
  void keep(const Fingerprint& match);
  // Whether the announced fingerprints contain one that was kept. Of those that can be compared,
  // the ones by the strongest hash decide (RFC 8122 section 5.1).
  [[nodiscard]] bool matches(std::span<const Fingerprint> announced) const;
  [[nodiscard]] PeerInfo info() const;

 private:
  // The SHA-256 of the certificate or raw public key, or the PSK identity. Long identities are
  // allocated, and so is what few peers have.
  using Near = std::array<std::byte, 32>;
  struct Far {
    Buffer proof = {};
    std::string verified_name = {};
    std::optional<Fingerprint> match = {};  // by another hash than SHA-256
    Instant valid_until = Instant::max();
  };

  [[nodiscard]] bool has_fingerprint() const {
    return credential_ == PeerCredential::certificate ||
           credential_ == PeerCredential::raw_public_key;
  }
  void set_proof(Bytes proof);
  [[nodiscard]] Bytes proof() const;
  // Null: there is none.
  [[nodiscard]] const Far* far() const;
  // Allocates it.
  Far& edit_far();

  Instant authenticated_at_{};
  // no_unique_address: the next members begin in its padding.
  [[no_unique_address]] std::variant<Near, std::unique_ptr<Far>> stored_;
  std::uint8_t near_size_ = 0;
  PeerCredential credential_ = PeerCredential::none;
  bool is_verified_ = false;  // PeerInfo::verified_name has a value
  SignatureScheme signature_scheme_{};
};

}  // namespace sluice::dtls::connection
