// A keyed hash for tables: without the key an attacker cannot produce collisions.
#pragma once

#include <cstdint>

#include <sluice/dtls/error.h>
#include <sluice/dtls/secret.h>

#include "crypto/openssl_ptr.h"

namespace sluice::dtls::crypto {

class Library;

// SipHash-2-4 with a random key, or HMAC-SHA256 where the property query of the Environment
// excludes SipHash (fips=yes). Allocates memory in make() only.
class KeyedHash {
 public:
  static Result<KeyedHash> make(Library& library);

  // Returns 0 if libcrypto fails. Tables still work then, but more slowly.
  [[nodiscard]] std::uint64_t operator()(Bytes value) const;

 private:
  using Key = Secret<16>;

  KeyedHash(MacContextPtr context, Key key) : context_(std::move(context)), key_(std::move(key)) {}

  MacContextPtr context_;
  Key key_;
};

}  // namespace sluice::dtls::crypto
