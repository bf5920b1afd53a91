#include "sfu/http/sfu_http.h"

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "common/http/entity_tags.h"
#include "common/sdp/answer_reader.h"
#include "common/sdp/sdp_fragment.h"
#include "common/sdp/sdp_offer.h"
#include "sfu/http/bearer_token.h"
#include "sfu/http/layers_json.h"
#include "sfu/http/request_log.h"
#include "sfu/operations/operations_http.h"
#include "sfu/page_assets.h"

namespace sluice::interop::sfu {
namespace {

using httplib::Request;
using httplib::Response;

constexpr const char* kSdpType = "application/sdp";
constexpr const char* kFragmentType = "application/trickle-ice-sdpfrag";
constexpr const char* kEndpoint = "/(whip|whep)/([A-Za-z0-9_-]{1,64})";
constexpr const char* kJsonType = "application/json";
constexpr const char* kLayers = "/session/([0-9a-f]{32})/layer";
constexpr const char* kLayerMethods = "GET, HEAD, OPTIONS, POST";
constexpr const char* kSession = "/session/([0-9a-f]{32})";
constexpr const char* kEndpointMethods = "GET, HEAD, OPTIONS, POST";
constexpr const char* kSessionMethods = "DELETE, GET, HEAD, OPTIONS, PATCH";
// A viewer may answer a counter-offer, too.
constexpr const char* kViewersPatchTypes = "application/sdp, application/trickle-ice-sdpfrag";
// Seconds until a client asks again for an ICE restart, a viewer for a publisher, and a client for
// a place.
constexpr const char* kRetryAtOnce = "1";
constexpr const char* kRetrySoon = "2";
constexpr const char* kRetryLater = "10";

// Pages of other origins may use WHIP and WHEP (RFC 9725 section 4.2).
void allow_other_origins(Response& response) {
  response.set_header("Access-Control-Allow-Origin", "*");
  response.set_header("Access-Control-Expose-Headers",
                      "Accept-Patch, ETag, Link, Location, Retry-After");
}

void refuse_method(Response& response, const char* allowed) {
  allow_other_origins(response);
  response.set_header("Allow", allowed);
  refuse(response, 405, "This resource takes " + std::string{allowed} + ".");
}

int status_of(Refusal why) {
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

HttpOptions with_proxies(const SfuHttpOptions& options) {
  HttpOptions http = options.http;
  http.is_proxy = [proxies = options.trusted_proxies](const std::string& address) {
    return proxies.contains(address);
  };
  return http;
}

int status_of(IceRefusal why) {
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

}  // namespace

class SfuHttp::Impl {
 public:
  Impl(const SfuHttpOptions& options, SfuLoop& loop)
      : options_(options), loop_(loop), server_(with_proxies(options), kMaxOffer) {
    server_.add_page(page_assets());
    if (options.log) log_requests();
    add_endpoints();
    add_sessions();
    add_layers();
    add_operations(
        server_.routes(), OperatorAccess(options.admin_token, options.http.host),
        [this](Response& response, std::function<std::string(Sfu&, dtls::Instant)> work) {
          return ask<std::string>(response, std::move(work));
        });
  }

  tl::expected<void, std::string> listen() { return server_.listen(); }
  [[nodiscard]] int port() const { return server_.port(); }
  [[nodiscard]] int listening() const { return server_.listening(); }
  [[nodiscard]] std::string url() const { return server_.url(); }

 private:
  // Runs `work` on the loop's thread. It may use nothing of this object: WebServer::wait(). It is
  // not run for a request that has been refused for its delay.
  template <class Answer>
  std::optional<Answer> ask(Response& response, std::function<Answer(Sfu&, dtls::Instant)> work) {
    auto promise = std::make_shared<std::promise<Answer>>();
    auto answer = promise->get_future();
    const auto claim = std::make_shared<std::atomic_flag>();
    if (!loop_.post([promise, claim, work = std::move(work)](Sfu& sfu, dtls::Instant now) {
          if (!claim->test_and_set()) promise->set_value(work(sfu, now));
        })) {
      refuse(response, 503, "Too many requests wait.");
      return std::nullopt;
    }
    return server_.wait(response, std::move(answer), claim.get());
  }

  // Which sessions a request may change: those that were made with its token.
  struct Rights {
    bool publishers;
    bool viewers;
  };
  [[nodiscard]] Rights rights_of(const Request& request) const {
    return {.publishers = has_token(request, options_.publish_token),
            .viewers = has_token(request, options_.watch_token)};
  }

  // Runs `work` for the session of the URL. `or_offer`: also for a counter-offer that waits.
  template <class Answer>
  std::optional<Answer> ask_session(
      const Request& request, Response& response,
      std::function<Answer(Sfu&, const std::string& id, dtls::Instant)> work,
      bool or_offer = false) {
    using Found = tl::expected<Answer, int>;
    auto found = ask<Found>(response, [rights = rights_of(request), id = request.matches[1].str(),
                                       work = std::move(work),
                                       or_offer](Sfu& sfu, dtls::Instant now) {
      const Session* session = sfu.find(id);
      const bool is_offer = session == nullptr && or_offer && sfu.awaits_answer(id);
      if (session == nullptr && !is_offer) return Found(tl::unexpect, 404);
      const bool may_change = !is_offer && session->publisher ? rights.publishers : rights.viewers;
      return may_change ? Found(work(sfu, id, now)) : Found(tl::unexpect, 401);
    });
    if (!found) return std::nullopt;
    if (*found) return **std::move(found);
    if (found->error() == 401) {
      refuse_token(response);
    } else {
      refuse(response, found->error(), "There is no such session.");
    }
    return std::nullopt;
  }

  void log_requests() {
    server_.observe([this](const Request& request, const Response& response) {
      const auto client = options_.trusted_proxies.client_of(request);
      options_.log(request_entry(request, response, client.value_or(request.remote_addr)));
    });
  }

  void add_endpoints() {
    auto& routes = server_.routes();
    routes.Post(kEndpoint, [this](const Request& request, Response& response) {
      allow_other_origins(response);
      create(request, response);
    });
    routes.Get(kEndpoint, describe);
    routes.Options(kEndpoint, [](const Request& /*request*/, Response& response) {
      preflight(response, "POST, OPTIONS");
      response.set_header("Accept-Post", kSdpType);
    });
    const auto other = [](const Request& /*request*/, Response& response) {
      refuse_method(response, kEndpointMethods);
    };
    routes.Put(kEndpoint, other);
    routes.Patch(kEndpoint, other);
    routes.Delete(kEndpoint, other);
  }

  void add_sessions() {
    auto& routes = server_.routes();
    routes.Delete(kSession, [this](const Request& request, Response& response) {
      allow_other_origins(response);
      remove(request, response);
    });
    routes.Patch(kSession, [this](const Request& request, Response& response) {
      allow_other_origins(response);
      patch(request, response);
    });
    routes.Get(kSession, empty);
    routes.Options(kSession, [](const Request& /*request*/, Response& response) {
      preflight(response, "DELETE, OPTIONS, PATCH");
      response.set_header("Accept-Patch", kFragmentType);
    });
    const auto other = [](const Request& /*request*/, Response& response) {
      refuse_method(response, kSessionMethods);
    };
    routes.Post(kSession, other);
    routes.Put(kSession, other);
  }

  // Which layer of simulcast a viewer gets: layers_json.h.
  void add_layers() {
    auto& routes = server_.routes();
    routes.Get(kLayers, [this](const Request& request, Response& response) {
      allow_other_origins(response);
      show_layers(request, response);
    });
    routes.Post(kLayers, [this](const Request& request, Response& response) {
      allow_other_origins(response);
      choose_layer(request, response);
    });
    routes.Options(kLayers, [](const Request& /*request*/, Response& response) {
      preflight(response, "GET, OPTIONS, POST");
      response.set_header("Accept-Post", kJsonType);
    });
    const auto other = [](const Request& /*request*/, Response& response) {
      refuse_method(response, kLayerMethods);
    };
    routes.Put(kLayers, other);
    routes.Patch(kLayers, other);
    routes.Delete(kLayers, other);
  }

  // RFC 9725 section 4.1: the resources have no representation.
  static void empty(const Request& /*request*/, Response& response) {
    allow_other_origins(response);
    response.status = 204;
  }

  // WHEP's draft, from -04 on: HEAD finds out whether a URL is an endpoint of it.
  static void describe(const Request& request, Response& response) {
    if (request.matches[1] == "whip") return empty(request, response);
    allow_other_origins(response);
    response.set_content("", kSdpType);
  }

  static void preflight(Response& response, const char* methods) {
    allow_other_origins(response);
    response.set_header("Access-Control-Allow-Methods", methods);
    response.set_header("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match");
    response.set_content("", "text/plain");
  }

  void create(const Request& request, Response& response) {
    const bool publishes = request.matches[1] == "whip";
    if (!has_token(request, publishes ? options_.publish_token : options_.watch_token)) {
      return refuse_token(response);
    }
    if (!has_type(request, kSdpType)) {
      return refuse(response, 415, "The offer must come as application/sdp.");
    }
    const auto client = options_.trusted_proxies.client_of(request);
    if (!client) return refuse(response, 400, client.error());
    const auto offer = read_offer(request.body);
    if (!offer) return refuse(response, 400, offer.error().sentence);
    const auto result =
        ask<CreateResult>(response, [publishes, offer = *offer, room = request.matches[2].str(),
                                     address = *client](Sfu& sfu, dtls::Instant now) {
          return publishes ? sfu.publish(room, offer, address, now)
                           : sfu.watch(room, offer, address, now);
        });
    if (!result) return;
    if (!*result) return refuse_session(response, result->error());
    response.status = 201;
    name_session(response, (*result)->id, (*result)->ice_session);
    response.set_header("Accept-Patch", kFragmentType);
    if (!publishes) link_layers(response, (*result)->id);
    response.set_content((*result)->answer, kSdpType);
  }

  static void name_session(Response& response, const std::string& id,
                           const std::string& ice_session) {
    response.set_header("Location", "/session/" + id);
    response.set_header("ETag", entity_tag(ice_session));
  }

  static void link_layers(Response& response, const std::string& id) {
    response.set_header(
        "Link", "</session/" + id + "/layer>; rel=\"" + std::string{kLayerExtension} + "\"");
  }

  static void refuse_session(Response& response, const Refused& refused) {
    if (const auto& offer = refused.counter_offer) {
      response.status = 406;
      name_session(response, offer->id, offer->ice_session);
      response.set_header("Accept-Patch", kViewersPatchTypes);
      response.set_content(offer->offer, kSdpType);
      return;
    }
    const int status = status_of(refused.why);
    if (refused.why == Refusal::no_publisher) response.set_header("Retry-After", kRetrySoon);
    if (status == 503) response.set_header("Retry-After", kRetryLater);
    refuse(response, status, refused.sentence);
  }

  // RFC 9725 section 4.3: If-Match says which ICE session it is for.
  void patch(const Request& request, Response& response) {
    const Rights rights = rights_of(request);
    if (!rights.publishers && !rights.viewers) return refuse_token(response);
    if (has_type(request, kSdpType)) return take_answer(request, response, rights);
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
    const auto result = ask_session<IceResult>(
        request, response, [update](Sfu& sfu, const std::string& id, dtls::Instant now) {
          return sfu.update_ice(id, update, now);
        });
    if (!result) return;
    patched(*result, response);
  }

  // Of a viewer to a counter-offer. It names no ICE session: there is none yet.
  void take_answer(const Request& request, Response& response, Rights rights) {
    if (!rights.viewers) return refuse_token(response);
    const auto answer = read_answer(request.body);
    const std::string id = request.matches[1];
    using Taken = tl::expected<std::string, Refused>;
    using Found = tl::expected<Taken, int>;
    const auto taken = ask<Found>(response, [id, answer](Sfu& sfu, dtls::Instant now) {
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

  static void refuse_answer(Response& response, int status, const SdpResult<Answer>& answer) {
    if (status == 404) return refuse(response, status, "There is no such session.");
    if (status == 400) return refuse(response, status, answer.error().sentence);
    response.set_header("Accept-Patch", kFragmentType);
    refuse(response, status, "The session has no offer that waits for an answer.");
  }

  static void patched(const IceResult& result, Response& response) {
    if (!result) {
      if (result.error().why == IceRefusal::too_soon) {
        response.set_header("Retry-After", kRetryAtOnce);
      }
      return refuse(response, status_of(result.error().why), result.error().sentence);
    }
    // Section 4.3.2: without an ETag.
    if (!*result) {
      response.status = 204;
      return;
    }
    response.set_header("ETag", entity_tag((*result)->ice_session));
    response.set_content((*result)->fragment, kFragmentType);
  }

  // Whatever If-Match says (RFC 9725 section 4.3.1).
  void remove(const Request& request, Response& response) {
    if (ask_session<bool>(
            request, response,
            [](Sfu& sfu, const std::string& id, dtls::Instant now) { return sfu.remove(id, now); },
            true)) {
      response.set_content("", "text/plain");
    }
  }

  void show_layers(const Request& request, Response& response) {
    const auto json = ask_session<std::string>(
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

  void choose_layer(const Request& request, Response& response) {
    if (!has_type(request, kJsonType)) {
      return refuse(response, 415, "The choice must come as application/json.");
    }
    if (request.body.size() > kMaxLayerWish) {
      return refuse(response, 413,
                    "The choice is larger than " + std::to_string(kMaxLayerWish) + " bytes.");
    }
    const auto wish = read_layer_wish(request.body);
    if (!wish) return refuse(response, 400, wish.error());
    const auto is_done = ask_session<bool>(
        request, response, [wish = *wish](Sfu& sfu, const std::string& id, dtls::Instant) {
          return sfu.ask_for_layer(id, wish.mid, wish.rid);
        });
    if (!is_done) return;
    if (!*is_done) return refuse(response, 422, "What is watched has no such section or layer.");
    response.status = 204;
  }

  SfuHttpOptions options_;
  SfuLoop& loop_;
  WebServer server_;
};

SfuHttp::SfuHttp(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SfuHttp::~SfuHttp() = default;

tl::expected<std::unique_ptr<SfuHttp>, std::string> SfuHttp::start(const SfuHttpOptions& options,
                                                                   SfuLoop& loop) {
  auto impl = std::make_unique<Impl>(options, loop);
  if (auto bound = impl->listen(); !bound) return tl::unexpected(bound.error());
  return std::unique_ptr<SfuHttp>{new SfuHttp(std::move(impl))};
}

int SfuHttp::port() const { return impl_->port(); }
int SfuHttp::listening() const { return impl_->listening(); }
std::string SfuHttp::url() const { return impl_->url(); }

}  // namespace sluice::interop::sfu
