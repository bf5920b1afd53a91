// Writes the answer to an offer (RFC 9429 section 5.3), and offers data channels (section 5.2).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "common/sdp/transport_description.h"

#include "common/sdp/sdp_offer.h"

namespace sluice::interop::demo {

struct AnswerOptions {
  std::uint64_t session_id = 0;  // at most 63 bits
  bool ice_lite = false;         // our ICE agent is lite (RFC 8445 section 2.5)
  bool dtls_in_stun = false;     // of ice_lite
  // Parallel to Offer::sections: the SSRC of the echoed stream. Ignored for sections without RTP.
  std::span<const std::uint32_t> ssrcs = {};
  std::uint64_t max_message_size = 0;  // of data channels, in bytes
  dtls::Bytes sctp_init = {};          // our INIT chunk, for a=sctp-init; empty: none
};

// The largest data channel message that the demo accepts, in bytes.
inline constexpr std::size_t kMaxMessageSize = 262144;

// Our role. An offer of actpass leaves the choice: it is `requested`, or else `preferred`. Other
// offers determine the role (RFC 4145 section 4.1), and a `requested` that contradicts them is an
// error. The result is active or passive.
SdpResult<Setup> choose_setup(Setup offered, std::optional<Setup> requested, Setup preferred);

// The direction of the answer. An echo sends only where it also receives.
Direction answer_direction(Direction offered);

// `transport` describes our side, with all candidates: the answer doesn't trickle.
std::string write_answer(const Offer& offer, const TransportDescription& transport,
                         const AnswerOptions& options);

// What the server itself offers: data channels alone, since it has no media of its own. It is
// written as an answer to it would be.
Offer own_offer();
// Why an answer to own_offer() can't be taken; empty: it can.
std::string fault_of_answer(const Offer& answer);

}  // namespace sluice::interop::demo
