#include "sfu/http/resources/resource.h"

#include <string_view>

#include "common/http/web_server.h"

namespace sluice::interop::sfu {

using httplib::Request;
using httplib::Response;

void allow_other_origins(Response& response) {
  response.set_header("Access-Control-Allow-Origin", "*");
  response.set_header("Access-Control-Expose-Headers",
                      "Accept-Patch, ETag, Link, Location, Retry-After");
}

void add_other_methods(httplib::Server& routes, const ResourceMethods& methods) {
  routes.Options(methods.pattern, [methods](const Request& /*request*/, Response& response) {
    allow_other_origins(response);
    response.set_header("Access-Control-Allow-Methods", methods.cross_origin);
    response.set_header("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match");
    response.set_header(methods.accept, methods.type);
    response.set_content("", "text/plain");
  });
  const auto other = [methods](const Request& /*request*/, Response& response) {
    allow_other_origins(response);
    response.set_header("Allow", methods.allowed);
    refuse(response, 405, "This resource takes " + std::string{methods.allowed} + ".");
  };
  const auto is_allowed = [&](std::string_view method) {
    return std::string_view(methods.allowed).find(method) != std::string_view::npos;
  };
  if (!is_allowed("POST")) routes.Post(methods.pattern, other);
  if (!is_allowed("PUT")) routes.Put(methods.pattern, other);
  if (!is_allowed("PATCH")) routes.Patch(methods.pattern, other);
  if (!is_allowed("DELETE")) routes.Delete(methods.pattern, other);
}

void answer_empty(const Request& /*request*/, Response& response) {
  allow_other_origins(response);
  response.status = 204;
}

}  // namespace sluice::interop::sfu
