// A hash for tables: who doesn't know the key can't make values that meet in one place.
#pragma once

#include <cstdint>

#include <sluice/dtls/error.h>
#include <sluice/dtls/secret.h>

#include "crypto/openssl_ptr.h"

namespace sluice::dtls::crypto {

class Library;

// SipHash-2-4 under a random key; HMAC with SHA-256 where the Environment's property query has no
// SipHash (fips=yes). Allocates nothing once made.
class KeyedHash {
 public:
  static Result<KeyedHash> make(Library& library);

  // Where libcrypto fails, the hash of anything is 0: tables work on, slower.
  [[nodiscard]] std::uint64_t operator()(Bytes value) const;

 private:
  using Key = Secret<16>;

  KeyedHash(MacContextPtr context, Key key) : context_(std::move(context)), key_(std::move(key)) {}

  MacContextPtr context_;
  Key key_;
};

}  // namespace sluice::dtls::crypto
