// Where a decoder can begin: told by the first bytes of a packet's payload.
#pragma once

#include <sluice/rtp/bytes.h>

namespace sluice::interop::sfu {

// Whether the payload is the beginning of a key frame, and so of what a viewer can decode. A
// payload that is malformed is none.
bool begins_vp8_key_frame(rtp::Bytes payload);   // RFC 7741 section 4
bool begins_vp9_key_frame(rtp::Bytes payload);   // RFC 9628 section 4
bool begins_h264_key_frame(rtp::Bytes payload);  // RFC 6184 section 5: an IDR picture or its SPS
bool begins_av1_key_frame(rtp::Bytes payload);   // "RTP Payload Format For AV1" section 4.4
// Every packet of Opus can be decoded (RFC 7587).
inline bool begins_anywhere(rtp::Bytes /*payload*/) { return true; }

}  // namespace sluice::interop::sfu
