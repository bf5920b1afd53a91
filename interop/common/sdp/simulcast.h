// Simulcast in SDP (RFC 8853), with the IDs of its streams (RFC 8851).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/sdp/sdp_document.h"

namespace sluice::interop {

// Browsers send up to three streams of a track. Those beyond are left out of the answer.
inline constexpr std::size_t kMaxSimulcastStreams = 4;

// The RIDs of the streams that the section's a=simulcast offers to send, in its order, which is
// that of preference. Of alternatives it is the first. Left out: what has no a=rid with "send",
// what comes twice, what no header extension can hold (RFC 8852 section 3), and what comes behind
// 16 others. Empty: no simulcast.
std::vector<std::string> read_simulcast(const SdpMedia& media);
// The lines of an answer that receives these streams, or sends them: "recv" or "send".
void write_simulcast(SdpAttributes& attributes, std::span<const std::string> rids,
                     std::string_view direction);

}  // namespace sluice::interop
