// Message digests: at once, and running.
#pragma once

#include <array>
#include <span>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/protocol.h>

#include "crypto/openssl_ptr.h"

namespace sluice::dtls::crypto {

class Library;

inline constexpr std::size_t kMaxHashSize = 64;

constexpr std::size_t hash_size(HashAlgorithm hash) {
  switch (hash) {
    case HashAlgorithm::sha1:
      return 20;
    case HashAlgorithm::sha256:
      return 32;
    case HashAlgorithm::sha384:
      return 48;
    case HashAlgorithm::sha512:
      return 64;
  }
  return 0;
}

// A hash value, held in place.
class Digest {
 public:
  explicit Digest(HashAlgorithm hash) : size_(hash_size(hash)) {}
  [[nodiscard]] Bytes bytes() const { return {bytes_.data(), size_}; }
  [[nodiscard]] MutableBytes bytes() { return {bytes_.data(), size_}; }

 private:
  std::array<std::byte, kMaxHashSize> bytes_{};
  std::size_t size_;
};

Result<Digest> digest(Library& library, HashAlgorithm hash, Bytes data);
// digest() of no bytes.
Bytes digest_of_nothing(HashAlgorithm hash);
// Of all parts, one after another.
Result<Digest> digest_of_parts(Library& library, HashAlgorithm hash, std::span<const Bytes> parts);

// A hash that is asked for its value while it goes on.
class RunningHash {
 public:
  static Result<RunningHash> start(Library& library, HashAlgorithm hash);

  Result<void> update(Bytes data);
  // One that goes on from here by itself.
  [[nodiscard]] Result<RunningHash> clone() const;
  // The hash of all so far; more may follow.
  [[nodiscard]] Result<Digest> value(Library& library) const;

 private:
  RunningHash(HashAlgorithm hash, DigestContextPtr context)
      : hash_(hash), context_(std::move(context)) {}

  HashAlgorithm hash_;
  DigestContextPtr context_;
};

}  // namespace sluice::dtls::crypto
