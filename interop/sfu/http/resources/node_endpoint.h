// POST /whep/ROOM/STREAM: another node of the cluster pulls a publisher, with all of its layers.
#pragma once

#include <httplib.h>

#include "sfu/http/resources/sfu_access.h"

namespace sluice::interop::sfu {

// `access` outlives the routes, and has a cluster.
void add_node_endpoint(httplib::Server& routes, const SfuAccess& access);

}  // namespace sluice::interop::sfu
