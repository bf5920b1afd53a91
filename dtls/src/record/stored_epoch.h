// An epoch in four bytes.
#pragma once

#include <cstdint>

#include "wire/types.h"

namespace sluice::dtls::record {

// The highest epoch of a connection. Each after the first one of application data is begun by a
// KeyUpdate, whose message_seq has 16 bits and does not wrap (RFC 9147 sections 5.2 and 8).
inline constexpr wire::Epoch kMaxEpoch{wire::value_of(wire::kFirstApplicationEpoch13) + UINT16_MAX};

// A connection keeps several epochs, and there may be a million idle connections. The value must
// not exceed kMaxEpoch.
class StoredEpoch {
 public:
  // Both conversions are implicit, so that a StoredEpoch can be used as an Epoch.
  constexpr StoredEpoch(wire::Epoch epoch)  // NOLINT(google-explicit-constructor)
      : value_(static_cast<std::uint32_t>(wire::value_of(epoch))) {}
  constexpr operator wire::Epoch() const {  // NOLINT(google-explicit-constructor)
    return wire::Epoch{value_};
  }

 private:
  std::uint32_t value_;
};

}  // namespace sluice::dtls::record
