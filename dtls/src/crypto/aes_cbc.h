// AES-128 in CBC mode (NIST SP 800-38A), without padding.
#pragma once

#include <array>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

#include "crypto/openssl_ptr.h"

namespace sluice::dtls::crypto {

class Library;

inline constexpr std::size_t kAesBlockSize = 16;
inline constexpr std::size_t kAesCbcKeySize = 16;

// Encrypts or decrypts one direction.
class AesCbc {
 public:
  enum class Direction : bool { decrypt, encrypt };

  // Errors: libcrypto_failure, also for a key of another size.
  static Result<AesCbc> make(Library& library, Direction direction, Bytes key);

  // Works in place. `iv` has one block, `blocks` any number of whole blocks. Returns false when
  // libcrypto fails.
  bool process(Bytes iv, MutableBytes blocks);

 private:
  explicit AesCbc(CipherContextPtr context) : context_(std::move(context)) {}
  CipherContextPtr context_;
};

}  // namespace sluice::dtls::crypto
