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
      return 503;
    case Refusal::failed:
      return 500;
  }
  return 500;
}

void refuse_session(Response& response, const Refused& refused) {
  const int status = status_of_refusal(refused.why);
  if (refused.why == Refusal::no_publisher) response.set_header("Retry-After", kRetrySoon);
  if (status == 503) response.set_header("Retry-After", kRetryLater);
  refuse(response, status, refused.sentence);
}

// The agreement is made here, since it needs nothing of the media's thread.
std::optional<CreateResult> ask_to_publish(const SfuAccess& access, const std::string& room,
                                           Offer offer, const std::string& address,
                                           Response& response) {
  auto agreement = agree_on_publishing(offer);
  return access.ask<CreateResult>(
      access.media().place_for(room),
      response,
      [=, offer = std::move(offer), agreement = std::move(agreement)](Sfu& sfu, dtls::Instant now) {
        return sfu.publish(room, offer, agreement, address, now);
      });
}

std::optional<CreateResult> ask_to_watch(const SfuAccess& access, const std::string& room,
                                         Offer offer, const std::string& address,
                                         Response& response) {
  auto agreement = agree_on_viewing(offer, random_ssrc);
  return access.ask<CreateResult>(
      access.media().place_for(room),
      response,
      [=, offer = std::move(offer), agreement = std::move(agreement)](Sfu& sfu, dtls::Instant now) {
        return sfu.watch(room, offer, agreement, address, now);
      });
}

void create(const SfuAccess& access, const Request& request, Response& response) {
  const SfuHttpOptions& options = access.options();
  const bool publishes = request.matches[1] == "whip";
  if (!has_token(request, publishes ? options.publish_token : options.watch_token)) {
    return refuse_token(response);
  }
  if (!has_type(request, kSdpType)) {
    return refuse(response, 415, "The offer must come as application/sdp.");
  }
  const auto client = options.trusted_proxies.client_of(request);
  if (!client) return refuse(response, 400, client.error());
  auto offer = read_offer(request.body);
  if (!offer) return refuse(response, 400, offer.error().sentence);
  const auto ask = publishes ? ask_to_publish : ask_to_watch;
  const auto result = ask(access, request.matches[2].str(), *std::move(offer), *client, response);
  if (!result) return;
  if (!*result) return refuse_session(response, result->error());
  response.status = 201;
  response.set_header("Location", "/session/" + (*result)->id);
  response.set_header("ETag", entity_tag((*result)->ice_session));
  response.set_header("Accept-Patch", kFragmentType);
  if (!publishes) {
    response.set_header("Link", "</session/" + (*result)->id + "/layer>; rel=\"" +
                                    std::string{kLayerExtension} + "\"");
  }
  response.set_content((*result)->answer, kSdpType);
}

}  // namespace

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
