#include <sluice/rtp/source_description.h>

#include <algorithm>

#include "byte_order.h"

namespace sluice::rtp {
namespace {

constexpr std::size_t kSsrcSize = 4;
constexpr std::size_t kItemHead = 2;
constexpr std::size_t kMaxText = 255;

// One to four zero bytes end a chunk, up to a 32-bit boundary (RFC 3550 section 6.5).
constexpr std::size_t end_of_chunk(std::size_t size) { return 4 - size % 4; }

}  // namespace

std::optional<SdesItem> SourceDescription::Cursor::next() {
  if (!items_.empty()) {
    const SdesItem item = items_.front();
    items_ = items_.subspan(1);
    return item;
  }
  while (!rest_.empty()) {
    if (!source_) {
      source_ = Ssrc{load_u32(rest_, 0)};
      rest_ = rest_.subspan(kSsrcSize);
      chunk_offset_ = kSsrcSize;
      continue;
    }
    if (load_u8(rest_, 0) == 0) {
      source_.reset();
      rest_ = rest_.subspan(end_of_chunk(chunk_offset_));
      continue;
    }
    const std::size_t length = load_u8(rest_, 1);
    const SdesItem item{.source = *source_,
                        .type = SdesType{load_u8(rest_, 0)},
                        .text = as_text(rest_.subspan(kItemHead, length))};
    rest_ = rest_.subspan(kItemHead + length);
    chunk_offset_ += kItemHead + length;
    return item;
  }
  return std::nullopt;
}

Result<SourceDescription> SourceDescription::read(Bytes body, std::size_t chunks) {
  Bytes rest = body;
  for (std::size_t i = 0; i < chunks; ++i) {
    if (rest.size() < kSsrcSize) return tl::unexpected(Malformed::bad_count);
    std::size_t offset = kSsrcSize;
    while (offset < rest.size() && load_u8(rest, offset) != 0) {
      if (rest.size() - offset < kItemHead) return tl::unexpected(Malformed::bad_length);
      offset += kItemHead + load_u8(rest, offset + 1);
    }
    const std::size_t size = offset + end_of_chunk(offset);
    if (offset >= rest.size() || size > rest.size()) {
      return tl::unexpected(Malformed::bad_length);
    }
    rest = rest.subspan(size);
  }
  SourceDescription description;
  description.encoded_ = body.first(body.size() - rest.size());
  return description;
}

WriteResult<SourceDescription::Size> SourceDescription::encoded_size() const {
  Size size{.bytes = 0, .chunks = 0};
  std::optional<Ssrc> source;
  for (const SdesItem& item : *this) {
    if (item.text.size() > kMaxText) return tl::unexpected(WriteError::too_long);
    if (source != item.source) {
      if (source) size.bytes += end_of_chunk(size.bytes);
      size.bytes += kSsrcSize;
      ++size.chunks;
      source = item.source;
    }
    size.bytes += kItemHead + item.text.size();
  }
  if (source) size.bytes += end_of_chunk(size.bytes);
  return size;
}

void SourceDescription::write(MutableBytes out) const {
  std::ranges::fill(out, std::byte{0});  // the ends of chunks
  std::size_t offset = 0;
  std::optional<Ssrc> source;
  for (const SdesItem& item : *this) {
    if (source != item.source) {
      if (source) offset += end_of_chunk(offset);
      store_u32(out, offset, number(item.source));
      offset += kSsrcSize;
      source = item.source;
    }
    store_u8(out, offset, static_cast<std::uint8_t>(item.type));
    store_u8(out, offset + 1, static_cast<std::uint8_t>(item.text.size()));
    std::ranges::copy(std::as_bytes(std::span{item.text}), out.subspan(offset + kItemHead).begin());
    offset += kItemHead + item.text.size();
  }
}

Walk<SourceDescription::Cursor> SourceDescription::begin() const {
  Cursor cursor;
  cursor.items_ = items_;
  cursor.rest_ = encoded_;
  return Walk<Cursor>(cursor);
}

}  // namespace sluice::rtp
