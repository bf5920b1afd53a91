#include <sluice/rtp/packet.h>

#include <algorithm>

#include "byte_order.h"
#include "header.h"

namespace sluice::rtp {
namespace {

constexpr std::uint8_t kMarkerBit = 0x80;
constexpr std::size_t kSequenceNumberOffset = 2;
constexpr std::size_t kTimestampOffset = 4;
constexpr std::size_t kSsrcOffset = 8;

}  // namespace

Ssrc ItemForm<Ssrc>::read(Bytes bytes) { return Ssrc{load_u32(bytes, 0)}; }
void ItemForm<Ssrc>::write(MutableBytes out, Ssrc ssrc) { store_u32(out, 0, number(ssrc)); }

Result<Packet> read_packet(Bytes packet) {
  if (packet.size() < kFixedHeaderSize) return tl::unexpected(Malformed::too_short);
  const std::uint8_t first = load_u8(packet, 0);
  if (first >> 6 != kVersion) return tl::unexpected(Malformed::wrong_version);
  const std::size_t sources = 4 * std::size_t{first & 0x0fU};
  Packet read{.marker = (load_u8(packet, 1) & kMarkerBit) != 0,
              .payload_type = PayloadType{static_cast<std::uint8_t>(load_u8(packet, 1) & 0x7f)},
              .sequence_number = SequenceNumber{load_u16(packet, kSequenceNumberOffset)},
              .timestamp = Timestamp{load_u32(packet, kTimestampOffset)},
              .ssrc = Ssrc{load_u32(packet, kSsrcOffset)}};
  std::size_t offset = kFixedHeaderSize + sources;
  if (packet.size() < offset) return tl::unexpected(Malformed::bad_count);
  read.contributing_sources = ItemList<Ssrc>::encoded(packet.subspan(kFixedHeaderSize, sources));
  if ((first & kExtensionBit) != 0) {
    if (packet.size() - offset < kExtensionHead) return tl::unexpected(Malformed::bad_length);
    const std::size_t length = 4 * std::size_t{load_u16(packet, offset + 2)};
    read.has_extension = true;
    read.extension.profile = load_u16(packet, offset);
    offset += kExtensionHead;
    if (packet.size() - offset < length) return tl::unexpected(Malformed::bad_length);
    read.extension.body = packet.subspan(offset, length);
    offset += length;
  }
  if ((first & kPaddingBit) != 0) {
    read.padding_size =
        packet.size() == offset ? std::uint8_t{0} : load_u8(packet, packet.size() - 1);
    if (read.padding_size == 0 || read.padding_size > packet.size() - offset) {
      return tl::unexpected(Malformed::bad_padding);
    }
  }
  read.payload = packet.subspan(offset, packet.size() - offset - read.padding_size);
  return read;
}

WriteResult<std::size_t> write_packet(const Packet& packet, MutableBytes out) {
  const auto& extension = packet.extension.body;
  const std::size_t sources = packet.contributing_sources.size();
  if (number(packet.payload_type) > 127) return tl::unexpected(WriteError::out_of_range);
  if (sources > kMaxContributingSources) return tl::unexpected(WriteError::too_many_items);
  if (extension.size() > kMaxExtension || extension.size() % 4 != 0) {
    return tl::unexpected(WriteError::too_long);
  }
  const std::size_t head = kFixedHeaderSize + 4 * sources +
                           (packet.has_extension ? kExtensionHead + extension.size() : 0);
  const std::size_t size = head + packet.payload.size() + packet.padding_size;
  if (out.size() < size) return tl::unexpected(WriteError::buffer_too_small);

  store_u8(out, 0,
           static_cast<std::uint8_t>(kVersion << 6 | (packet.padding_size > 0 ? kPaddingBit : 0) |
                                     (packet.has_extension ? kExtensionBit : 0) | sources));
  store_u8(
      out, 1,
      static_cast<std::uint8_t>((packet.marker ? kMarkerBit : 0) | number(packet.payload_type)));
  set_sequence_number(out, packet.sequence_number);
  set_timestamp(out, packet.timestamp);
  set_ssrc(out, packet.ssrc);
  std::size_t offset = kFixedHeaderSize;
  for (const Ssrc source : packet.contributing_sources) {
    store_u32(out, offset, number(source));
    offset += 4;
  }
  if (packet.has_extension) {
    store_u16(out, offset, packet.extension.profile);
    store_u16(out, offset + 2, static_cast<std::uint16_t>(extension.size() / 4));
    store_bytes(out.subspan(offset + kExtensionHead), extension);
  }
  store_bytes(out.subspan(head), packet.payload);
  if (packet.padding_size > 0) {
    std::ranges::fill(out.subspan(head + packet.payload.size(), packet.padding_size), std::byte{0});
    store_u8(out, size - 1, packet.padding_size);
  }
  return size;
}

void set_marker(MutableBytes packet, bool marker) {
  store_u8(packet, 1,
           static_cast<std::uint8_t>((load_u8(packet, 1) & 0x7f) | (marker ? kMarkerBit : 0)));
}
void set_payload_type(MutableBytes packet, PayloadType type) {
  store_u8(packet, 1,
           static_cast<std::uint8_t>((load_u8(packet, 1) & kMarkerBit) | (number(type) & 0x7f)));
}
void set_sequence_number(MutableBytes packet, SequenceNumber value) {
  store_u16(packet, kSequenceNumberOffset, number(value));
}
void set_timestamp(MutableBytes packet, Timestamp value) {
  store_u32(packet, kTimestampOffset, number(value));
}
void set_ssrc(MutableBytes packet, Ssrc ssrc) { store_u32(packet, kSsrcOffset, number(ssrc)); }

}  // namespace sluice::rtp
