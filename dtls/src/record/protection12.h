// AEAD protection of DTLS 1.2 records (RFC 5246 section 6.2.3.3, RFC 5288 section 3, RFC 7905
// section 2).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "crypto/aead.h"
#include "record/header12.h"

namespace sluice::dtls::record {

// How a record's nonce comes to be.
enum class NonceKind : std::uint8_t {
  explicit_part,  // 4 bytes of IV, then 8 that stand before the ciphertext: GCM, CCM
  from_sequence,  // 12 bytes of IV, exclusive-or the record number: ChaCha20-Poly1305
};

// The bytes that a key block gives one direction.
struct ProtectionKey12 {
  crypto::AeadAlgorithm aead;
  Bytes key;
  Bytes iv;  // 4 bytes for an explicit part, else 12
};

class Nonces12 {
 public:
  explicit Nonces12(Bytes iv);

  [[nodiscard]] std::size_t explicit_size() const {
    return kind_ == NonceKind::explicit_part ? 8 : 0;
  }
  // `record_number` is epoch and sequence number as the header has them; for the explicit kind the
  // sender puts the same 8 bytes on the wire, so no two records of a key share a nonce.
  [[nodiscard]] crypto::AeadNonce nonce(Bytes record_number) const;

 private:
  NonceKind kind_;
  crypto::AeadNonce iv_{};
};

class Sealer12 {
 public:
  static Result<Sealer12> make(crypto::Library& library, const ProtectionKey12& key);

  // What goes before and after the plaintext, the header excepted.
  [[nodiscard]] std::size_t head_room() const { return nonces_.explicit_size(); }
  [[nodiscard]] std::size_t tail_room() const { return aead_.tag_size(); }

  // Writes the whole record to `out`: header, head room, ciphertext and tag. `header` without its
  // length. `plaintext` may lie where its ciphertext will, else it must not overlap `out`.
  Result<std::size_t> seal(Header12 header, Bytes plaintext, MutableBytes out);

 private:
  Sealer12(Nonces12 nonces, crypto::AeadSealer aead) : nonces_(nonces), aead_(std::move(aead)) {}
  Nonces12 nonces_;
  crypto::AeadSealer aead_;
};

class Opener12 {
 public:
  static Result<Opener12> make(crypto::Library& library, const ProtectionKey12& key);

  // `record` is header and fragment as they came; the plaintext stays in its place. Empty when it
  // is too short or not authentic.
  std::optional<MutableBytes> open(const Header12& header, MutableBytes record);

 private:
  Opener12(Nonces12 nonces, crypto::AeadOpener aead) : nonces_(nonces), aead_(std::move(aead)) {}
  Nonces12 nonces_;
  crypto::AeadOpener aead_;
};

}  // namespace sluice::dtls::record
