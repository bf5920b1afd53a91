// What the time that ICE takes says about the round trip.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace sluice::nice {

// libnice doesn't report how long its checks take. A check can't have been sent before `possible`,
// when both credentials and candidate were known, and its response had come by `selected`; both in
// microseconds. A greater bound than half of the timeout that DTLS has without a round-trip time (1
// s, RFC 6347 section 4.2.4.1) is of no use.
inline std::optional<std::chrono::microseconds> rtt_bound(std::int64_t possible,
                                                          std::int64_t selected) {
  constexpr std::chrono::microseconds kUseful = std::chrono::milliseconds{500};
  const std::chrono::microseconds bound{selected - possible};
  if (bound < bound.zero() || bound > kUseful) return std::nullopt;
  return bound;
}

}  // namespace sluice::nice
