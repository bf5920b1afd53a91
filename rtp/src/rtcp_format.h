// How RTCP packets are told apart.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::rtp {

enum class PacketType : std::uint8_t {
  sender_report = 200,
  receiver_report = 201,
  source_description = 202,
  goodbye = 203,
  transport_feedback = 205,
  payload_feedback = 206,
};

// The five bits after the padding bit: a count in reports, a format in feedback.
inline constexpr std::uint8_t kNackFormat = 1;                // RFC 4585 section 6.2.1
inline constexpr std::uint8_t kTransportFeedbackFormat = 15;  // draft-holmer-rmcat, section 3.1
inline constexpr std::uint8_t kPliFormat = 1;                 // RFC 4585 section 6.3.1
inline constexpr std::uint8_t kFirFormat = 4;                 // RFC 5104 section 4.3.1
inline constexpr std::uint8_t kApplicationFormat = 15;        // RFC 4585 section 6.4
inline constexpr std::uint32_t kRembName = 0x52454d42;        // "REMB"

inline constexpr std::size_t kRtcpHeader = 4;
inline constexpr std::size_t kMaxCount = 31;
inline constexpr std::size_t kSenderInfo = 20;
// SSRC of the sender, SSRC of the media source (RFC 4585 section 6.1).
inline constexpr std::size_t kFeedbackHead = 8;
// Name, number of SSRCs, bitrate (draft-alvestrand-rmcat-remb section 2.2).
inline constexpr std::size_t kRembHead = 8;
inline constexpr unsigned kRembMantissaBits = 18;
// Base, count, reference time, number of the feedback.
inline constexpr std::size_t kTransportHead = 8;

}  // namespace sluice::rtp
