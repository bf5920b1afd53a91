// Frames as the payloads of RTP packets: VP8 (RFC 7741), VP9 (RFC 9628) and AV1 (RTP Payload Format
// for AV1, version 1.0.0). The descriptors have no picture IDs: the same bytes can be sent in each
// round of a file.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/rtp/bytes.h>

namespace sluice::interop::load {

struct Packetizer {
  std::string_view fourcc;  // in IVF
  std::string_view codec;   // in SDP
  // Whether decoding can begin with the frame. Empty: it is none of this codec.
  std::optional<bool> (*is_key_frame)(rtp::Bytes frame);
  // At most `most` bytes each. Precondition: is_key_frame() has a value, and `most` is at least 16.
  std::vector<dtls::Buffer> (*packetize)(rtp::Bytes frame, std::size_t most);
};

// Null: none that can be sent.
const Packetizer* packetizer_of(std::string_view fourcc);

// The profile of a frame of VP9.
unsigned vp9_profile(rtp::Bytes frame);

}  // namespace sluice::interop::load
