#include "sfu/sfu_http.h"

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "common/http/entity_tags.h"
#include "common/letter_case.h"
#include "common/sdp/sdp_fragment.h"
#include "common/sdp/sdp_offer.h"
#include "sfu/page_assets.h"
#include "sfu/sessions_json.h"

namespace sluice::interop::sfu {
namespace {

using httplib::Request;
using httplib::Response;

constexpr const char* kSdpType = "application/sdp";
constexpr const char* kFragmentType = "application/trickle-ice-sdpfrag";
constexpr const char* kEndpoint = "/(whip|whep)/([A-Za-z0-9_-]{1,64})";
constexpr const char* kSession = "/session/([0-9a-f]{32})";
constexpr const char* kEndpointMethods = "GET, HEAD, OPTIONS, POST";
constexpr const char* kSessionMethods = "DELETE, GET, HEAD, OPTIONS, PATCH";
// Seconds until a client asks again for an ICE restart, a viewer for a publisher, and a client for
// a place.
constexpr const char* kRetryAtOnce = "1";
constexpr const char* kRetrySoon = "2";
constexpr const char* kRetryLater = "10";

// Compares in a time that says nothing about the token's content.
bool is_same_secret(std::string_view given, std::string_view expected) {
  if (given.size() != expected.size()) return false;
  int difference = 0;
  for (std::size_t i = 0; i < given.size(); ++i) {
    difference |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(expected[i]);
  }
  return difference == 0;
}

bool has_token(const Request& request, const std::string& token) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string given = request.get_header_value("Authorization");
  // RFC 9110 section 11.1: the case of a scheme does not matter.
  const bool has_scheme =
      equal_ignoring_case(std::string_view(given).substr(0, kScheme.size()), kScheme);
  return token.empty() ||
         (has_scheme && is_same_secret(std::string_view(given).substr(kScheme.size()), token));
}

void refuse_token(Response& response) {
  response.set_header("WWW-Authenticate", "Bearer");
  refuse(response, 401, "A valid bearer token is needed.");
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address.starts_with("::ffff:127.") || address == "::1";
}

// Pages of other origins may use WHIP and WHEP (RFC 9725 section 4.2).
void allow_other_origins(Response& response) {
  response.set_header("Access-Control-Allow-Origin", "*");
  response.set_header("Access-Control-Expose-Headers", "Accept-Patch, ETag, Location, Retry-After");
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
      : options_(options), loop_(loop), server_(options.http, kMaxOffer) {
    server_.add_page(page_assets());
    add_endpoints();
    add_sessions();
    add_operations();
  }

  tl::expected<void, std::string> listen() { return server_.listen(); }
  [[nodiscard]] int port() const { return server_.port(); }
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

  // Runs `work` for the session of the URL.
  template <class Answer>
  std::optional<Answer> ask_session(
      const Request& request, Response& response,
      std::function<Answer(Sfu&, const std::string& id, dtls::Instant)> work) {
    using Found = tl::expected<Answer, int>;
    auto found = ask<Found>(response, [rights = rights_of(request), id = request.matches[1].str(),
                                       work = std::move(work)](Sfu& sfu, dtls::Instant now) {
      const Session* session = sfu.find(id);
      if (session == nullptr) return Found(tl::unexpect, 404);
      const bool may_change = session->publisher ? rights.publishers : rights.viewers;
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

  void add_endpoints() {
    auto& routes = server_.routes();
    routes.Post(kEndpoint, [this](const Request& request, Response& response) {
      allow_other_origins(response);
      create(request, response);
    });
    routes.Get(kEndpoint, empty);
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

  void add_operations() {
    auto& routes = server_.routes();
    routes.Get("/healthz", [this](const Request& /*request*/, Response& response) {
      const auto is_alive = ask<bool>(response, [](Sfu&, dtls::Instant) { return true; });
      if (is_alive) response.set_content("The server is up.\n", "text/plain; charset=utf-8");
    });
    routes.Get("/sessions", [this](const Request& request, Response& response) {
      if (!options_.admin_token.empty() && !has_token(request, options_.admin_token)) {
        return refuse_token(response);
      }
      if (options_.admin_token.empty() && !is_loopback(request.remote_addr)) {
        return refuse(response, 403, "Only this machine may see the sessions.");
      }
      const auto json = ask<std::string>(response, sessions_json);
      if (!json) return;
      response.set_header("Cache-Control", "no-store");
      response.set_content(*json, "application/json");
    });
  }

  // RFC 9725 section 4.1: the resources have no representation.
  static void empty(const Request& /*request*/, Response& response) {
    allow_other_origins(response);
    response.status = 204;
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
    const auto offer = read_offer(request.body);
    if (!offer) return refuse(response, 400, offer.error().sentence);
    const auto result =
        ask<CreateResult>(response, [publishes, offer = *offer, room = request.matches[2].str(),
                                     address = request.remote_addr](Sfu& sfu, dtls::Instant now) {
          return publishes ? sfu.publish(room, offer, address, now)
                           : sfu.watch(room, offer, address, now);
        });
    if (!result) return;
    if (!*result) return refuse_session(response, result->error());
    response.status = 201;
    response.set_header("Location", "/session/" + (*result)->id);
    response.set_header("ETag", entity_tag((*result)->ice_session));
    response.set_header("Accept-Patch", kFragmentType);
    response.set_content((*result)->answer, kSdpType);
  }

  static void refuse_session(Response& response, const Refused& refused) {
    const int status = status_of(refused.why);
    if (refused.why == Refusal::no_publisher) response.set_header("Retry-After", kRetrySoon);
    if (status == 503) response.set_header("Retry-After", kRetryLater);
    refuse(response, status, refused.sentence);
  }

  // RFC 9725 section 4.3: If-Match says which ICE session it is for.
  void patch(const Request& request, Response& response) {
    const Rights rights = rights_of(request);
    if (!rights.publishers && !rights.viewers) return refuse_token(response);
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
    if (ask_session<bool>(request, response,
                          [](Sfu& sfu, const std::string& id, dtls::Instant now) {
                            return sfu.remove(id, now);
                          })) {
      response.set_content("", "text/plain");
    }
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
std::string SfuHttp::url() const { return impl_->url(); }

}  // namespace sluice::interop::sfu
