// Packets written as hexadecimal text.
#pragma once

#include <string>

#include "demo/byte_order.h"

namespace sluice::interop::demo {

// `hex`: pairs of digits; spaces are ignored.
inline Buffer bytes_of(const std::string& hex) {
  std::string digits;
  for (const char c : hex) {
    if (c != ' ') digits += c;
  }
  Buffer bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(std::byte(std::stoul(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

}  // namespace sluice::interop::demo
