#include "sfu/http/resources/session_resource.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "common/http/entity_tags.h"
#include "common/sdp/answer_reader.h"
#include "common/sdp/sdp_fragment.h"
#include "sfu/http/resources/resource.h"
#include "sfu/http/resources/session_answer.h"

namespace sluice::interop::sfu {
namespace {

using httplib::Request;
using httplib::Response;

constexpr const char* kSession = "/session/([0-9a-f]{32})";
// Seconds until a client asks again for an ICE restart.
constexpr const char* kRetryAtOnce = "1";

int status_of_ice(IceRefusal why) {
  switch (why) {
    case IceRefusal::no_session:
      return 404;
    case IceRefusal::other_ice_session:
      return 412;
    case IceRefusal::credentials:
      return 400;
    case IceRefusal::too_soon:
      return 429;
    case IceRefusal::failed:
      return 500;
  }
  return 500;
}

// All If-Match fields of a request, as one list (RFC 9110 section 5.3).
std::string if_match_of(const Request& request) {
  std::string list;
  for (std::size_t i = 0; i < request.get_header_value_count("If-Match"); ++i) {
    list += (i == 0 ? "" : ", ") + request.get_header_value("If-Match", i);
  }
  return list;
}

void patched(const IceResult& result, Response& response) {
  if (!result) {
    if (result.error().why == IceRefusal::too_soon) {
      response.set_header("Retry-After", kRetryAtOnce);
    }
    return refuse(response, status_of_ice(result.error().why), result.error().sentence);
  }
  // RFC 9725 section 4.3.2: without an ETag.
  if (!*result) {
    response.status = 204;
    return;
  }
  response.set_header("ETag", entity_tag((*result)->ice_session));
  response.set_content((*result)->fragment, kFragmentType);
}

void refuse_answer(Response& response, int status, const SdpResult<Answer>& answer) {
  if (status == 404) return refuse(response, status, "There is no such session.");
  if (status == 400) return refuse(response, status, answer.error().sentence);
  response.set_header("Accept-Patch", kFragmentType);
  refuse(response, status, "The session has no offer that waits for an answer.");
}

// Of a viewer to a counter-offer. It names no ICE session: there is none yet.
void take_answer(const SfuAccess& access, const Request& request, Response& response) {
  if (!access.rights_of(request).viewers) return refuse_token(response);
  const auto answer = read_answer(request.body);
  const std::string id = request.matches[1];
  const auto worker = access.media().worker_of(id);
  if (!worker) return refuse_answer(response, 404, answer);
  using Taken = tl::expected<std::string, Refused>;
  using Found = tl::expected<Taken, int>;
  const auto taken =
      access.ask<Found>(*worker, response, [id, answer](Sfu& sfu, dtls::Instant now) {
        if (!sfu.awaits_answer(id)) {
          return Found(tl::unexpect, sfu.find(id) == nullptr ? 404 : 415);
        }
        return answer ? Found(sfu.take_answer(id, *answer, now)) : Found(tl::unexpect, 400);
      });
  if (!taken) return;
  if (!*taken) return refuse_answer(response, taken->error(), answer);
  if (!**taken) return refuse_session(response, (*taken)->error());
  response.status = 204;
  response.set_header("ETag", entity_tag(***taken));
  response.set_header("Accept-Patch", kFragmentType);
  link_layers(response, id);
}

// RFC 9725 section 4.3: If-Match says which ICE session it is for.
void patch(const SfuAccess& access, const Request& request, Response& response) {
  const SfuAccess::Rights rights = access.rights_of(request);
  if (!rights.publishers && !rights.viewers && !rights.nodes) return refuse_token(response);
  if (has_type(request, kSdpType)) return take_answer(access, request, response);
  if (!has_type(request, kFragmentType)) {
    response.set_header("Accept-Patch", kFragmentType);  // RFC 5789 section 2.2
    return refuse(response, 415, "The fragment must come as " + std::string{kFragmentType} + ".");
  }
  if (request.body.size() > kMaxFragment) {
    return refuse(response, 413,
                  "The fragment is larger than " + std::to_string(kMaxFragment) + " bytes.");
  }
  const auto fragment = read_fragment(request.body);
  if (!fragment) return refuse(response, 400, fragment.error().sentence);
  if (!request.has_header("If-Match")) {
    return refuse(response, 428,
                  "If-Match is needed: the entity tag of the ICE session, or * to restart ICE.");
  }
  auto if_match = parse_if_match(if_match_of(request));
  if (!if_match) return refuse(response, 400, "If-Match is neither * nor a list of entity tags.");
  IceUpdate update{.ice = fragment->ice};
  if (!if_match->is_any) update.only = std::move(if_match->tags);
  const auto result = access.ask_session<IceResult>(
      request, response, [update](Sfu& sfu, const std::string& id, dtls::Instant now) {
        return sfu.update_ice(id, update, now);
      });
  if (result) patched(*result, response);
}

// Whatever If-Match says (RFC 9725 section 4.3.1).
void remove(const SfuAccess& access, const Request& request, Response& response) {
  const auto removed = access.ask_session<bool>(
      request, response,
      [](Sfu& sfu, const std::string& id, dtls::Instant now) { return sfu.remove(id, now); }, true);
  if (removed) response.set_content("", "text/plain");
}

}  // namespace

void add_session_resource(httplib::Server& routes, const SfuAccess& access) {
  routes.Delete(kSession, for_all_origins([&access](const Request& request, Response& response) {
                  remove(access, request, response);
                }));
  routes.Patch(kSession, for_all_origins([&access](const Request& request, Response& response) {
                 patch(access, request, response);
               }));
  routes.Get(kSession, answer_empty);
  add_other_methods(routes, {.pattern = kSession,
                             .allowed = "DELETE, GET, HEAD, OPTIONS, PATCH",
                             .cross_origin = "DELETE, OPTIONS, PATCH",
                             .accept = "Accept-Patch",
                             .type = kFragmentType});
}

}  // namespace sluice::interop::sfu
