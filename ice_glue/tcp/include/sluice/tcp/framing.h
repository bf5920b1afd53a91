// Datagrams in a stream of bytes (RFC 4571): each behind its length, in two bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <tl/expected.hpp>

#include <sluice/dtls/bytes.h>

namespace sluice::tcp {

// The length before each frame, and the longest frame that it can tell.
inline constexpr std::size_t kLengthSize = 2;
inline constexpr std::size_t kMaxFrame = 65535;

// What stands before a datagram of this size.
constexpr std::array<std::byte, kLengthSize> frame_header(std::uint16_t size) {
  return {static_cast<std::byte>(size >> 8), static_cast<std::byte>(size & 0xff)};
}

enum class FramingError : std::uint8_t {
  // A length above the limit: the peer frames otherwise, or lies. Where the next frame begins is
  // unknown, so nothing more can be read.
  frame_too_large,
};

// Finds the datagrams in what a connection has received, however that was divided. No I/O.
//
//   for (auto rest = received;;) {
//     const auto datagram = deframer.next(rest);
//     if (!datagram) break;   // close the connection
//     if (!*datagram) break;  // read more
//     server.handle_datagram(**datagram, path, now);
//   }
//
// A frame that is whole in one piece of input is not copied. Of a frame that is not, the bytes that
// have come are kept: memory follows them, not the length that the peer claims, and is never more
// than the largest frame with its length. It is kept for the next such frame, so that in the steady
// state nothing is allocated.
class Deframer {
 public:
  // `max_frame`: the size of the largest datagram to accept, up to kMaxFrame.
  explicit Deframer(std::size_t max_frame) : max_frame_(max_frame) {}

  // Takes the next datagram from the front of `input`, which is shortened by what was read. It is
  // in `input` or in the Deframer, valid until the next call, and may be changed in place. Empty:
  // the input is used up. Null packets (length zero) are counted and skipped. After an error all
  // further calls return it too.
  tl::expected<std::optional<dtls::MutableBytes>, FramingError> next(dtls::MutableBytes& input);

  // Bytes that are kept of a frame that has begun, its length included.
  [[nodiscard]] std::size_t pending() const { return is_given_ ? 0 : kept_.size(); }
  // Whether the last datagram is in the Deframer, where further input may overwrite it.
  [[nodiscard]] bool has_given() const { return is_given_; }
  // Null packets so far.
  [[nodiscard]] std::uint64_t null_frames() const { return null_frames_; }
  // Bytes of memory for `pending()`.
  [[nodiscard]] std::size_t capacity() const { return kept_.capacity(); }

 private:
  // Moves up to `count` bytes from the input behind those that are kept.
  void keep(dtls::MutableBytes& input, std::size_t count);

  std::size_t max_frame_;
  std::vector<std::byte> kept_;
  std::uint64_t null_frames_ = 0;
  bool is_given_ = false;  // what is kept was the last datagram
  bool has_failed_ = false;
};

}  // namespace sluice::tcp
