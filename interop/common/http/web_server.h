// An HTTP server with limits, whose errors have one sentence of plain text.
#pragma once

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <tl/expected.hpp>
#include <utility>

#include "common/http/limited_server.h"
#include "common/http/page_asset.h"

namespace sluice::interop {

struct HttpOptions {
  // A name or an IP literal, one of IPv6 without brackets.
  std::string host = "127.0.0.1";
  int port = 0;  // 0: any free port
  // A socket to take over in place of `host` and `port`: bound, and listening.
  std::optional<int> adopted = {};
  // PEM files of a certificate and its key: HTTPS. Empty: HTTP.
  std::string certificate = {};
  std::string key = {};
  // How long a request waits for the sessions' thread.
  std::chrono::milliseconds answer_timeout{5000};
  // How long a request and its answer may take.
  std::chrono::milliseconds request_timeout{15000};
  // Connections at a time from one address; further ones are closed. Browsers open six.
  std::size_t max_connections_per_address = 12;
  // Addresses without this limit: those of reverse proxies. May be empty.
  std::function<bool(const std::string& address)> is_proxy = {};
};

void refuse(httplib::Response& response, int status, const std::string& sentence);

// Whether the body has this media type: parameters and case are ignored (RFC 9110 section 8.3.1).
bool has_type(const httplib::Request& request, std::string_view type);

// Handles requests on threads of its own. Whatever the handlers use outlives it.
class WebServer {
 public:
  // `max_body`: in bytes; a larger one gets 413.
  WebServer(const HttpOptions& options, std::size_t max_body);
  // Waits until the current requests are answered.
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  // For handlers, before listen().
  httplib::Server& routes() { return server_; }
  // Is told each answer on the thread of its request, before listen(). An error has its sentence
  // then; other bodies may be compressed.
  using Observer = std::function<void(const httplib::Request&, const httplib::Response&)>;
  void observe(Observer observer) { observer_ = std::move(observer); }
  void add_page(std::span<const PageAsset> assets);
  // Binds the port and begins to serve. The error says what is wrong with the port or with the
  // files of the certificate.
  tl::expected<void, std::string> listen();
  // Reads the files of the certificate again, for connections that come from now on. From any
  // thread; without HTTPS it does nothing. The error says what is wrong with which file: then the
  // certificate that was read before is kept.
  tl::expected<void, std::string> reload_certificate();
  [[nodiscard]] int port() const { return port_; }
  // The socket that listens, to be given to another process. It stays open there.
  [[nodiscard]] int listening() const { return server_.listening(); }
  // "http://127.0.0.1:8080/"
  [[nodiscard]] std::string url() const;

  // Waits for what the thread of the sessions does for a request. Empty, with the refusal in
  // `response`: it took longer than answer_timeout. The work may then run when the request is gone,
  // so it must use copies. `claim`: work that sets it before it begins, and is not done if it is
  // set already, is then never done; work that has begun is waited for.
  template <class Answer>
  std::optional<Answer> wait(httplib::Response& response, std::future<Answer> answer,
                             std::atomic_flag* claim = nullptr) const {
    const bool is_ready = answer.wait_for(options_.answer_timeout) == std::future_status::ready;
    if (is_ready || (claim != nullptr && claim->test_and_set())) return answer.get();
    refuse(response, 503, "The server is too busy to answer in time.");
    return std::nullopt;
  }

 private:
  tl::expected<void, std::string> bind();

  HttpOptions options_;
  Observer observer_;
  LimitedServer server_;
  std::thread listener_;
  std::atomic<bool> ended_ = true;
  int port_ = 0;
};

}  // namespace sluice::interop
