// PATCH and DELETE /session/ID: Trickle ICE, ICE restarts, and the end.
#pragma once

#include <httplib.h>

#include "sfu/http/resources/sfu_access.h"

namespace sluice::interop::sfu {

// RFC 8840 section 9.
inline constexpr const char* kFragmentType = "application/trickle-ice-sdpfrag";

// `access` outlives the routes.
void add_session_resource(httplib::Server& routes, const SfuAccess& access);

}  // namespace sluice::interop::sfu
