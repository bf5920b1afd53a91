// POST /whip/ROOM and /whep/ROOM: sessions are made.
#pragma once

#include <httplib.h>

#include "sfu/http/resources/sfu_access.h"

namespace sluice::interop::sfu {

// `access` outlives the routes.
void add_endpoints(httplib::Server& routes, const SfuAccess& access);

}  // namespace sluice::interop::sfu
