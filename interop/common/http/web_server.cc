#include "common/http/web_server.h"

#include <sys/socket.h>

#include <tuple>

#include "common/http/deadline_stream.h"
#include "common/letter_case.h"

namespace sluice::interop {
namespace {

// A request occupies a thread while it comes, and most wait: more than ten addresses with as many
// connections as they may have must send slowly before others wait.
constexpr std::size_t kThreads = 128;
// Those included that wait for a thread; each takes a descriptor.
constexpr std::size_t kMostConnections = 512;
// Request line and header fields, in bytes.
constexpr std::size_t kMaxHead = 65536;
// An idle connection occupies a thread and delays the shutdown of the server.
constexpr time_t kKeepAliveSeconds = 1;

std::string sentence_for(int status, std::size_t max_body) {
  switch (status) {
    case 400:
      return "The request can't be parsed, or has a body where none is expected.";
    case 404:
      return "There is no such resource.";
    case 411:
      return "The body must have a Content-Length and no transfer coding.";
    case 413:
      return "The body is larger than " + std::to_string(max_body) + " bytes.";
    case 415:
      return "The body must have no content coding.";
    default:
      return "The request failed.";
  }
}

// RFC 3986 section 3.2.2: an IPv6 literal has brackets.
std::string authority(const std::string& host, int port) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace

void refuse(httplib::Response& response, int status, const std::string& sentence) {
  response.status = status;
  response.set_content(sentence + "\n", "text/plain; charset=utf-8");
}

bool has_type(const httplib::Request& request, std::string_view type) {
  std::string found = request.get_header_value("Content-Type");
  found = found.substr(0, found.find(';'));
  while (!found.empty() && (found.back() == ' ' || found.back() == '\t')) found.pop_back();
  return equal_ignoring_case(found, type);
}

WebServer::WebServer(const HttpOptions& options, std::size_t max_body)
    : options_(options),
      server_({.request_time = options.request_timeout,
               .per_address = options.max_connections_per_address,
               .in_all = kMostConnections,
               .is_exempt = options.is_proxy,
               .head_bytes = kMaxHead,
               .body_bytes = max_body,
               .threads = kThreads}) {
  // The library sets SO_REUSEPORT by default, with which a second server would silently share the
  // port.
  server_.set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  server_.set_payload_max_length(max_body);
  // Head and body of an answer leave in two pieces. Without it the second one waits up to 40 ms for
  // the client's delayed acknowledgement.
  server_.set_tcp_nodelay(true);
  server_.set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    const auto status = refusal_of_body(request);
    if (!status) return httplib::Server::HandlerResponse::Unhandled;
    response.status = *status;  // the error handler says why
    response.set_header("Connection", "close");
    return httplib::Server::HandlerResponse::Handled;
  });
  server_.set_keep_alive_timeout(kKeepAliveSeconds);
  server_.set_exception_handler([](const auto&, auto& response, const auto&) {
    refuse(response, 500, "The server failed to handle the request.");
  });
  server_.set_error_handler(
      [this, max_body](const httplib::Request& request, httplib::Response& response) {
        if (response.body.empty()) {
          refuse(response, response.status, sentence_for(response.status, max_body));
        }
        if (observer_) observer_(request, response);
      });
  server_.set_logger([this](const httplib::Request& request, const httplib::Response& response) {
    if (observer_ && response.status < 400) observer_(request, response);
  });
}

WebServer::~WebServer() {
  // stop() has no effect before the server runs.
  while (!server_.is_running() && !ended_) std::this_thread::yield();
  server_.end();
  if (listener_.joinable()) listener_.join();
}

void WebServer::add_page(std::span<const PageAsset> assets) {
  for (const PageAsset& asset : assets) {
    server_.Get(std::string{asset.path}, [&asset](const auto&, auto& response) {
      response.set_header("Cache-Control", "no-store");
      response.set_header("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'");
      response.set_header("X-Content-Type-Options", "nosniff");
      response.set_content(asset.body.data(), asset.body.size(), std::string{asset.type});
    });
  }
}

std::string WebServer::url() const {
  const char* const scheme = options_.certificate.empty() ? "http://" : "https://";
  return scheme + authority(options_.host, port_) + "/";
}

tl::expected<void, std::string> WebServer::bind() {
  if (options_.adopted) {
    server_.adopt(*options_.adopted);
    std::tie(options_.host, port_) = own_of(*options_.adopted);
    return {};
  }
  const bool bound = options_.port == 0 ? (port_ = server_.bind_to_any_port(options_.host)) > 0
                                        : server_.bind_to_port(options_.host, options_.port);
  if (!bound) return tl::unexpected("can't listen on " + authority(options_.host, options_.port));
  if (options_.port != 0) port_ = options_.port;
  server_.keep();
  return {};
}

tl::expected<void, std::string> WebServer::reload_certificate() {
  if (options_.certificate.empty()) return {};
  auto tls = TlsContext::load(options_.certificate, options_.key);
  if (!tls) return tl::unexpected(tls.error());
  server_.use_tls(*std::move(tls));
  return {};
}

tl::expected<void, std::string> WebServer::listen() {
  if (auto loaded = reload_certificate(); !loaded) return loaded;
  if (auto bound = bind(); !bound) return bound;
  ended_ = false;
  listener_ = std::thread([this] {
    server_.listen_after_bind();
    ended_ = true;
  });
  return {};
}

}  // namespace sluice::interop
