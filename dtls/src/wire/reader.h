// Reads the presentation language of RFC 5246 section 4 from bytes.
#pragma once

#include <cstdint>

#include <sluice/dtls/bytes.h>

namespace sluice::dtls::wire {

// A cursor over bytes in network order. A read past the end returns zeros and marks the reader as
// failed for good. So a decoder reads all fields first and checks once, at the end.
class Reader {
 public:
  explicit Reader(Bytes bytes) : rest_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(integer(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(integer(2)); }
  std::uint32_t u24() { return static_cast<std::uint32_t>(integer(3)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(integer(4)); }
  std::uint64_t u48() { return integer(6); }
  std::uint64_t u64() { return integer(8); }

  // A code point; it has the width of the enum's type.
  template <class Enum>
  Enum code() {
    return static_cast<Enum>(integer(sizeof(Enum)));
  }

  Bytes bytes(std::size_t size) {
    if (size > rest_.size()) {
      fail();
      return {};
    }
    const Bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  // Vectors, preceded by their length in 1, 2 or 3 bytes.
  Bytes vector8() { return bytes(u8()); }
  Bytes vector16() { return bytes(u16()); }
  Bytes vector24() { return bytes(u24()); }

  void fail() {
    ok_ = false;
    rest_ = {};
  }

  [[nodiscard]] Bytes rest() const { return rest_; }
  [[nodiscard]] bool ok() const { return ok_; }
  // Whether unread bytes are left.
  [[nodiscard]] bool more() const { return !rest_.empty(); }
  // Whether no read failed and no bytes are left.
  [[nodiscard]] bool complete() const { return ok_ && rest_.empty(); }

 private:
  std::uint64_t integer(std::size_t size) {
    std::uint64_t value = 0;
    for (const std::byte byte : bytes(size))
      value = value << 8 | std::to_integer<std::uint64_t>(byte);
    return value;
  }

  Bytes rest_;
  bool ok_ = true;
};

}  // namespace sluice::dtls::wire
