// Random numbers from the system, which peers can't predict.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace sluice::interop::common {

inline std::uint32_t random_u32() {
  static_assert(std::random_device::max() >= 0xffffffff);
  return std::random_device{}();
}

// 32 hexadecimal digits.
inline std::string random_id() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id;
  for (int word = 0; word < 4; ++word) {
    auto number = random_u32();
    for (int digit = 0; digit < 8; ++digit, number >>= 4) id += kDigits[number & 0xf];
  }
  return id;
}

}  // namespace sluice::interop::common
