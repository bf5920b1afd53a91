// What every answer has, whatever its media (RFC 9429 section 5.3).
#pragma once

#include "common/sdp/sdp_document.h"
#include "common/sdp/sdp_offer.h"
#include "common/sdp/transport_description.h"

namespace sluice::interop {

struct AgentOptions {
  bool ice_lite = false;       // our ICE agent is lite (RFC 8445 section 2.5)
  bool dtls_in_stun = false;   // of ice_lite
  bool takes_trickle = false;  // of ice_lite: candidates may come after the offer (RFC 8838)
};

// An answer with all sections of the offer. Those that are accepted have what is about the
// transport and nothing about media; those that are rejected are complete. `transport` describes
// our side, with all candidates: the answer doesn't trickle.
SdpDocument begin_answer(const Offer& offer, const TransportDescription& transport,
                         const AgentOptions& agent);

// A fragment about the transport of that answer (RFC 9725 section 4.3.3), without its credentials
// and candidates: they are lines that follow. It has the section that describes the transport, and
// at the session level what the answer says there of ICE and BUNDLE.
SdpDocument begin_fragment(const Offer& offer, const AgentOptions& agent);

}  // namespace sluice::interop
