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

// The additional data that a DTLS 1.2 record authenticates together with its plaintext (RFC 5246
// section 6.2.3.3).
inline constexpr std::size_t kAssociatedDataSize12 = 13;
using AssociatedData12 = std::array<std::byte, kAssociatedDataSize12>;
// The part of a nonce that a record of AES-GCM or AES-CCM carries (RFC 5288 section 3, RFC 6655
// section 3). The rest comes from the key block.
inline constexpr std::size_t kExplicitNonceSize = 8;
inline constexpr std::size_t kFixedNonceSize = kAeadNonceSize - kExplicitNonceSize;

// Whether libcrypto's TLS parameters work with `cipher`. They take the nonce and the additional
// data of a record, which libcrypto then processes in one call. With GCM they also set the whole
// nonce of other messages, without the size queries of EVP_CipherInit_ex2. For a short record of
// CCM they save two fifths of the time, for 1200 bytes of GCM an eighth each. The function tests
// the parameters: a provider that ignores an unknown parameter would use the previous nonce again.
bool has_tls_parameters(const EVP_CIPHER* cipher, AeadAlgorithm aead);

// A context of `cipher` that has CCM's sizes and no key. A copy of it costs less than a context
// that is made from the beginning. Null for other ciphers, and where libcrypto cannot copy it.
CipherContextPtr sized_context(const EVP_CIPHER* cipher, AeadAlgorithm aead);

// A libcrypto cipher context that has its key.
struct KeyedCipher {
  CipherContextPtr context;
  AeadAlgorithm aead;
  bool has_tls_parameters;

  [[nodiscard]] std::size_t tag_size() const { return crypto::tag_size(aead); }
  // CCM needs the length of the text first (RFC 3610).
  [[nodiscard]] bool is_ccm() const { return crypto::is_ccm(aead); }
  // Whether a parameter sets the nonce of messages that are no records.
  [[nodiscard]] bool has_nonce_parameter() const {
    return has_tls_parameters && crypto::is_gcm(aead);
  }
};

// Encrypts one direction. The caller provides unique nonces.
class AeadSealer {
 public:
  static Result<AeadSealer> make(Library& library, AeadAlgorithm aead, Bytes key);

  [[nodiscard]] std::size_t tag_size() const { return cipher_.tag_size(); }
  // Writes ciphertext and tag to `out`, which has the size of both. `plaintext` may start at the
  // same address as `out`; otherwise they must not overlap.
  Result<void> seal(const AeadNonce& nonce, Bytes associated_data, Bytes plaintext,
                    MutableBytes out);

  // Whether seal_record12() may be called.
  [[nodiscard]] bool does_records12() const { return cipher_.has_tls_parameters; }
  // Seals a DTLS 1.2 record with an explicit nonce in one call. `record` has room for the nonce,
  // the plaintext and the tag. `data` begins with the explicit part of the nonce; the function
  // fills the length into a copy of it. With CCM, seal() fails afterwards.
  Result<void> seal_record12(const AeadNonce& nonce,
                             std::span<const std::byte, kAssociatedDataSize12> data,
                             MutableBytes record);

 private:
  explicit AeadSealer(KeyedCipher cipher) : cipher_(std::move(cipher)) {}
  [[no_unique_address]] KeyedCipher cipher_;
};

class AeadOpener {
 public:
  static Result<AeadOpener> make(Library& library, AeadAlgorithm aead, Bytes key);

  [[nodiscard]] std::size_t tag_size() const { return cipher_.tag_size(); }
  // Decrypts in place. The plaintext is `sealed` without its last tag_size() bytes. Returns false
  // and destroys the contents of `sealed` if they are not authentic.
  bool open(const AeadNonce& nonce, Bytes associated_data, MutableBytes sealed);

  // Whether open_record12() may be called.
  [[nodiscard]] bool does_records12() const { return cipher_.has_tls_parameters; }
  // The reverse of AeadSealer::seal_record12(). The plaintext stays at its offset in `record`. With
  // CCM, open() fails afterwards.
  bool open_record12(const AeadNonce& nonce, std::span<const std::byte, kAssociatedDataSize12> data,
                     MutableBytes record);

 private:
  explicit AeadOpener(KeyedCipher cipher) : cipher_(std::move(cipher)) {}
  [[no_unique_address]] KeyedCipher cipher_;
};

}  // namespace sluice::dtls::crypto
