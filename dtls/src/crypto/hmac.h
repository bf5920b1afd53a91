// HMAC (RFC 2104): many MACs with one key.
#pragma once

#include <initializer_list>

#include <sluice/dtls/error.h>

#include "crypto/hash.h"

namespace sluice::dtls::crypto {

// Uses the Library's only HMAC context of this hash, so at most one Hmac per hash may exist at a
// time. The destructor overwrites the key in the context.
class Hmac {
 public:
  static Result<Hmac> with_key(Library& library, HashAlgorithm hash, Bytes key);
  // For a key that is used again soon, such as a master secret. While a DeferredWipe exists, the
  // key is not set again if it was the last one that was set. The comparison takes constant time.
  static Result<Hmac> with_repeated_key(Library& library, HashAlgorithm hash, Bytes key);

  Hmac(Hmac&& other) noexcept
      : library_(std::exchange(other.library_, nullptr)),
        hash_(other.hash_),
        is_begun_(other.is_begun_) {}
  Hmac& operator=(Hmac&&) = delete;
  ~Hmac();

  // The MAC of the concatenated parts.
  Result<Digest> compute(std::initializer_list<Bytes> parts);

 private:
  Hmac(Library& library, HashAlgorithm hash, bool is_begun)
      : library_(&library), hash_(hash), is_begun_(is_begun) {}

  Library* library_;
  HashAlgorithm hash_;
  bool is_begun_;  // setting a key begins a MAC too
};

// Delays the wiping of HMAC keys. While a DeferredWipe exists, the destructor of Hmac leaves its
// key in the Library's context until the next key replaces it, because wiping a key costs as much
// as setting one. The destructor of the outermost DeferredWipe wipes the keys that are left.
class DeferredWipe {
 public:
  explicit DeferredWipe(Library& library);
  DeferredWipe(const DeferredWipe&) = delete;
  DeferredWipe& operator=(const DeferredWipe&) = delete;
  ~DeferredWipe();

 private:
  Library& library_;
};

}  // namespace sluice::dtls::crypto
