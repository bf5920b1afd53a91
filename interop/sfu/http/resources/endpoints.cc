#include "sfu/http/resources/endpoints.h"

#include <optional>
#include <string>
#include <utility>

#include "common/sdp/sdp_offer.h"
#include "sfu/http/resources/resource.h"
#include "sfu/http/resources/session_answer.h"
#include "sfu/signalling/negotiation.h"

namespace sluice::interop::sfu {
namespace {

using httplib::Request;
using httplib::Response;

constexpr const char* kEndpoint = "/(whip|whep)/([A-Za-z0-9_-]{1,64})";

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
                                         bool looks_elsewhere, Response& response) {
  auto agreement = agree_on_viewing(offer, random_ssrc);
  return access.ask<CreateResult>(
      access.media().place_for(room), response,
      [=, offer = std::move(offer), agreement = std::move(agreement)](Sfu& sfu, dtls::Instant now) {
        return sfu.watch(room, offer, agreement, address, now, looks_elsewhere);
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
  Cluster* const cluster = access.options().cluster;
  auto result =
      ask_to_watch(access, room, posted.offer, posted.address, cluster != nullptr, response);
  if (!result) return;
  if (!*result && result->error().why == Refusal::no_publisher && cluster != nullptr) {
    if (!find_elsewhere(*cluster, room, response)) return;
    result = ask_to_watch(access, room, posted.offer, posted.address, false, response);
    if (!result) return;
  }
  if (!*result) return refuse_session(response, result->error());
  answer_created(**result, response);
  link_layers(response, (*result)->id);
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

// WHEP's draft, from -04 on: HEAD finds out whether a URL is an endpoint of it.
void describe(const Request& request, Response& response) {
  if (request.matches[1] == "whip") return answer_empty(request, response);
  allow_other_origins(response);
  response.set_content("", kSdpType);
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

void add_endpoints(httplib::Server& routes, const SfuAccess& access) {
  routes.Post(kEndpoint, for_all_origins([&access](const Request& request, Response& response) {
                create(access, request, response);
              }));
  routes.Get(kEndpoint, describe);
  add_other_methods(routes, {.pattern = kEndpoint,
                             .allowed = "GET, HEAD, OPTIONS, POST",
                             .cross_origin = "POST, OPTIONS",
                             .accept = "Accept-Post",
                             .type = kSdpType});
}

}  // namespace sluice::interop::sfu
