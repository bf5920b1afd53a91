// Reads the parts of an RTP header that the echo needs (RFC 3550 section 5.1, RFC 8285).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "demo/byte_order.h"

namespace sluice::interop::demo {

struct RtpHeader {
  std::uint8_t payload_type;
  std::uint16_t sequence_number;
  std::uint32_t timestamp;
  std::uint32_t ssrc;
  std::size_t payload_size;  // without padding
  Bytes extension;           // body of the header extension; may be empty
  std::uint16_t extension_profile;
};

// Empty: the packet is not RTP of version 2, or it is shorter than its header says.
std::optional<RtpHeader> read_rtp_header(Bytes packet);

// The element `id` of a one-byte or two-byte header extension. Empty: there is none.
std::optional<std::string_view> find_extension(const RtpHeader& header, std::uint8_t id);

// Precondition: read_rtp_header() accepts `packet`.
void set_rtp_ssrc(MutableBytes packet, std::uint32_t ssrc);

}  // namespace sluice::interop::demo
