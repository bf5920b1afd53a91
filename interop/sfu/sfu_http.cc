#include "sfu/sfu_http.h"

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "common/letter_case.h"
#include "common/sdp/sdp_offer.h"
#include "sfu/page_assets.h"
#include "sfu/sessions_json.h"

namespace sluice::interop::sfu {
namespace {

using httplib::Request;
using httplib::Response;

constexpr const char* kSdpType = "application/sdp";
constexpr const char* kEndpoint = "/(whip|whep)/([A-Za-z0-9_-]{1,64})";
constexpr const char* kSession = "/session/([0-9a-f]{32})";
constexpr const char* kEndpointMethods = "GET, HEAD, OPTIONS, POST";
constexpr const char* kSessionMethods = "DELETE, GET, HEAD, OPTIONS";
// Seconds until a viewer asks again for a publisher, and a client for a place.
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
  response.set_header("Access-Control-Expose-Headers", "ETag, Location, Retry-After");
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
    routes.Get(kSession, empty);
    routes.Options(kSession, [](const Request& /*request*/, Response& response) {
      preflight(response, "DELETE, OPTIONS");
    });
    const auto other = [](const Request& /*request*/, Response& response) {
      refuse_method(response, kSessionMethods);
    };
    routes.Post(kSession, other);
    routes.Put(kSession, other);
    routes.Patch(kSession, other);
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
    response.set_header("ETag", "\"" + (*result)->ice_session + "\"");
    response.set_content((*result)->answer, kSdpType);
  }

  static void refuse_session(Response& response, const Refused& refused) {
    const int status = status_of(refused.why);
    if (refused.why == Refusal::no_publisher) response.set_header("Retry-After", kRetrySoon);
    if (status == 503) response.set_header("Retry-After", kRetryLater);
    refuse(response, status, refused.sentence);
  }

  // The same token as for making the session.
  void remove(const Request& request, Response& response) {
    const bool may_end_publisher = has_token(request, options_.publish_token);
    const bool may_end_viewer = has_token(request, options_.watch_token);
    const auto status =
        ask<int>(response, [=, id = request.matches[1].str()](Sfu& sfu, dtls::Instant now) {
          const Session* session = sfu.find(id);
          if (session == nullptr) return 404;
          if (!(session->publisher ? may_end_publisher : may_end_viewer)) return 401;
          sfu.remove(id, now);
          return 200;
        });
    if (!status) return;
    if (*status == 401) return refuse_token(response);
    if (*status == 404) return refuse(response, 404, "There is no such session.");
    response.set_content("", "text/plain");
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
