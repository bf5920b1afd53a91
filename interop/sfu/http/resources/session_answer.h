// What answers say of a session: which one it is, why there is none, and what is offered instead.
#pragma once

#include <httplib.h>

#include <string>

#include "sfu/sfu.h"

namespace sluice::interop::sfu {

inline constexpr const char* kSdpType = "application/sdp";
// RFC 8840 section 9.
inline constexpr const char* kFragmentType = "application/trickle-ice-sdpfrag";

// Seconds until a viewer asks again for a publisher (Retry-After).
inline constexpr const char* kRetrySoon = "2";

// Location and ETag.
void name_session(httplib::Response& response, const std::string& id,
                  const std::string& ice_session);
// Where a viewer asks for layers (layers_json.h).
void link_layers(httplib::Response& response, const std::string& id);
// 201, with the answer to the offer.
void answer_created(const Created& created, httplib::Response& response);
// A sentence, or a counter-offer (draft-ietf-wish-whep-04).
void refuse_session(httplib::Response& response, const Refused& refused);

}  // namespace sluice::interop::sfu
