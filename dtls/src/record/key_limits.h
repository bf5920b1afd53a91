// How many records the keys of one epoch may protect (RFC 9147 section 4.5.3).
#pragma once

#include <algorithm>
#include <cstdint>

#include <sluice/dtls/config.h>

#include "crypto/aead.h"

namespace sluice::dtls::record {

struct KeyLimits {
  std::uint64_t records = UINT64_MAX;    // sealed under one key
  std::uint64_t forgeries = UINT64_MAX;  // received and not authentic under one key
};

// DTLS 1.2 itself has no limit; records are limited by their numbers.
constexpr KeyLimits key_limits12(const ConfigOptions& config) {
  return {.forgeries = config.max_forgeries_per_key};
}

// The limits of the cipher, or those of the Config where they are lower.
constexpr KeyLimits key_limits13(crypto::AeadAlgorithm aead, const ConfigOptions& config) {
  constexpr std::uint64_t kGcmRecords = 23'726'566;    // 2^24.5 (RFC 8446 section 5.5)
  constexpr std::uint64_t kCcmRecords = 1 << 23;       // RFC 9147 appendix B.1
  constexpr std::uint64_t kCcmForgeries = 11'863'283;  // 2^23.5
  const bool is_chacha20 = aead == crypto::AeadAlgorithm::chacha20_poly1305;
  KeyLimits limits{is_chacha20 ? UINT64_MAX : kGcmRecords, std::uint64_t{1} << 36};
  // The Config must set a limit for tags of 8 bytes.
  if (crypto::is_ccm(aead)) limits = {kCcmRecords, kCcmForgeries};
  return {std::min(limits.records, config.max_records_per_key),
          std::min(limits.forgeries, config.max_forgeries_per_key)};
}

}  // namespace sluice::dtls::record
