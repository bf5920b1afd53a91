// Encrypts what follows the first octet of a routable connection ID
// (draft-ietf-quic-load-balancers section 5.4): a permutation of blocks of 5 to 19 bytes.
#pragma once

#include <array>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

#include "crypto/openssl_ptr.h"

namespace sluice::dtls::crypto {

class Library;

class RoutableIdCipher {
 public:
  static constexpr std::size_t kKeySize = 16;  // AES-128
  static constexpr std::size_t kMinBlock = 5;
  static constexpr std::size_t kMaxBlock = 19;

  // For blocks of `size` bytes. Errors: libcrypto_failure, also for a key of another size.
  static Result<RoutableIdCipher> make(Library& library, std::size_t size, Bytes key);

  [[nodiscard]] std::size_t size() const { return size_; }
  // Both work in place on size() bytes. False: libcrypto fails.
  [[nodiscard]] bool encrypt(MutableBytes block);
  [[nodiscard]] bool decrypt(MutableBytes block);

 private:
  // The size of AES's block needs one pass and no other construction ("Single Pass Encryption").
  static constexpr std::size_t kSinglePass = 16;
  using AesBlock = std::array<std::byte, kSinglePass>;
  struct Halves;

  RoutableIdCipher(std::size_t size, CipherContextPtr encryption, CipherContextPtr decryption)
      : size_(size), encryption_(std::move(encryption)), decryption_(std::move(decryption)) {}
  [[nodiscard]] bool apply_pass(std::size_t pass, Halves& halves);

  std::size_t size_;
  CipherContextPtr encryption_;
  CipherContextPtr decryption_;  // for single passes; else null
};

}  // namespace sluice::dtls::crypto
