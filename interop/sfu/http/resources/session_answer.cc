#include "sfu/http/resources/session_answer.h"

#include "common/http/entity_tags.h"
#include "common/http/web_server.h"
#include "sfu/http/layers_json.h"

namespace sluice::interop::sfu {
namespace {

using httplib::Response;

// Seconds until a client asks again for a place.
constexpr const char* kRetryLater = "10";

// A viewer may answer a counter-offer, too.
constexpr const char* kViewersPatchTypes = "application/sdp, application/trickle-ice-sdpfrag";

int status_of_refusal(Refusal why) {
  switch (why) {
    case Refusal::offer:
    case Refusal::no_common_codec:
      return 422;
    case Refusal::no_publisher:
    case Refusal::too_many_publishers:
      return 409;
    case Refusal::too_many_rooms:
    case Refusal::too_many_viewers:
    case Refusal::too_many_sessions:
    case Refusal::too_many_of_address:
    case Refusal::too_many_nodes:
      return 503;
    case Refusal::node_loop:
      return 508;
    case Refusal::failed:
      return 500;
  }
  return 500;
}

}  // namespace

void name_session(Response& response, const std::string& id, const std::string& ice_session) {
  response.set_header("Location", "/session/" + id);
  response.set_header("ETag", entity_tag(ice_session));
}

void link_layers(Response& response, const std::string& id) {
  response.set_header("Link",
                      "</session/" + id + "/layer>; rel=\"" + std::string{kLayerExtension} + "\"");
}

void answer_created(const Created& created, Response& response) {
  response.status = 201;
  name_session(response, created.id, created.ice_session);
  response.set_header("Accept-Patch", kFragmentType);
  response.set_content(created.answer, kSdpType);
}

void refuse_session(Response& response, const Refused& refused) {
  if (const auto& offer = refused.counter_offer) {
    response.status = 406;
    name_session(response, offer->id, offer->ice_session);
    response.set_header("Accept-Patch", kViewersPatchTypes);
    response.set_content(offer->offer, kSdpType);
    return;
  }
  const int status = status_of_refusal(refused.why);
  if (refused.why == Refusal::no_publisher) response.set_header("Retry-After", kRetrySoon);
  if (status == 503) response.set_header("Retry-After", kRetryLater);
  refuse(response, status, refused.sentence);
}

}  // namespace sluice::interop::sfu
