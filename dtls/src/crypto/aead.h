// Authenticated encryption with associated data (RFC 5116).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

#include "crypto/openssl_ptr.h"

namespace sluice::dtls::crypto {

class Library;

enum class AeadAlgorithm : std::uint8_t {
  aes_128_gcm,
  aes_256_gcm,
  chacha20_poly1305,
  aes_128_ccm,  // RFC 6655 section 3
  aes_256_ccm,
  aes_128_ccm_8,  // with a tag of 8 bytes
  aes_256_ccm_8,
};
inline constexpr std::size_t kAeadAlgorithms = 7;

inline constexpr std::size_t kAeadNonceSize = 12;
inline constexpr std::size_t kMaxAeadTagSize = 16;
inline constexpr std::size_t kMaxAeadKeySize = 32;
using AeadNonce = std::array<std::byte, kAeadNonceSize>;

constexpr std::size_t key_size(AeadAlgorithm aead) {
  const bool is_128 = aead == AeadAlgorithm::aes_128_gcm || aead == AeadAlgorithm::aes_128_ccm ||
                      aead == AeadAlgorithm::aes_128_ccm_8;
  return is_128 ? 16 : 32;
}
constexpr bool is_ccm_8(AeadAlgorithm aead) {
  return aead == AeadAlgorithm::aes_128_ccm_8 || aead == AeadAlgorithm::aes_256_ccm_8;
}
constexpr bool is_ccm(AeadAlgorithm aead) {
  return aead == AeadAlgorithm::aes_128_ccm || aead == AeadAlgorithm::aes_256_ccm || is_ccm_8(aead);
}
constexpr bool is_gcm(AeadAlgorithm aead) {
  return aead == AeadAlgorithm::aes_128_gcm || aead == AeadAlgorithm::aes_256_gcm;
}
constexpr std::size_t tag_size(AeadAlgorithm aead) { return is_ccm_8(aead) ? 8 : kMaxAeadTagSize; }

// What a DTLS 1.2 record authenticates besides its plaintext (RFC 5246 section 6.2.3.3).
inline constexpr std::size_t kAssociatedDataSize12 = 13;
using AssociatedData12 = std::array<std::byte, kAssociatedDataSize12>;
// The part of a nonce that a record of AES-GCM carries (RFC 5288 section 3).
inline constexpr std::size_t kExplicitNonceSize = 8;

// Whether a context of `cipher` takes what libcrypto's GCM has for TLS: a whole nonce as a
// parameter, where EVP_CipherInit_ex2 asks the provider for sizes by their names besides; and a
// record's additional data, after which it does the record at one go. For one of 1200 bytes that is
// an eighth of the time, and as much again. A provider that doesn't know such a parameter would go
// on with the nonce before, so it is tried out.
bool has_tls_parameters(const EVP_CIPHER* cipher, AeadAlgorithm aead);

// A cipher's context with its key.
struct KeyedCipher {
  CipherContextPtr context;
  AeadAlgorithm aead;
  bool has_tls_parameters;

  [[nodiscard]] std::size_t tag_size() const { return crypto::tag_size(aead); }
  // Wants the length of the text before anything else (RFC 3610).
  [[nodiscard]] bool is_ccm() const { return crypto::is_ccm(aead); }
};

// One direction's keyed cipher. The nonces are its user's care.
class AeadSealer {
 public:
  static Result<AeadSealer> make(Library& library, AeadAlgorithm aead, Bytes key);

  [[nodiscard]] std::size_t tag_size() const { return cipher_.tag_size(); }
  // Writes ciphertext and tag to `out`, which has the size of both. `plaintext` may start where
  // `out` does, else they must not overlap.
  Result<void> seal(const AeadNonce& nonce, Bytes associated_data, Bytes plaintext,
                    MutableBytes out);

  // Whether there is seal_record12().
  [[nodiscard]] bool does_records12() const { return cipher_.has_tls_parameters; }
  // Seals a record of DTLS 1.2 with an explicit nonce at one go. `record` is room for that, the
  // plaintext, and room for the tag; the length in `data` is filled in.
  Result<void> seal_record12(const AeadNonce& nonce,
                             std::span<const std::byte, kAssociatedDataSize12> data,
                             MutableBytes record);

 private:
  explicit AeadSealer(KeyedCipher cipher) : cipher_(std::move(cipher)) {}
  KeyedCipher cipher_;
};

class AeadOpener {
 public:
  static Result<AeadOpener> make(Library& library, AeadAlgorithm aead, Bytes key);

  [[nodiscard]] std::size_t tag_size() const { return cipher_.tag_size(); }
  // Decrypts in place; the plaintext is `sealed` without its last tag_size() bytes. False, with the
  // bytes spoilt, when they are not authentic.
  bool open(const AeadNonce& nonce, Bytes associated_data, MutableBytes sealed);

  // Whether there is open_record12().
  [[nodiscard]] bool does_records12() const { return cipher_.has_tls_parameters; }
  // As AeadSealer::seal_record12(): the plaintext stays in its place.
  bool open_record12(const AeadNonce& nonce, std::span<const std::byte, kAssociatedDataSize12> data,
                     MutableBytes record);

 private:
  explicit AeadOpener(KeyedCipher cipher) : cipher_(std::move(cipher)) {}
  KeyedCipher cipher_;
};

}  // namespace sluice::dtls::crypto
