// SDES packets (RFC 3550 section 6.5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>

#include <sluice/rtp/bytes.h>
#include <sluice/rtp/error.h>
#include <sluice/rtp/numbers.h>
#include <sluice/rtp/walk.h>

namespace sluice::rtp {

enum class SdesType : std::uint8_t {
  cname = 1,
  name = 2,
  email = 3,
  phone = 4,
  location = 5,
  tool = 6,
  note = 7,
  private_extension = 8,
  rtp_stream_id = 12,           // RFC 8852
  repaired_rtp_stream_id = 13,  // RFC 8852
  mid = 15,                     // RFC 9143 section 15.1
};

// One item of a chunk, with the source that the chunk is about.
struct SdesItem {
  Ssrc source{};
  SdesType type = SdesType::cname;
  std::string_view text = {};  // up to 255 bytes

  friend bool operator==(const SdesItem&, const SdesItem&) = default;
};

// The items of all chunks, in their order. To be written: consecutive items of one source become
// one chunk, of which a packet has at most 31.
class SourceDescription {
 public:
  class Cursor {
   public:
    std::optional<SdesItem> next();

   private:
    friend class SourceDescription;
    std::span<const SdesItem> items_;
    Bytes rest_;                       // of the packet, if the items are encoded
    std::optional<Ssrc> source_ = {};  // whose chunk `rest_` is in
    std::size_t chunk_offset_ = 0;     // of `rest_` in its chunk
  };

  SourceDescription() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): it is that list.
  SourceDescription(std::span<const SdesItem> items) : items_(items) {}
  // The body of a packet with `chunks` chunks. Errors: bad_count, bad_length (an item is longer
  // than what is left, or a chunk has no end).
  static Result<SourceDescription> read(Bytes body, std::size_t chunks);

  // The size of the body, and how many chunks it has. Error: too_long (a text).
  struct Size {
    std::size_t bytes;
    std::size_t chunks;
  };
  [[nodiscard]] WriteResult<Size> encoded_size() const;
  // Precondition: out.size() is that of encoded_size().
  void write(MutableBytes out) const;

  [[nodiscard]] Walk<Cursor> begin() const;
  [[nodiscard]] static std::default_sentinel_t end() { return {}; }

  friend bool operator==(const SourceDescription& a, const SourceDescription& b) {
    return equal_items(a, b);
  }

 private:
  std::span<const SdesItem> items_;
  Bytes encoded_;
};

}  // namespace sluice::rtp
