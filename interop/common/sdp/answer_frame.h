// What every answer has, whatever its media (RFC 9429 section 5.3).
#pragma once

#include "common/sdp/sdp_document.h"
#include "common/sdp/sdp_offer.h"
#include "common/sdp/transport_description.h"

namespace sluice::interop {

struct AgentOptions {
  bool ice_lite = false;      // our ICE agent is lite (RFC 8445 section 2.5)
  bool dtls_in_stun = false;  // of ice_lite
};

// An answer with all sections of the offer. Those that are accepted have what is about the
// transport and nothing about media; those that are rejected are complete. `transport` describes
// our side, with all candidates: the answer doesn't trickle.
SdpDocument begin_answer(const Offer& offer, const TransportDescription& transport,
                         const AgentOptions& agent);

}  // namespace sluice::interop
