// The answer to an offer (RFC 9429 section 5.3).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <sluice/nice/description.h>

#include "server/sdp_offer.h"

namespace sluice::interop {

struct AnswerOptions {
  std::uint64_t session_id = 0;  // at most 63 bits
  // Parallel to Offer::sections: the SSRC of what is echoed; unused for others than RTP sections.
  std::span<const std::uint32_t> ssrcs = {};
  std::uint64_t max_message_size = 0;  // of data channels, in bytes
};

// The largest message of a data channel that the demo takes, in bytes.
inline constexpr std::size_t kMaxMessageSize = 262144;

// Who offers actpass leaves the choice to us: `wish`, or else `preferred`; other offers decide it
// (RFC 4145 section 4.1), and a wish that they rule out is an error. The result is active or
// passive.
SdpResult<nice::Setup> choose_setup(nice::Setup offered, std::optional<nice::Setup> wish,
                                    nice::Setup preferred);

// What we do where the other side does `offered`: an echo has nothing to send of its own.
Direction answer_direction(Direction offered);

// `transport` is our own end: all candidates at once, since an answer here doesn't trickle.
std::string write_answer(const Offer& offer, const nice::Description& transport,
                         const AnswerOptions& options);

}  // namespace sluice::interop
