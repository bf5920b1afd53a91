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
      : library_(std::exchange(other.library_, nullptr)),
        hash_(other.hash_),
        is_begun_(other.is_begun_) {}
  Hmac& operator=(Hmac&&) = delete;
  ~Hmac();

  // The MAC of all parts, one after another.
  Result<Digest> compute(std::initializer_list<Bytes> parts);

 private:
  Hmac(Library& library, HashAlgorithm hash) : library_(&library), hash_(hash) {}

  Library* library_;
  HashAlgorithm hash_;
  bool is_begun_ = true;  // setting a key begins a MAC too
};

// While one lives, the Library's contexts keep the keys of Hmacs that have ended until others take
// their place: overwriting a key costs as much as setting one. The outermost overwrites the rest.
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
