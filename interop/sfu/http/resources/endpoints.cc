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
                                         Response& response) {
  auto agreement = agree_on_viewing(offer, random_ssrc);
  return access.ask<CreateResult>(
      access.media().place_for(room), response,
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
  name_session(response, (*result)->id, (*result)->ice_session);
  response.set_header("Accept-Patch", kFragmentType);
  if (!publishes) link_layers(response, (*result)->id);
  response.set_content((*result)->answer, kSdpType);
}

// WHEP's draft, from -04 on: HEAD finds out whether a URL is an endpoint of it.
void describe(const Request& request, Response& response) {
  if (request.matches[1] == "whip") return answer_empty(request, response);
  allow_other_origins(response);
  response.set_content("", kSdpType);
}

}  // namespace

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
