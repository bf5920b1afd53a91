#include <sluice/rtp/rtcp.h>

#include "byte_order.h"
#include "header.h"
#include "rtcp_format.h"

namespace sluice::rtp {
namespace {

struct Frame {
  PacketType type;
  std::uint8_t count;
  Bytes body;  // after the header, without padding
  bool bad_padding;
};

// Removes and returns the first packet of `compound`.
Result<Frame> take_frame(Bytes& compound) {
  if (compound.size() < kRtcpHeader) return tl::unexpected(Malformed::too_short);
  const std::uint8_t first = load_u8(compound, 0);
  if (first >> 6 != kVersion) return tl::unexpected(Malformed::wrong_version);
  const std::size_t length = 4 * std::size_t{load_u16(compound, 2)};
  if (compound.size() - kRtcpHeader < length) return tl::unexpected(Malformed::bad_length);
  Frame frame{.type = PacketType{load_u8(compound, 1)},
              .count = static_cast<std::uint8_t>(first & 0x1f),
              .body = compound.subspan(kRtcpHeader, length),
              .bad_padding = false};
  if ((first & kPaddingBit) != 0) {
    const std::size_t padding = length == 0 ? 0 : load_u8(frame.body, length - 1);
    frame.bad_padding = padding == 0 || padding > length;
    if (!frame.bad_padding) frame.body = frame.body.first(length - padding);
  }
  compound = compound.subspan(kRtcpHeader + length);
  return frame;
}

bool is_report(PacketType type) {
  return type == PacketType::sender_report || type == PacketType::receiver_report;
}

Ssrc ssrc_at(Bytes body, std::size_t offset) { return Ssrc{load_u32(body, offset)}; }

template <class Item>
ItemList<Item> items(Bytes bytes) {
  return ItemList<Item>::encoded(bytes);
}

// The blocks of a report, behind which a profile may have an extension (RFC 3550 section 6.4.3).
Result<ItemList<ReportBlock>> read_blocks(const Frame& frame, std::size_t offset) {
  const std::size_t size = frame.count * ItemForm<ReportBlock>::kSize;
  if (frame.body.size() - offset < size) return tl::unexpected(Malformed::bad_count);
  return items<ReportBlock>(frame.body.subspan(offset, size));
}

// Sections 6.4.1 and 6.4.2.
Result<RtcpPacket> read_report(const Frame& frame) {
  const bool sends = frame.type == PacketType::sender_report;
  const std::size_t head = 4 + (sends ? kSenderInfo : 0);
  if (frame.body.size() < head) return tl::unexpected(Malformed::bad_length);
  const auto blocks = read_blocks(frame, head);
  if (!blocks) return tl::unexpected(blocks.error());
  const Ssrc sender = ssrc_at(frame.body, 0);
  if (!sends) return ReceiverReport{.sender = sender, .blocks = *blocks};
  return SenderReport{
      .sender = sender,
      .ntp_time = NtpTime{std::uint64_t{load_u32(frame.body, 4)} << 32 | load_u32(frame.body, 8)},
      .rtp_timestamp = Timestamp{load_u32(frame.body, 12)},
      .packets = load_u32(frame.body, 16),
      .octets = load_u32(frame.body, 20),
      .blocks = *blocks};
}

Result<RtcpPacket> read_source_description(const Frame& frame) {
  return SourceDescription::read(frame.body, frame.count)
      .map([](const SourceDescription& description) { return RtcpPacket{description}; });
}

Result<RtcpPacket> read_goodbye(const Frame& frame) {
  const std::size_t sources = 4 * std::size_t{frame.count};
  if (frame.body.size() < sources) return tl::unexpected(Malformed::bad_count);
  Goodbye goodbye{.sources = items<Ssrc>(frame.body.first(sources))};
  const Bytes rest = frame.body.subspan(sources);
  if (rest.empty()) return goodbye;
  const std::size_t length = load_u8(rest, 0);
  if (rest.size() - 1 < length) return tl::unexpected(Malformed::bad_length);
  goodbye.reason = as_text(rest.subspan(1, length));
  return goodbye;
}

UnknownPacket unknown(const Frame& frame) {
  return {.type = static_cast<std::uint8_t>(frame.type), .format = frame.count, .body = frame.body};
}

// RFC 4585 section 6.2.
Result<RtcpPacket> read_transport_feedback(const Frame& frame) {
  if (frame.body.size() < kFeedbackHead) return tl::unexpected(Malformed::bad_length);
  const Ssrc sender = ssrc_at(frame.body, 0);
  const Ssrc media = ssrc_at(frame.body, 4);
  const Bytes information = frame.body.subspan(kFeedbackHead);
  if (frame.count == kNackFormat) {
    if (information.empty() || information.size() % ItemForm<NackEntry>::kSize != 0) {
      return tl::unexpected(Malformed::bad_length);
    }
    return GenericNack{.sender = sender, .media = media, .entries = items<NackEntry>(information)};
  }
  if (frame.count != kTransportFeedbackFormat) return unknown(frame);
  if (information.size() < kTransportHead) return tl::unexpected(Malformed::bad_length);
  const std::size_t count = load_u16(information, 2);
  if (count == 0) return tl::unexpected(Malformed::bad_count);
  const auto statuses = PacketStatuses::read(information.subspan(kTransportHead), count);
  if (!statuses) return tl::unexpected(statuses.error());
  return TransportFeedback{.sender = sender,
                           .media = media,
                           .base = SequenceNumber{load_u16(information, 0)},
                           .reference_time = load_i24(information, 4),
                           .number = load_u8(information, 7),
                           .statuses = *statuses};
}

Result<RtcpPacket> read_maximum_bitrate(Ssrc sender, Bytes information) {
  const std::uint32_t rate = load_u24(information, 5);
  const std::uint64_t mantissa = rate & ((1U << kRembMantissaBits) - 1);
  const unsigned exponent = rate >> kRembMantissaBits;
  const std::uint64_t bits_per_second = mantissa << exponent;
  if (bits_per_second >> exponent != mantissa) return tl::unexpected(Malformed::bad_value);
  const std::size_t size = 4 * std::size_t{load_u8(information, 4)};
  if (information.size() - kRembHead < size) return tl::unexpected(Malformed::bad_count);
  return MaximumBitrate{.sender = sender,
                        .bits_per_second = bits_per_second,
                        .media = items<Ssrc>(information.subspan(kRembHead, size))};
}

// RFC 4585 section 6.3.
Result<RtcpPacket> read_payload_feedback(const Frame& frame) {
  if (frame.body.size() < kFeedbackHead) return tl::unexpected(Malformed::bad_length);
  const Ssrc sender = ssrc_at(frame.body, 0);
  const Bytes information = frame.body.subspan(kFeedbackHead);
  switch (frame.count) {
    case kPliFormat:
      return PictureLossIndication{.sender = sender, .media = ssrc_at(frame.body, 4)};
    case kFirFormat:
      // Each entry has its own SSRC; the field for the media source is unused.
      if (information.empty() || information.size() % ItemForm<FullIntraEntry>::kSize != 0) {
        return tl::unexpected(Malformed::bad_length);
      }
      return FullIntraRequest{.sender = sender, .entries = items<FullIntraEntry>(information)};
    case kApplicationFormat:
      if (information.size() < kRembHead || load_u32(information, 0) != kRembName) {
        return unknown(frame);
      }
      return read_maximum_bitrate(sender, information);
    default:
      return unknown(frame);
  }
}

Result<RtcpPacket> read_contents(const Frame& frame) {
  if (frame.bad_padding) return tl::unexpected(Malformed::bad_padding);
  switch (frame.type) {
    case PacketType::sender_report:
    case PacketType::receiver_report:
      return read_report(frame);
    case PacketType::source_description:
      return read_source_description(frame);
    case PacketType::goodbye:
      return read_goodbye(frame);
    case PacketType::transport_feedback:
      return read_transport_feedback(frame);
    case PacketType::payload_feedback:
      return read_payload_feedback(frame);
  }
  return unknown(frame);
}

}  // namespace

ReportBlock ItemForm<ReportBlock>::read(Bytes bytes) {
  return {.ssrc = Ssrc{load_u32(bytes, 0)},
          .fraction_lost = load_u8(bytes, 4),
          .packets_lost = load_i24(bytes, 5),
          .highest_sequence_number = load_u32(bytes, 8),
          .jitter = load_u32(bytes, 12),
          .last_sender_report = CompactNtp{load_u32(bytes, 16)},
          .delay_since_last = CompactNtp{load_u32(bytes, 20)}};
}

NackEntry ItemForm<NackEntry>::read(Bytes bytes) {
  return {.lost = SequenceNumber{load_u16(bytes, 0)}, .following = load_u16(bytes, 2)};
}

FullIntraEntry ItemForm<FullIntraEntry>::read(Bytes bytes) {
  return {.media = Ssrc{load_u32(bytes, 0)}, .sequence_number = load_u8(bytes, 4)};
}

std::optional<Result<RtcpPacket>> CompoundReader::next() {
  if (rest_.empty() && !first_) return std::nullopt;
  first_ = false;
  const auto frame = take_frame(rest_);
  if (!frame) {
    rest_ = {};
    return tl::unexpected(frame.error());
  }
  return read_contents(*frame);
}

Result<void> check_compound(Bytes compound, CompoundForm form) {
  bool first = true;
  do {
    const auto frame = take_frame(compound);
    if (!frame) return tl::unexpected(frame.error());
    if (first && form == CompoundForm::full && !is_report(frame->type)) {
      return tl::unexpected(Malformed::no_report);
    }
    first = false;
  } while (!compound.empty());
  return {};
}

}  // namespace sluice::rtp
