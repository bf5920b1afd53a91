// Protection of DTLS 1.2 records by an AEAD (RFC 5246 section 6.2.3.3, RFC 5288 section 3, RFC 7905
// section 2) or by a RecordProtection12.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include <sluice/dtls/cipher_suite12.h>

#include "crypto/aead.h"
#include "record/header12.h"

namespace sluice::dtls::record {

// How a nonce is made of IV and record number.
enum class NonceKind : std::uint8_t {
  explicit_part,  // GCM, CCM: 4 bytes of IV, then 8 bytes that precede the ciphertext
  from_sequence,  // ChaCha20-Poly1305: 12 bytes of IV, exclusive-or the record number
};

// One direction's part of the key block.
struct ProtectionKey12 {
  crypto::AeadAlgorithm aead;
  Bytes key;
  Bytes iv;  // 4 bytes for an explicit part, else 12
};

class Nonces12 {
 public:
  explicit Nonces12(Bytes iv);

  [[nodiscard]] std::size_t explicit_size() const {
    return kind_ == NonceKind::explicit_part ? crypto::kExplicitNonceSize : 0;
  }
  // `record_number` is epoch and sequence number as the header has them; for the explicit kind the
  // sender puts the same 8 bytes on the wire, so no two records of a key share a nonce.
  [[nodiscard]] crypto::AeadNonce nonce(Bytes record_number) const;

 private:
  NonceKind kind_;
  crypto::AeadNonce iv_{};
};

class AeadSealer12 {
 public:
  static Result<AeadSealer12> make(crypto::Library& library, const ProtectionKey12& key);

  [[nodiscard]] RecordRoom12 room() const { return {nonces_.explicit_size(), aead_.tag_size()}; }
  // The same as Sealer12::seal(), but `header` contains its length.
  Result<void> seal(const Header12& header, Bytes plaintext, MutableBytes out);

 private:
  AeadSealer12(Nonces12 nonces, crypto::AeadSealer aead)
      : nonces_(nonces), aead_(std::move(aead)) {}
  Nonces12 nonces_;
  crypto::AeadSealer aead_;
};

class AeadOpener12 {
 public:
  static Result<AeadOpener12> make(crypto::Library& library, const ProtectionKey12& key);

  std::optional<MutableBytes> open(const Header12& header, MutableBytes record);

 private:
  AeadOpener12(Nonces12 nonces, crypto::AeadOpener aead)
      : nonces_(nonces), aead_(std::move(aead)) {}
  Nonces12 nonces_;
  crypto::AeadOpener aead_;
};

// The protection of a suite that is not an AEAD, or that the application implements.
struct OwnProtection12 {
  std::unique_ptr<RecordProtection12> protection;
  RecordRoom12 room;
  bool has_exact_room = false;  // no record takes less
};

class Sealer12 {
 public:
  static Result<Sealer12> make(crypto::Library& library, const ProtectionKey12& key) {
    return AeadSealer12::make(library, key).map([](AeadSealer12 aead) {
      return Sealer12(std::move(aead));
    });
  }
  explicit Sealer12(OwnProtection12 own) : sealer_(std::move(own)) {}

  [[nodiscard]] RecordRoom12 room() const {
    const auto* aead = std::get_if<AeadSealer12>(&sealer_);
    return aead != nullptr ? aead->room() : std::get<OwnProtection12>(sealer_).room;
  }
  // The bytes between header and plaintext, and the most bytes after the plaintext.
  [[nodiscard]] std::size_t head_room() const { return room().head; }
  [[nodiscard]] std::size_t tail_room() const { return room().tail; }
  // Whether a record has all of tail_room() after its plaintext, however long that is.
  // Every record has at least the whole room, so that a shorter one cannot be authentic.
  [[nodiscard]] bool has_exact_room() const {
    const auto* own = std::get_if<OwnProtection12>(&sealer_);
    return own == nullptr || own->has_exact_room;
  }

  // Writes the whole record to `out` and returns its size. `header` comes without its length.
  // `plaintext` may lie where its ciphertext will, else it must not overlap `out`. Errors:
  // buffer_too_small, libcrypto_failure.
  Result<std::size_t> seal(Header12 header, Bytes plaintext, MutableBytes out);

 private:
  explicit Sealer12(AeadSealer12 aead) : sealer_(std::move(aead)) {}

  std::variant<AeadSealer12, OwnProtection12> sealer_;
};

class Opener12 {
 public:
  static Result<Opener12> make(crypto::Library& library, const ProtectionKey12& key) {
    return AeadOpener12::make(library, key).map([](AeadOpener12 aead) {
      return Opener12(std::move(aead));
    });
  }
  explicit Opener12(OwnProtection12 own) : opener_(std::move(own.protection)) {}

  // Decrypts in place and returns the plaintext. `record` is the whole record as received, `header`
  // its header. Empty when the record is too short or not authentic.
  std::optional<MutableBytes> open(const Header12& header, MutableBytes record);

 private:
  explicit Opener12(AeadOpener12 aead) : opener_(std::move(aead)) {}
  std::variant<AeadOpener12, std::unique_ptr<RecordProtection12>> opener_;
};

}  // namespace sluice::dtls::record
