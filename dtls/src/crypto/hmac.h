// HMAC (RFC 2104) under one key, many times.
#pragma once

#include <initializer_list>

#include <sluice/dtls/error.h>

#include "crypto/hash.h"

namespace sluice::dtls::crypto {

// Borrows the Library's one HMAC context of its hash: at most one Hmac of a hash lives at a time.
// The key is overwritten in the context at the end.
class Hmac {
 public:
  static Result<Hmac> with_key(Library& library, HashAlgorithm hash, Bytes key);

  Hmac(Hmac&& other) noexcept
      : hash_(other.hash_), context_(std::exchange(other.context_, nullptr)) {}
  Hmac& operator=(Hmac&&) = delete;
  ~Hmac();

  // The MAC of all parts, one after another.
  [[nodiscard]] Result<Digest> compute(std::initializer_list<Bytes> parts) const;

 private:
  Hmac(HashAlgorithm hash, EVP_MAC_CTX* context) : hash_(hash), context_(context) {}

  HashAlgorithm hash_;
  EVP_MAC_CTX* context_;
};

}  // namespace sluice::dtls::crypto
