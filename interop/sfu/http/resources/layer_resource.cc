#include "sfu/http/resources/layer_resource.h"

#include <string>

#include "sfu/http/layers_json.h"
#include "sfu/http/resources/resource.h"

namespace sluice::interop::sfu {
namespace {

using httplib::Request;
using httplib::Response;

constexpr const char* kJsonType = "application/json";
constexpr const char* kLayers = "/session/([0-9a-f]{32})/layer";

void show_layers(const SfuAccess& access, const Request& request, Response& response) {
  const auto json = access.ask_session<std::string>(
      request, response, [](const Sfu& sfu, const std::string& id, dtls::Instant now) {
        const Session& session = *sfu.find(id);
        return session.viewer ? layers_json(*session.viewer, now) : std::string{"{}"};
      });
  if (!json) return;
  response.set_header("Cache-Control", "no-store");
  // Pages ask again and again: an idle connection occupies a thread, and a place of its address.
  response.set_header("Connection", "close");
  response.set_content(*json, kJsonType);
}

void choose_layer(const SfuAccess& access, const Request& request, Response& response) {
  if (!has_type(request, kJsonType)) {
    return refuse(response, 415, "The choice must come as application/json.");
  }
  if (request.body.size() > kMaxLayerWish) {
    return refuse(response, 413,
                  "The choice is larger than " + std::to_string(kMaxLayerWish) + " bytes.");
  }
  const auto wish = read_layer_wish(request.body);
  if (!wish) return refuse(response, 400, wish.error());
  const auto is_done = access.ask_session<bool>(
      request, response, [wish = *wish](Sfu& sfu, const std::string& id, dtls::Instant) {
        return sfu.ask_for_layer(id, wish.mid, wish.rid);
      });
  if (!is_done) return;
  if (!*is_done) return refuse(response, 422, "What is watched has no such section or layer.");
  response.status = 204;
}

}  // namespace

void add_layer_resource(httplib::Server& routes, const SfuAccess& access) {
  routes.Get(kLayers, for_all_origins([&access](const Request& request, Response& response) {
               show_layers(access, request, response);
             }));
  routes.Post(kLayers, for_all_origins([&access](const Request& request, Response& response) {
                choose_layer(access, request, response);
              }));
  add_other_methods(routes, {.pattern = kLayers,
                             .allowed = "GET, HEAD, OPTIONS, POST",
                             .cross_origin = "GET, OPTIONS, POST",
                             .accept = "Accept-Post",
                             .type = kJsonType});
}

}  // namespace sluice::interop::sfu
