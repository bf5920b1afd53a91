#include "demo/rtcp_feedback.h"

namespace sluice::interop::demo {
namespace {

enum class PacketType : std::uint8_t {
  sender_report = 200,
  receiver_report = 201,
  source_description = 202,
  transport_feedback = 205,
  payload_feedback = 206,
};

// The five bits after the padding bit: a count in reports, a format in feedback.
constexpr std::uint8_t kNackFormat = 1;  // RFC 4585 section 6.2.1
constexpr std::uint8_t kPliFormat = 1;   // RFC 4585 section 6.3.1
constexpr std::uint8_t kFirFormat = 4;   // RFC 5104 section 4.3.1

constexpr std::size_t kHeader = 4;
constexpr std::size_t kReportBlock = 24;
constexpr std::size_t kSenderInfo = 20;

struct Packet {
  PacketType type;
  std::uint8_t count;
  Bytes body;  // after the header, without padding
};

// Removes and returns the first packet of `compound`.
std::optional<Packet> take_packet(Bytes& compound) {
  if (compound.size() < kHeader || load_u8(compound, 0) >> 6 != 2) return std::nullopt;
  const std::size_t length = 4 * std::size_t{load_u16(compound, 2)};
  if (compound.size() < kHeader + length) return std::nullopt;
  Bytes body = compound.subspan(kHeader, length);
  if ((load_u8(compound, 0) & 0x20) != 0) {
    const std::size_t padding = body.empty() ? 0 : load_u8(body, body.size() - 1);
    if (padding == 0 || padding > body.size()) return std::nullopt;
    body = body.first(body.size() - padding);
  }
  const Packet packet{.type = PacketType{load_u8(compound, 1)},
                      .count = static_cast<std::uint8_t>(load_u8(compound, 0) & 0x1f),
                      .body = body};
  compound = compound.subspan(kHeader + length);
  return packet;
}

// RFC 3550 sections 6.4.1 and 6.4.2.
void read_report(const Packet& packet, std::vector<RtcpItem>& items) {
  std::size_t offset = 4;
  if (packet.type == PacketType::sender_report) {
    if (packet.body.size() < offset + kSenderInfo) return;
    items.emplace_back(SenderReport{
        .sender = load_u32(packet.body, 0),
        .ntp_timestamp = std::uint64_t{load_u32(packet.body, 4)} << 32 | load_u32(packet.body, 8),
        .rtp_timestamp = load_u32(packet.body, 12)});
    offset += kSenderInfo;
  }
  for (std::size_t i = 0; i < packet.count; ++i, offset += kReportBlock) {
    if (packet.body.size() < offset + kReportBlock) return;
    items.emplace_back(ReportBlock{.ssrc = load_u32(packet.body, offset),
                                   .last_sender_report = load_u32(packet.body, offset + 16),
                                   .delay_since_last = load_u32(packet.body, offset + 20)});
  }
}

// RFC 4585 section 6.1: SSRC of the sender, SSRC of the media source, feedback control information.
void read_feedback(const Packet& packet, std::vector<RtcpItem>& items) {
  if (packet.body.size() < 8) return;
  const std::uint32_t media_ssrc = load_u32(packet.body, 4);
  const Bytes information = packet.body.subspan(8);
  if (packet.type == PacketType::payload_feedback && packet.count == kPliFormat) {
    items.emplace_back(PictureLossIndication{media_ssrc});
  } else if (packet.type == PacketType::payload_feedback && packet.count == kFirFormat) {
    // Each entry has its own SSRC; the field for the media source is unused.
    for (std::size_t offset = 0; offset + 8 <= information.size(); offset += 8) {
      items.emplace_back(FullIntraRequest{.media_ssrc = load_u32(information, offset),
                                          .sequence_number = load_u8(information, offset + 4)});
    }
  } else if (packet.type == PacketType::transport_feedback && packet.count == kNackFormat) {
    GenericNack nack{.media_ssrc = media_ssrc, .entries = {}};
    for (std::size_t offset = 0; offset + 4 <= information.size(); offset += 4) {
      nack.entries.push_back(load_u32(information, offset));
    }
    if (!nack.entries.empty()) items.emplace_back(std::move(nack));
  }
}

void append_header(Buffer& out, PacketType type, std::size_t count, std::size_t body_size) {
  append_u8(out, static_cast<std::uint8_t>(0x80 | count));
  append_u8(out, static_cast<std::uint8_t>(type));
  append_u16(out, static_cast<std::uint16_t>(body_size / 4));
}

}  // namespace

std::vector<RtcpItem> read_rtcp(Bytes compound) {
  std::vector<RtcpItem> items;
  while (const auto packet = take_packet(compound)) {
    switch (packet->type) {
      case PacketType::sender_report:
      case PacketType::receiver_report:
        read_report(*packet, items);
        break;
      case PacketType::transport_feedback:
      case PacketType::payload_feedback:
        read_feedback(*packet, items);
        break;
      case PacketType::source_description:
        break;
    }
  }
  return items;
}

void append_sender_report(Buffer& out, const SenderReport& report, std::uint32_t packets,
                          std::uint32_t octets, Bytes report_blocks) {
  append_header(out, PacketType::sender_report, report_blocks.size() / kReportBlock,
                4 + kSenderInfo + report_blocks.size());
  append_u32(out, report.sender);
  append_u32(out, static_cast<std::uint32_t>(report.ntp_timestamp >> 32));
  append_u32(out, static_cast<std::uint32_t>(report.ntp_timestamp));
  append_u32(out, report.rtp_timestamp);
  append_u32(out, packets);
  append_u32(out, octets);
  append(out, report_blocks);
}

void append_receiver_report(Buffer& out, std::uint32_t sender, Bytes report_blocks) {
  append_header(out, PacketType::receiver_report, report_blocks.size() / kReportBlock,
                4 + report_blocks.size());
  append_u32(out, sender);
  append(out, report_blocks);
}

// RFC 3550 section 6.5: one chunk, ended by one to four zero bytes up to a 32-bit boundary.
void append_cname(Buffer& out, std::uint32_t sender, std::string_view cname) {
  constexpr std::uint8_t kCnameItem = 1;
  const std::size_t items = 4 + 2 + cname.size();
  const std::size_t padding = 4 - items % 4;
  append_header(out, PacketType::source_description, 1, items + padding);
  append_u32(out, sender);
  append_u8(out, kCnameItem);
  append_u8(out, static_cast<std::uint8_t>(cname.size()));
  append(out, std::as_bytes(std::span{cname}));
  out.resize(out.size() + padding);
}

void append_feedback(Buffer& out, std::uint32_t sender, const PictureLossIndication& feedback) {
  append_header(out, PacketType::payload_feedback, kPliFormat, 8);
  append_u32(out, sender);
  append_u32(out, feedback.media_ssrc);
}

void append_feedback(Buffer& out, std::uint32_t sender, const FullIntraRequest& feedback) {
  append_header(out, PacketType::payload_feedback, kFirFormat, 16);
  append_u32(out, sender);
  append_u32(out, 0);  // RFC 5104 section 4.3.1.2: the media source SHALL be 0
  append_u32(out, feedback.media_ssrc);
  append_u32(out, std::uint32_t{feedback.sequence_number} << 24);
}

void append_feedback(Buffer& out, std::uint32_t sender, const GenericNack& feedback) {
  append_header(out, PacketType::transport_feedback, kNackFormat, 8 + 4 * feedback.entries.size());
  append_u32(out, sender);
  append_u32(out, feedback.media_ssrc);
  for (const auto entry : feedback.entries) append_u32(out, entry);
}

}  // namespace sluice::interop::demo
