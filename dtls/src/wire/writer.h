// Writes the presentation language of RFC 5246 section 4 to a buffer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <sluice/dtls/bytes.h>

namespace sluice::dtls::wire {

// Stores `value` in network order in all of `out`. The value must fit.
inline void store(MutableBytes out, std::uint64_t value) {
  for (std::size_t i = out.size(); i > 0; --i, value >>= 8)
    out[i - 1] = static_cast<std::byte>(value);
}

// The sizes that a vector may have, in bytes: opaque<min..max>. The width of its length is a limit,
// too.
struct Bounds {
  std::size_t min = 0;
  std::size_t max = SIZE_MAX;
};

// Whether the buffer may be reallocated. A buffer with secrets must not be: a copy of its contents
// would stay in freed memory.
enum class Growth : bool { allowed, refused };

// Appends to a buffer that the caller owns. What does not fit is never truncated: it marks the
// writer as failed for good, and the buffer is then what it was before. A failed writer writes
// nothing. So an encoder writes all fields first, and its caller checks once, at the end.
class Writer {
 public:
  // A vector with a length before its contents. Everything written while this object exists belongs
  // to the vector; the destructor fills in the length.
  class [[nodiscard]] Vector {
   public:
    Vector(Writer& writer, std::size_t width, Bounds bounds)
        : writer_(writer), at_(writer.out_.size()), width_(width), bounds_(bounds) {
      writer_.reserve_length(width_);
    }
    Vector(const Vector&) = delete;
    Vector& operator=(const Vector&) = delete;
    ~Vector() { writer_.fill_in_length(at_, width_, bounds_); }

   private:
    Writer& writer_;
    std::size_t at_;
    std::size_t width_;
    Bounds bounds_;
  };

  explicit Writer(Buffer& out, Growth growth = Growth::allowed)
      : out_(out), start_(out.size()), growth_(growth) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // An integer of that many bits. A larger value does not fit.
  void u8(std::uint64_t value) { integer(value, 1); }
  void u16(std::uint64_t value) { integer(value, 2); }
  void u24(std::uint64_t value) { integer(value, 3); }
  void u32(std::uint64_t value) { integer(value, 4); }
  void u48(std::uint64_t value) { integer(value, 6); }
  void u64(std::uint64_t value) { integer(value, 8); }
  template <class Enum>
  void code(Enum value) {
    integer(static_cast<std::underlying_type_t<Enum>>(value), sizeof(Enum));
  }
  void bytes(Bytes bytes) {
    if (has_room(bytes.size())) out_.insert(out_.end(), bytes.begin(), bytes.end());
  }

  Vector vector8(Bounds bounds = {}) { return {*this, 1, bounds}; }
  Vector vector16(Bounds bounds = {}) { return {*this, 2, bounds}; }
  Vector vector24(Bounds bounds = {}) { return {*this, 3, bounds}; }

  // Whether everything has fitted.
  [[nodiscard]] bool ok() const { return ok_; }
  // For an encoder that finds a value it cannot write.
  void fail() {
    if (!ok_) return;
    ok_ = false;
    // It may be secret.
    std::fill(out_.begin() + static_cast<std::ptrdiff_t>(start_), out_.end(), std::byte{0});
    out_.resize(start_);
  }

 private:
  // Whether `value` needs more than `width` bytes.
  static constexpr bool exceeds(std::uint64_t value, std::size_t width) {
    return width < sizeof value && value >> (8 * width) != 0;
  }

  // Whether `size` bytes may be appended; fails if not.
  bool has_room(std::size_t size) {
    if (growth_ == Growth::refused && size > out_.capacity() - out_.size()) fail();
    return ok_;
  }
  void integer(std::uint64_t value, std::size_t width) {
    if (exceeds(value, width)) fail();
    if (!has_room(width)) return;
    out_.resize(out_.size() + width);
    store(MutableBytes(out_).last(width), value);
  }
  void reserve_length(std::size_t width) {
    if (has_room(width)) out_.resize(out_.size() + width);
  }
  void fill_in_length(std::size_t at, std::size_t width, Bounds bounds) {
    if (!ok_) return;
    const std::size_t size = out_.size() - at - width;
    if (exceeds(size, width) || size < bounds.min || size > bounds.max) return fail();
    store(MutableBytes(out_).subspan(at, width), size);
  }

  Buffer& out_;
  std::size_t start_;
  Growth growth_;
  bool ok_ = true;
};

// What `encode` writes to a Writer; empty when something does not fit. `expected`: room for so many
// bytes is allocated at once.
template <class Encode>
[[nodiscard]] std::optional<Buffer> encoded(Encode&& encode, std::size_t expected = 256) {
  Buffer out;
  out.reserve(expected);
  Writer writer(out);
  encode(writer);
  return writer.ok() ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace sluice::dtls::wire
