// GET and POST /session/ID/layer: which layer of simulcast a viewer gets (layers_json.h).
#pragma once

#include <httplib.h>

#include "sfu/http/resources/sfu_access.h"

namespace sluice::interop::sfu {

// `access` outlives the routes.
void add_layer_resource(httplib::Server& routes, const SfuAccess& access);

}  // namespace sluice::interop::sfu
