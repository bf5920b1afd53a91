// PATCH and DELETE /session/ID: Trickle ICE, ICE restarts, answers to counter-offers, and the end.
#pragma once

#include <httplib.h>

#include "sfu/http/resources/sfu_access.h"

namespace sluice::interop::sfu {

// `access` outlives the routes.
void add_session_resource(httplib::Server& routes, const SfuAccess& access);

}  // namespace sluice::interop::sfu
