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
  const bool is_gcm = aead == crypto::AeadAlgorithm::aes_128_gcm ||
                      aead == crypto::AeadAlgorithm::aes_256_gcm;
  // 2^24.5 records (RFC 8446 section 5.5); ChaCha20 outlasts the record numbers.
  constexpr std::uint64_t kGcmRecords = 23'726'566;
  const std::uint64_t records = is_gcm ? kGcmRecords : UINT64_MAX;
  return {std::min(records, config.max_records_per_key),
          std::min(std::uint64_t{1} << 36, config.max_forgeries_per_key)};
}

}  // namespace sluice::dtls::record
