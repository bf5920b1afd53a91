// Writes the presentation language of RFC 5246 section 4 to a buffer.
#pragma once

#include <cstdint>
#include <type_traits>

#include <sluice/dtls/bytes.h>

namespace sluice::dtls::wire {

// Stores `value` in network order in all of `out`.
inline void store(MutableBytes out, std::uint64_t value) {
  for (std::size_t i = out.size(); i > 0; --i, value >>= 8)
    out[i - 1] = static_cast<std::byte>(value);
}

// Appends to a buffer that the caller owns.
class Writer {
 public:
  // A vector with a length before its contents. Everything written while this object exists belongs
  // to the vector; the destructor fills in the length.
  class [[nodiscard]] Vector {
   public:
    Vector(Buffer& out, std::size_t width) : out_(out), at_(out.size()), width_(width) {
      out_.resize(at_ + width_);
    }
    Vector(const Vector&) = delete;
    Vector& operator=(const Vector&) = delete;
    ~Vector() { store(MutableBytes(out_).subspan(at_, width_), out_.size() - at_ - width_); }

   private:
    Buffer& out_;
    std::size_t at_;
    std::size_t width_;
  };

  explicit Writer(Buffer& out) : out_(out) {}

  void u8(std::uint8_t value) { integer(value, 1); }
  void u16(std::uint16_t value) { integer(value, 2); }
  void u24(std::uint32_t value) { integer(value, 3); }
  void u32(std::uint32_t value) { integer(value, 4); }
  void u48(std::uint64_t value) { integer(value, 6); }
  void u64(std::uint64_t value) { integer(value, 8); }
  template <class Enum>
  void code(Enum value) {
    integer(static_cast<std::underlying_type_t<Enum>>(value), sizeof(Enum));
  }
  void bytes(Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

  Vector vector8() { return {out_, 1}; }
  Vector vector16() { return {out_, 2}; }
  Vector vector24() { return {out_, 3}; }

 private:
  void integer(std::uint64_t value, std::size_t width) {
    out_.resize(out_.size() + width);
    store(MutableBytes(out_).last(width), value);
  }

  Buffer& out_;
};

}  // namespace sluice::dtls::wire
