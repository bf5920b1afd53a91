// Authenticated encryption with associated data (RFC 5116).
#pragma once

#include <array>
#include <cstdint>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

#include "crypto/openssl_ptr.h"

namespace sluice::dtls::crypto {

class Library;

enum class AeadAlgorithm : std::uint8_t { aes_128_gcm, aes_256_gcm, chacha20_poly1305 };
inline constexpr std::size_t kAeadAlgorithms = 3;

inline constexpr std::size_t kAeadNonceSize = 12;
inline constexpr std::size_t kAeadTagSize = 16;
inline constexpr std::size_t kMaxAeadKeySize = 32;
using AeadNonce = std::array<std::byte, kAeadNonceSize>;

constexpr std::size_t key_size(AeadAlgorithm aead) {
  return aead == AeadAlgorithm::aes_128_gcm ? 16 : 32;
}

// One direction's keyed cipher. The nonces are its user's care.
class AeadSealer {
 public:
  static Result<AeadSealer> make(Library& library, AeadAlgorithm aead, Bytes key);

  // Writes ciphertext and tag to `out`, which has the size of both. `plaintext` may start where
  // `out` does, else they must not overlap.
  Result<void> seal(const AeadNonce& nonce, Bytes associated_data, Bytes plaintext,
                    MutableBytes out);

 private:
  explicit AeadSealer(CipherContextPtr context) : context_(std::move(context)) {}
  CipherContextPtr context_;
};

class AeadOpener {
 public:
  static Result<AeadOpener> make(Library& library, AeadAlgorithm aead, Bytes key);

  // Decrypts in place; the plaintext is `sealed` without its last kAeadTagSize bytes. False, with
  // the bytes spoilt, when they are not authentic.
  bool open(const AeadNonce& nonce, Bytes associated_data, MutableBytes sealed);

 private:
  explicit AeadOpener(CipherContextPtr context) : context_(std::move(context)) {}
  CipherContextPtr context_;
};

}  // namespace sluice::dtls::crypto
