// HMAC (RFC 2104): many MACs with one key.
#pragma once

#include <initializer_list>

#include <sluice/dtls/error.h>

#include "crypto/hash.h"

namespace sluice::dtls::crypto {

// The block of SHA-1 and SHA-256: HMAC would hash a longer key (RFC 2104 section 2).
inline constexpr std::size_t kMaxRepeatedKey = 64;

// Uses the Library's only HMAC context of this hash, so at most one Hmac per hash may exist at a
// time. The destructor overwrites the key in the context, but for a repeated key.
class Hmac {
 public:
  static Result<Hmac> with_key(Library& library, HashAlgorithm hash, Bytes key);
  // For a key of at most kMaxRepeatedKey bytes that its connection has for as long as it exists,
  // such as a master secret. It remains in the context until another key is set or
  // forget_repeated_key() is called, and is not set again meanwhile: setting or wiping a key costs
  // as much as a MAC. The comparison takes constant time.
  static Result<Hmac> with_repeated_key(Library& library, HashAlgorithm hash, Bytes key);

  Hmac(Hmac&& other) noexcept
      : library_(std::exchange(other.library_, nullptr)),
        hash_(other.hash_),
        is_begun_(other.is_begun_) {}
  Hmac& operator=(Hmac&&) = delete;
  ~Hmac();

  // The MAC of the concatenated parts.
  Result<Digest> compute(std::initializer_list<Bytes> parts);
  // The same for one part. `out` has the size of the hash, and may be a part of `message`.
  Result<void> compute(Bytes message, MutableBytes out);

 private:
  Hmac(Library& library, HashAlgorithm hash, bool is_begun)
      : library_(&library), hash_(hash), is_begun_(is_begun) {}
  // Whether a MAC with the present key has begun.
  bool begin();
  // `done`: begin() and updating have succeeded.
  Result<void> finish(bool done, MutableBytes out);

  Library* library_;
  HashAlgorithm hash_;
  bool is_begun_;  // setting a key begins a MAC too
};

// Wipes the key that Hmac::with_repeated_key() has left. Call it where a connection ends, whose key
// it may be.
void forget_repeated_key(Library& library);

// Delays the wiping of other HMAC keys. While a DeferredWipe exists, the destructor of Hmac leaves
// its key in the Library's context until the next key replaces it, because wiping a key costs as
// much as setting one. The destructor of the outermost DeferredWipe wipes the keys that are left.
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
