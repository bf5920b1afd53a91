// Reads and writes the RTCP packets that the echo needs (RFC 3550, RFC 4585, RFC 5104).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "demo/byte_order.h"

namespace sluice::interop::demo {

// The parts of a compound packet that the echo uses.
struct SenderReport {
  std::uint32_t sender;
  std::uint64_t ntp_timestamp;
  std::uint32_t rtp_timestamp;

  // The middle 32 bits, which a report block repeats in its LSR field.
  [[nodiscard]] std::uint32_t middle_ntp() const {
    return static_cast<std::uint32_t>(ntp_timestamp >> 16);
  }
};
struct ReportBlock {
  std::uint32_t ssrc;
  std::uint32_t last_sender_report;
  std::uint32_t delay_since_last;  // 1/65536 s
};
struct PictureLossIndication {
  std::uint32_t media_ssrc;
};
struct FullIntraRequest {
  std::uint32_t media_ssrc;
  std::uint8_t sequence_number;
};
struct GenericNack {
  std::uint32_t media_ssrc;
  std::vector<std::uint32_t> entries;  // PID and BLP (RFC 4585 section 6.2.1)
};
using RtcpItem =
    std::variant<SenderReport, ReportBlock, PictureLossIndication, FullIntraRequest, GenericNack>;

// Returns the known items in the packet's order and skips all others. Stops at the first malformed
// packet and keeps the items before it. The list has at most a quarter as many items as the packet
// has bytes.
std::vector<RtcpItem> read_rtcp(Bytes compound);

// These append whole RTCP packets. A compound must start with a report and contain a CNAME (RFC
// 3550 section 6.1), also where reduced-size RTCP (RFC 5506) would allow less. `report_blocks`
// holds whole blocks of 24 bytes, at most 31.
void append_sender_report(Buffer& out, const SenderReport& report, std::uint32_t packets,
                          std::uint32_t octets, Bytes report_blocks);
void append_receiver_report(Buffer& out, std::uint32_t sender, Bytes report_blocks);
void append_cname(Buffer& out, std::uint32_t sender, std::string_view cname);
void append_feedback(Buffer& out, std::uint32_t sender, const PictureLossIndication& feedback);
void append_feedback(Buffer& out, std::uint32_t sender, const FullIntraRequest& feedback);
void append_feedback(Buffer& out, std::uint32_t sender, const GenericNack& feedback);

}  // namespace sluice::interop::demo
