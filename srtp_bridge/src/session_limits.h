// The largest values of SessionOptions.
#pragma once

#include <cstddef>

namespace sluice::srtp {

inline constexpr std::size_t kMaxWindow = 32767;  // what libsrtp allows
inline constexpr std::size_t kMaxSsrcs = 65535;

}  // namespace sluice::srtp
