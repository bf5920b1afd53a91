#include "sfu/http/resources/node_endpoint.h"

#include <string>
#include <utility>
#include <vector>

#include "sfu/cluster/cluster.h"
#include "sfu/http/resources/endpoints.h"
#include "sfu/http/resources/session_answer.h"

namespace sluice::interop::sfu {
namespace {

constexpr const char* kStream = "/whep/([A-Za-z0-9_-]{1,64})/([0-9a-f]{32})";

void create_for_node(const SfuAccess& access, const httplib::Request& request,
                     httplib::Response& response) {
  const Cluster& cluster = *access.options().cluster;
  if (!has_token(request, cluster.token())) return refuse_token(response);
  if (!cluster.has_begun()) return refuse(response, 503, "The server is starting.");
  const auto posted = read_posted(access, request, response);
  if (!posted) return;
  const auto node = parse_node_url(request.get_header_value(kNodeField));
  if (!node) return refuse(response, 400, std::string{kNodeField} + ": " + node.error());
  const auto query =
      cluster.request(request.matches[1].str(), request.matches[2].str(), node->origin);
  // A worker without it refuses.
  const auto worker = access.media().worker_of_stream(query.room, query.stream);
  using Pulled = std::pair<CreateResult, std::vector<std::string>>;
  const auto result = access.ask<Pulled>(
      worker.value_or(0), response, [posted = *posted, query](Sfu& sfu, dtls::Instant now) {
        auto created = sfu.watch_stream(query, posted.offer, posted.address, now);
        return Pulled{std::move(created), sfu.path_of(query.room, query.stream)};
      });
  if (!result) return;
  if (!result->first) return refuse_session(response, result->first.error());
  response.set_header(kPathField, path_text(result->second));
  answer_created(*result->first, response);
}

}  // namespace

void add_node_endpoint(httplib::Server& routes, const SfuAccess& access) {
  routes.Post(kStream, [&access](const httplib::Request& request, httplib::Response& response) {
    create_for_node(access, request, response);
  });
}

}  // namespace sluice::interop::sfu
