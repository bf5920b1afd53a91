// The mask that hides record numbers in DTLS 1.3 (RFC 9147 section 4.2.3).
#pragma once

#include <array>
#include <optional>
#include <span>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

#include "crypto/aead.h"

namespace sluice::dtls::crypto {

class RecordMask {
 public:
  // How much of the ciphertext the mask is made from; shorter records can't be read.
  static constexpr std::size_t kSampleSize = 16;
  using Mask = std::array<std::byte, 2>;  // as much as a record number on the wire has at most

  // `key` is the sn_key, of the AEAD's key size.
  static Result<RecordMask> make(Library& library, AeadAlgorithm aead, Bytes key);

  // From the first kSampleSize bytes of the ciphertext. Empty when libcrypto fails.
  std::optional<Mask> compute(std::span<const std::byte, kSampleSize> sample);

 private:
  RecordMask(AeadAlgorithm aead, CipherContextPtr context)
      : aead_(aead), context_(std::move(context)) {}

  AeadAlgorithm aead_;
  CipherContextPtr context_;
};

}  // namespace sluice::dtls::crypto
