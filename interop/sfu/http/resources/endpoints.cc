#include "sfu/http/resources/endpoints.h"

#include <optional>
#include <string>
#include <utility>

#include "common/http/entity_tags.h"
#include "common/sdp/sdp_offer.h"
#include "sfu/http/layers_json.h"
#include "sfu/http/resources/resource.h"
#include "sfu/http/resources/session_resource.h"
#include "sfu/signalling/negotiation.h"

namespace sluice::interop::sfu {
namespace {

using httplib::Request;
using httplib::Response;

constexpr const char* kSdpType = "application/sdp";
constexpr const char* kEndpoint = "/(whip|whep)/([A-Za-z0-9_-]{1,64})";
// Seconds until a viewer asks again for a publisher, and a client for a place.
constexpr const char* kRetrySoon = "2";
constexpr const char* kRetryLater = "10";

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

// The agreement is made here, since it needs nothing of the media's thread.
std::optional<CreateResult> ask_to_publish(const SfuAccess& access, const std::string& room,
                                           Offer offer, const std::string& address,
                                           Response& response) {
  auto agreement = agree_on_publishing(offer);
  return access.ask<CreateResult>(
      access.media().place_for(room), response,
      [=, offer = std::move(offer), agreement = std::move(agreement)](Sfu& sfu, dtls::Instant now) {
        return sfu.publish(room, offer, agreement, address, now);
      });
}

std::optional<CreateResult> ask_to_watch(const SfuAccess& access, const std::string& room,
                                         Offer offer, const std::string& address,
                                         Response& response) {
  auto agreement = agree_on_viewing(offer, random_ssrc);
  return access.ask<CreateResult>(
      access.media().place_for(room), response,
      [=, offer = std::move(offer), agreement = std::move(agreement)](Sfu& sfu, dtls::Instant now) {
        return sfu.watch(room, offer, agreement, address, now);
      });
}

// False, with the refusal in `response`: the cluster can't say who publishes in this room, or can't
// bring it here. Where nobody does, the room says so itself.
bool find_elsewhere(Cluster& cluster, const std::string& room, Response& response) {
  switch (cluster.has_begun() ? cluster.find(room) : Cluster::Found::no_registry) {
    case Cluster::Found::found:
    case Cluster::Found::none:
      return true;
    case Cluster::Found::unreachable:
      refuse(response, 503, "The node that has the stream does not answer in time.");
      break;
    case Cluster::Found::no_registry:
      refuse(response, 503, "The registry of the cluster does not answer.");
      break;
  }
  response.set_header("Retry-After", kRetrySoon);
  return false;
}

void publish(const SfuAccess& access, const std::string& room, const PostedSession& posted,
             Response& response) {
  const auto result = ask_to_publish(access, room, posted.offer, posted.address, response);
  if (!result) return;
  if (!*result) return refuse_session(response, result->error());
  answer_created(**result, response);
  Cluster* const cluster = access.options().cluster;
  if (cluster != nullptr) cluster->wake();
}

void watch(const SfuAccess& access, const std::string& room, const PostedSession& posted,
           Response& response) {
  auto result = ask_to_watch(access, room, posted.offer, posted.address, response);
  if (!result) return;
  Cluster* const cluster = access.options().cluster;
  if (!*result && result->error().why == Refusal::no_publisher && cluster != nullptr) {
    if (!find_elsewhere(*cluster, room, response)) return;
    result = ask_to_watch(access, room, posted.offer, posted.address, response);
    if (!result) return;
  }
  if (!*result) return refuse_session(response, result->error());
  answer_created(**result, response);
  response.set_header("Link", "</session/" + (*result)->id + "/layer>; rel=\"" +
                                  std::string{kLayerExtension} + "\"");
}

void create(const SfuAccess& access, const Request& request, Response& response) {
  const SfuHttpOptions& options = access.options();
  const bool publishes = request.matches[1] == "whip";
  if (!has_token(request, publishes ? options.publish_token : options.watch_token)) {
    return refuse_token(response);
  }
  const auto posted = read_posted(access, request, response);
  if (!posted) return;
  (publishes ? publish : watch)(access, request.matches[2].str(), *posted, response);
}

}  // namespace

std::optional<PostedSession> read_posted(const SfuAccess& access, const Request& request,
                                         Response& response) {
  if (!has_type(request, kSdpType)) {
    refuse(response, 415, "The offer must come as application/sdp.");
    return std::nullopt;
  }
  const auto client = access.options().trusted_proxies.client_of(request);
  if (!client) {
    refuse(response, 400, client.error());
    return std::nullopt;
  }
  auto offer = read_offer(request.body);
  if (!offer) {
    refuse(response, 400, offer.error().sentence);
    return std::nullopt;
  }
  return PostedSession{*std::move(offer), *client};
}

void answer_created(const Created& created, Response& response) {
  response.status = 201;
  response.set_header("Location", "/session/" + created.id);
  response.set_header("ETag", entity_tag(created.ice_session));
  response.set_header("Accept-Patch", kFragmentType);
  response.set_content(created.answer, kSdpType);
}

void refuse_session(Response& response, const Refused& refused) {
  const int status = status_of_refusal(refused.why);
  if (refused.why == Refusal::no_publisher) response.set_header("Retry-After", kRetrySoon);
  if (status == 503) response.set_header("Retry-After", kRetryLater);
  refuse(response, status, refused.sentence);
}

void add_endpoints(httplib::Server& routes, const SfuAccess& access) {
  routes.Post(kEndpoint, for_all_origins([&access](const Request& request, Response& response) {
                create(access, request, response);
              }));
  routes.Get(kEndpoint, answer_empty);
  add_other_methods(routes, {.pattern = kEndpoint,
                             .allowed = "GET, HEAD, OPTIONS, POST",
                             .cross_origin = "POST, OPTIONS",
                             .accept = "Accept-Post",
                             .type = kSdpType});
}

}  // namespace sluice::interop::sfu
