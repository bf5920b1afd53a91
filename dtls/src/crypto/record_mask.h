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
  // The bytes of ciphertext from which the mask is computed. Shorter records cannot be read.
  static constexpr std::size_t kSampleSize = 16;
  using Mask = std::array<std::byte, 2>;  // the longest record number on the wire

  // `key` is the sn_key. It has the AEAD's key size.
  static Result<RecordMask> make(Library& library, AeadAlgorithm aead, Bytes key);

  // `sample` is the start of the ciphertext. Empty when libcrypto fails.
  std::optional<Mask> compute(std::span<const std::byte, kSampleSize> sample);

 private:
  RecordMask(AeadAlgorithm aead, CipherContextPtr context)
      : aead_(aead), context_(std::move(context)) {}

  AeadAlgorithm aead_;
  CipherContextPtr context_;
};

}  // namespace sluice::dtls::crypto
