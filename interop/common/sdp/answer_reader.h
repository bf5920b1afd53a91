// Reads the answer of a server, for a client of ours.
#pragma once

#include <string_view>

#include "common/sdp/sdp_offer.h"

namespace sluice::interop {

// An answer says the same things as an offer does: its sections in the order of the offer's, and
// the transport that those share which it accepts.
using Answer = Offer;

// The error says what is wrong: what would make an offer unusable, nothing accepted, or no DTLS
// role.
SdpResult<Answer> read_answer(std::string_view sdp);

}  // namespace sluice::interop
