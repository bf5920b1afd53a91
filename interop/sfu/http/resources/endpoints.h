// POST /whip/ROOM and /whep/ROOM: sessions are made.
#pragma once

#include <httplib.h>

#include <optional>
#include <string>

#include "common/sdp/sdp_offer.h"
#include "sfu/http/resources/sfu_access.h"

namespace sluice::interop::sfu {

// What a session is made from.
struct PostedSession {
  Offer offer;
  std::string address;  // of the client
};
// Empty, with the refusal in `response`.
std::optional<PostedSession> read_posted(const SfuAccess& access, const httplib::Request& request,
                                         httplib::Response& response);

// `access` outlives the routes.
void add_endpoints(httplib::Server& routes, const SfuAccess& access);

}  // namespace sluice::interop::sfu
