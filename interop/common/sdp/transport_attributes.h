// Writes a TransportDescription into a section of an offer or an answer.
#pragma once

#include "common/sdp/sdp_document.h"
#include "common/sdp/transport_description.h"

namespace sluice::interop {

// RFC 9143 section 7.1.3 wants these attributes in the tagged section only, and receivers ignore
// them elsewhere. Browsers repeat them in all sections, and aiortc refuses a section without them.
void add_transport(SdpAttributes& attributes, const TransportDescription& transport);

// All candidates, and that no more follow.
void add_candidates(SdpAttributes& attributes, const TransportDescription& transport);

}  // namespace sluice::interop
