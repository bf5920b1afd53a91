#include "demo/http_server.h"

#include <httplib.h>

#include <atomic>
#include <future>
#include <thread>

#include "demo/limited_server.h"
#include "demo/page_assets.h"
#include "demo/sdp_offer.h"

namespace sluice::interop::demo {
namespace {

constexpr std::size_t kThreads = 32;
// An idle connection occupies a thread and delays the shutdown of the server.
constexpr time_t kKeepAliveSeconds = 1;

constexpr const char* kSdpType = "application/sdp";

void refuse(httplib::Response& response, int status, const std::string& sentence) {
  response.status = status;
  response.set_content(sentence + "\n", "text/plain; charset=utf-8");
}

// RFC 3986 section 3.2.2: an IPv6 literal has brackets.
std::string authority(const std::string& host, int port) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

// The media type without its parameters, case ignored (RFC 9110 section 8.3.1).
bool is_sdp(const httplib::Request& request) {
  std::string type = request.get_header_value("Content-Type");
  type = type.substr(0, type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return std::tolower(c); });
  return type == kSdpType;
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(HttpOptions options, nice::GlibThread& thread, EchoService& service)
      : options_(std::move(options)),
        thread_(thread),
        service_(service),
        server_({.request_time = options_.request_timeout,
                 .per_address = options_.max_connections_per_address}) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    // The library sets SO_REUSEPORT by default, with which a second server would silently share the
    // port.
    server_.set_socket_options([](socket_t socket) {
      const int on = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    server_.set_payload_max_length(kMaxOffer);
    server_.set_keep_alive_timeout(kKeepAliveSeconds);
    server_.set_exception_handler([](const auto&, auto& response, const auto&) {
      refuse(response, 500, "The server failed to handle the request.");
    });
    server_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty()) refuse(response, response.status, sentence_for(response.status));
    });
    add_routes();
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    // stop() has no effect before the server runs.
    while (!server_.is_running() && !ended_) std::this_thread::yield();
    server_.stop();
    if (listener_.joinable()) listener_.join();
  }

  bool listen() {
    port_ = options_.port;
    const bool bound = options_.port == 0 ? (port_ = server_.bind_to_any_port(options_.host)) > 0
                                          : server_.bind_to_port(options_.host, options_.port);
    if (!bound) {
      ended_ = true;
      return false;
    }
    listener_ = std::thread([this] {
      server_.listen_after_bind();
      ended_ = true;
    });
    return true;
  }

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const {
    return "http://" + authority(options_.host, port_) + "/";
  }

 private:
  static std::string sentence_for(int status) {
    switch (status) {
      case 400:
        return "The request can't be parsed.";
      case 404:
        return "There is no such resource.";
      case 413:
        return "The body is larger than " + std::to_string(kMaxOffer) + " bytes.";
      default:
        return "The request failed.";
    }
  }

  // Runs `work` on the sessions' thread and waits for its answer. Empty: it took longer than
  // answer_timeout. Then `work` may still run after the request and this object are gone, so it
  // must use copies, and nothing of this object but the service.
  template <class Answer>
  std::optional<Answer> ask(std::function<void(std::function<void(Answer)>)> work) {
    auto promise = std::make_shared<std::promise<Answer>>();
    auto answer = promise->get_future();
    thread_.post([promise, work = std::move(work)] {
      work([promise](Answer value) { promise->set_value(std::move(value)); });
    });
    if (answer.wait_for(options_.answer_timeout) != std::future_status::ready) return std::nullopt;
    return answer.get();
  }

  static void too_slow(httplib::Response& response) {
    refuse(response, 503, "The server is too busy to answer in time.");
  }

  void add_routes() {
    for (const auto& asset : page_assets()) {
      server_.Get(std::string{asset.path}, [&asset](const auto&, auto& response) {
        response.set_header("Cache-Control", "no-store");
        response.set_header("Content-Security-Policy", "default-src 'self'");
        response.set_content(asset.body.data(), asset.body.size(), std::string{asset.type});
      });
    }
    server_.Post("/echo",
                 [this](const auto& request, auto& response) { create(request, response); });
    server_.Post("/offer",
                 [this](const auto& request, auto& response) { offer(request, response); });
    server_.Patch(R"(/echo/([0-9a-f]+))",
                  [this](const auto& request, auto& response) { answer(request, response); });
    server_.Delete(R"(/echo/([0-9a-f]+))",
                   [this](const auto& request, auto& response) { remove(request, response); });
    server_.Get(R"(/echo/([0-9a-f]+)/statistics)",
                [this](const auto& request, auto& response) { statistics(request, response); });
  }

  void create(const httplib::Request& request, httplib::Response& response) {
    if (!is_sdp(request)) {
      refuse(response, 415, "The offer must come as application/sdp.");
      return;
    }
    std::optional<nice::Setup> setup;
    if (request.has_param("setup")) {
      setup = nice::parse_setup(request.get_param_value("setup"));
      if (!setup || *setup == nice::Setup::actpass) {
        refuse(response, 400, "The query's setup must be active or passive.");
        return;
      }
    }
    const auto offer = read_offer(request.body);
    if (!offer) {
      refuse(response, 400, offer.error().sentence);
      return;
    }
    const auto result =
        ask<CreateResult>([&service = service_, offer, setup, address = request.remote_addr](
                              const auto& done) { service.create(*offer, setup, address, done); });
    created(result, response);
  }

  void offer(const httplib::Request& request, httplib::Response& response) {
    created(ask<CreateResult>([&service = service_, address = request.remote_addr](
                                  const auto& done) { service.create_offering(address, done); }),
            response);
  }

  static void created(const std::optional<CreateResult>& result, httplib::Response& response) {
    if (!result) return too_slow(response);
    if (!*result) return refuse(response, result->error().status, result->error().sentence);
    response.status = 201;
    response.set_header("Location", "/echo/" + (*result)->id);
    response.set_content((*result)->sdp, kSdpType);
  }

  void answer(const httplib::Request& request, httplib::Response& response) {
    if (!is_sdp(request)) {
      refuse(response, 415, "The answer must come as application/sdp.");
      return;
    }
    // An answer has what is read of an offer.
    const auto answer = read_offer(request.body);
    if (!answer) return refuse(response, 400, answer.error().sentence);
    const std::string id = request.matches[1];
    const auto taken =
        ask<tl::expected<void, Refused>>([&service = service_, id, answer](const auto& done) {
          done(service.take_answer(id, *answer));
        });
    if (!taken) return too_slow(response);
    if (!*taken) return refuse(response, taken->error().status, taken->error().sentence);
    response.set_content("", "text/plain");
  }

  void remove(const httplib::Request& request, httplib::Response& response) {
    const std::string id = request.matches[1];
    const auto removed =
        ask<bool>([&service = service_, id](const auto& done) { done(service.remove(id)); });
    if (!removed) return too_slow(response);
    if (!*removed) return refuse(response, 404, "There is no such session.");
    response.set_content("", "text/plain");
  }

  void statistics(const httplib::Request& request, httplib::Response& response) {
    const std::string id = request.matches[1];
    const auto json = ask<std::optional<std::string>>(
        [&service = service_, id](const auto& done) { done(service.statistics(id)); });
    if (!json) return too_slow(response);
    if (!*json) return refuse(response, 404, "There is no such session.");
    response.set_header("Cache-Control", "no-store");
    response.set_content(**json, "application/json");
  }

  HttpOptions options_;
  nice::GlibThread& thread_;
  EchoService& service_;
  LimitedServer server_;
  std::thread listener_;
  std::atomic<bool> ended_ = false;
  int port_ = 0;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

tl::expected<std::unique_ptr<HttpServer>, std::string> HttpServer::start(HttpOptions options,
                                                                         nice::GlibThread& thread,
                                                                         EchoService& service) {
  const std::string where = authority(options.host, options.port);
  auto impl = std::make_unique<Impl>(std::move(options), thread, service);
  if (!impl->listen()) return tl::unexpected("can't listen on " + where);
  return std::unique_ptr<HttpServer>{new HttpServer(std::move(impl))};
}

int HttpServer::port() const { return impl_->port(); }
std::string HttpServer::url() const { return impl_->url(); }

}  // namespace sluice::interop::demo
