// Message digests, in one call or incremental.
#pragma once

#include <array>
#include <optional>
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

using Sha256 = std::array<std::byte, 32>;

// A hash value, stored in the object.
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
// The digest of the empty message.
Bytes digest_of_nothing(HashAlgorithm hash);
// The digest of the concatenated parts.
Result<Digest> digest_of_parts(Library& library, HashAlgorithm hash, std::span<const Bytes> parts);

// The SHA-256 of a text that seldom changes. Hashes again only what differs from the last text.
class RepeatedHash {
 public:
  // `write` appends the text to an empty buffer.
  template <class Write>
  Result<Sha256> of(Library& library, Write&& write) {
    next_.clear();
    write(next_);
    return of_next(library);
  }

 private:
  Result<Sha256> of_next(Library& library);

  // Two buffers in turn, so that no text needs an allocation of its own.
  Buffer next_;
  Buffer text_;
  std::optional<Sha256> value_;  // of text_
};

// An incremental hash whose value can be read more than once.
class RunningHash {
 public:
  static Result<RunningHash> start(Library& library, HashAlgorithm hash);

  Result<void> update(Bytes data);
  // An independent copy of the present state.
  [[nodiscard]] Result<RunningHash> clone() const;
  // The hash of the data so far. update() may follow.
  [[nodiscard]] Result<Digest> value(Library& library) const;

 private:
  RunningHash(HashAlgorithm hash, DigestContextPtr context)
      : hash_(hash), context_(std::move(context)) {}

  HashAlgorithm hash_;
  DigestContextPtr context_;
};

}  // namespace sluice::dtls::crypto
