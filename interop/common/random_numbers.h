// Random numbers from the system, which peers can't predict.
#pragma once

#include <sys/random.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace sluice::interop::common {

inline std::uint32_t random_u32() {
  std::uint32_t number = 0;
  // Not std::random_device: it takes RDSEED, some 24 us on a virtual machine.
  if (getentropy(&number, sizeof number) != 0) std::abort();  // only where the system has none
  return number;
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
