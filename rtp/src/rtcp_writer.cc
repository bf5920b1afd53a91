#include <algorithm>
#include <bit>

#include <sluice/rtp/rtcp.h>

#include "byte_order.h"
#include "rtcp_format.h"

namespace sluice::rtp {
namespace {

constexpr std::uint8_t kVersionBits = 0x80;
constexpr std::size_t kMaxBody = 4 * 0xffff;
constexpr std::size_t kMaxOneByte = 255;  // length of a text, count of a bitrate's SSRCs
constexpr std::int32_t kMaxReference = 0x7fffff;

constexpr std::size_t whole_words(std::size_t size) { return (size + 3) / 4 * 4; }

template <class Item>
std::size_t size_of(const ItemList<Item>& items) {
  return items.size() * ItemForm<Item>::kSize;
}

template <class Item>
void write_items(MutableBytes out, const ItemList<Item>& items) {
  for (const Item& item : items) {
    ItemForm<Item>::write(out.first(ItemForm<Item>::kSize), item);
    out = out.subspan(ItemForm<Item>::kSize);
  }
}

void store_ssrc(MutableBytes out, std::size_t offset, Ssrc ssrc) {
  store_u32(out, offset, number(ssrc));
}

}  // namespace

void ItemForm<ReportBlock>::write(MutableBytes out, const ReportBlock& block) {
  // RFC 3550 appendix A.3: the field is limited, not wrapped around.
  const std::int32_t lost = std::clamp(block.packets_lost, -0x800000, 0x7fffff);
  store_ssrc(out, 0, block.ssrc);
  store_u8(out, 4, block.fraction_lost);
  store_u24(out, 5, static_cast<std::uint32_t>(lost) & 0xffffff);
  store_u32(out, 8, block.highest_sequence_number);
  store_u32(out, 12, block.jitter);
  store_u32(out, 16, static_cast<std::uint32_t>(block.last_sender_report));
  store_u32(out, 20, static_cast<std::uint32_t>(block.delay_since_last));
}

void ItemForm<NackEntry>::write(MutableBytes out, const NackEntry& entry) {
  store_u16(out, 0, number(entry.lost));
  store_u16(out, 2, entry.following);
}

void ItemForm<FullIntraEntry>::write(MutableBytes out, const FullIntraEntry& entry) {
  store_ssrc(out, 0, entry.media);
  store_u32(out, 4, std::uint32_t{entry.sequence_number} << 24);
}

struct CompoundWriter::Header {
  PacketType type;
  std::size_t count;
};

WriteResult<MutableBytes> CompoundWriter::add(const Header& header, std::size_t size) {
  const bool report =
      header.type == PacketType::sender_report || header.type == PacketType::receiver_report;
  if (size_ == 0 && form_ == CompoundForm::full && !report) {
    return tl::unexpected(WriteError::no_report);
  }
  if (header.count > kMaxCount) return tl::unexpected(WriteError::too_many_items);
  if (size > kMaxBody || size % 4 != 0) return tl::unexpected(WriteError::too_long);
  if (room() < kRtcpHeader + size) return tl::unexpected(WriteError::buffer_too_small);
  const MutableBytes out = out_.subspan(size_, kRtcpHeader + size);
  store_u8(out, 0, static_cast<std::uint8_t>(kVersionBits | header.count));
  store_u8(out, 1, static_cast<std::uint8_t>(header.type));
  store_u16(out, 2, static_cast<std::uint16_t>(size / 4));
  size_ += out.size();
  return out.subspan(kRtcpHeader);
}

WriteResult<void> CompoundWriter::add(const SenderReport& packet) {
  const auto body = add({.type = PacketType::sender_report, .count = packet.blocks.size()},
                        4 + kSenderInfo + size_of(packet.blocks));
  if (!body) return tl::unexpected(body.error());
  const auto time = static_cast<std::uint64_t>(packet.ntp_time);
  store_ssrc(*body, 0, packet.sender);
  store_u32(*body, 4, static_cast<std::uint32_t>(time >> 32));
  store_u32(*body, 8, static_cast<std::uint32_t>(time));
  store_u32(*body, 12, number(packet.rtp_timestamp));
  store_u32(*body, 16, packet.packets);
  store_u32(*body, 20, packet.octets);
  write_items(body->subspan(4 + kSenderInfo), packet.blocks);
  return {};
}

WriteResult<void> CompoundWriter::add(const ReceiverReport& packet) {
  const auto body = add({.type = PacketType::receiver_report, .count = packet.blocks.size()},
                        4 + size_of(packet.blocks));
  if (!body) return tl::unexpected(body.error());
  store_ssrc(*body, 0, packet.sender);
  write_items(body->subspan(4), packet.blocks);
  return {};
}

WriteResult<void> CompoundWriter::add(const SourceDescription& packet) {
  const auto size = packet.encoded_size();
  if (!size) return tl::unexpected(size.error());
  const auto body =
      add({.type = PacketType::source_description, .count = size->chunks}, size->bytes);
  if (!body) return tl::unexpected(body.error());
  packet.write(*body);
  return {};
}

WriteResult<void> CompoundWriter::add(const Goodbye& packet) {
  if (packet.reason.size() > kMaxOneByte) return tl::unexpected(WriteError::too_long);
  const std::size_t sources = size_of(packet.sources);
  const std::size_t reason = packet.reason.empty() ? 0 : whole_words(1 + packet.reason.size());
  const auto body =
      add({.type = PacketType::goodbye, .count = packet.sources.size()}, sources + reason);
  if (!body) return tl::unexpected(body.error());
  write_items(*body, packet.sources);
  if (reason == 0) return {};
  const MutableBytes text = body->subspan(sources);
  std::ranges::fill(text, std::byte{0});
  store_u8(text, 0, static_cast<std::uint8_t>(packet.reason.size()));
  std::ranges::copy(std::as_bytes(std::span{packet.reason}), text.subspan(1).begin());
  return {};
}

WriteResult<void> CompoundWriter::add(const GenericNack& packet) {
  const auto body = add({.type = PacketType::transport_feedback, .count = kNackFormat},
                        kFeedbackHead + size_of(packet.entries));
  if (!body) return tl::unexpected(body.error());
  store_ssrc(*body, 0, packet.sender);
  store_ssrc(*body, 4, packet.media);
  write_items(body->subspan(kFeedbackHead), packet.entries);
  return {};
}

WriteResult<void> CompoundWriter::add(const PictureLossIndication& packet) {
  const auto body = add({.type = PacketType::payload_feedback, .count = kPliFormat}, kFeedbackHead);
  if (!body) return tl::unexpected(body.error());
  store_ssrc(*body, 0, packet.sender);
  store_ssrc(*body, 4, packet.media);
  return {};
}

WriteResult<void> CompoundWriter::add(const FullIntraRequest& packet) {
  const auto body = add({.type = PacketType::payload_feedback, .count = kFirFormat},
                        kFeedbackHead + size_of(packet.entries));
  if (!body) return tl::unexpected(body.error());
  store_ssrc(*body, 0, packet.sender);
  store_u32(*body, 4, 0);  // RFC 5104 section 4.3.1.2: the media source SHALL be 0
  write_items(body->subspan(kFeedbackHead), packet.entries);
  return {};
}

WriteResult<void> CompoundWriter::add(const MaximumBitrate& packet) {
  if (packet.media.size() > kMaxOneByte) return tl::unexpected(WriteError::too_many_items);
  const auto body = add({.type = PacketType::payload_feedback, .count = kApplicationFormat},
                        kFeedbackHead + kRembHead + size_of(packet.media));
  if (!body) return tl::unexpected(body.error());
  const auto width = static_cast<unsigned>(std::bit_width(packet.bits_per_second));
  const unsigned exponent = width > kRembMantissaBits ? width - kRembMantissaBits : 0;
  const auto mantissa = static_cast<std::uint32_t>(packet.bits_per_second >> exponent);
  store_ssrc(*body, 0, packet.sender);
  store_u32(*body, 4, 0);  // the media source is always 0
  store_u32(*body, 8, kRembName);
  store_u8(*body, 12, static_cast<std::uint8_t>(packet.media.size()));
  store_u24(*body, 13, exponent << kRembMantissaBits | mantissa);
  write_items(body->subspan(kFeedbackHead + kRembHead), packet.media);
  return {};
}

WriteResult<void> CompoundWriter::add(const TransportFeedback& packet) {
  const std::size_t count = packet.statuses.size();
  if (count > 0xffff) return tl::unexpected(WriteError::too_many_items);
  if (count == 0 || packet.reference_time > kMaxReference ||
      packet.reference_time < -kMaxReference - 1) {
    return tl::unexpected(WriteError::out_of_range);
  }
  const std::size_t size = kFeedbackHead + kTransportHead + packet.statuses.encoded_size();
  const auto body = add({.type = PacketType::transport_feedback, .count = kTransportFeedbackFormat},
                        whole_words(size));
  if (!body) return tl::unexpected(body.error());
  store_ssrc(*body, 0, packet.sender);
  store_ssrc(*body, 4, packet.media);
  store_u16(*body, 8, number(packet.base));
  store_u16(*body, 10, static_cast<std::uint16_t>(count));
  store_u24(*body, 12, static_cast<std::uint32_t>(packet.reference_time) & 0xffffff);
  store_u8(*body, 15, packet.number);
  packet.statuses.write(body->first(size).subspan(kFeedbackHead + kTransportHead));
  std::ranges::fill(body->subspan(size), std::byte{0});
  return {};
}

WriteResult<void> CompoundWriter::add(const UnknownPacket& packet) {
  const auto body =
      add({.type = PacketType{packet.type}, .count = packet.format}, packet.body.size());
  if (!body) return tl::unexpected(body.error());
  std::ranges::copy(packet.body, body->begin());
  return {};
}

}  // namespace sluice::rtp
