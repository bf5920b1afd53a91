// How long the keys of one epoch serve (RFC 9147 section 4.5.3).
#pragma once

#include <algorithm>
#include <cstdint>

#include <sluice/dtls/config.h>

#include "crypto/aead.h"

namespace sluice::dtls::record {

struct KeyLimits {
  std::uint64_t records = UINT64_MAX;    // sealed under one key
  std::uint64_t forgeries = UINT64_MAX;  // that failed to open under one key
};

// Of the cipher, or the Config's where those are lower.
constexpr KeyLimits key_limits13(crypto::AeadAlgorithm aead, const ConfigOptions& config) {
  constexpr std::uint64_t kGcmRecords = 23'726'566;    // 2^24.5 (RFC 8446 section 5.5)
  constexpr std::uint64_t kCcmRecords = 1 << 23;       // RFC 9147 appendix B.1
  constexpr std::uint64_t kCcmForgeries = 11'863'283;  // 2^23.5
  const bool is_chacha20 = aead == crypto::AeadAlgorithm::chacha20_poly1305;
  KeyLimits limits{is_chacha20 ? UINT64_MAX : kGcmRecords, std::uint64_t{1} << 36};
  // The Config has a limit of its own for a tag of 8 bytes.
  if (crypto::is_ccm(aead)) limits = {kCcmRecords, kCcmForgeries};
  return {std::min(limits.records, config.max_records_per_key),
          std::min(limits.forgeries, config.max_forgeries_per_key)};
}

}  // namespace sluice::dtls::record
