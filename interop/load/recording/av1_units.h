// Temporal units of AV1 as the payloads of RTP packets.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/rtp/bytes.h>

namespace sluice::interop::load {

// Whether the temporal unit has a sequence header, as it has where decoding can begin. Empty: it is
// no sequence of whole OBUs.
std::optional<bool> is_av1_key_frame(rtp::Bytes unit);

// RTP Payload Format for AV1 section 4: OBUs without their sizes, behind an aggregation header,
// each with its length. Temporal delimiters and what else may be left out (section 5) is left out.
std::vector<dtls::Buffer> packetize_av1(rtp::Bytes unit, std::size_t most);

}  // namespace sluice::interop::load
