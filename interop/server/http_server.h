// The demo's HTTP face.
//
//   GET    /                       the page
//   POST   /echo[?setup=active]    an offer (application/sdp); 201, the answer, and where it lives
//   DELETE /echo/<id>              ends it
//   GET    /echo/<id>/statistics   its figures as JSON
//
// Errors are one sentence of plain text: 400 what is wrong with the offer, 404 no such session, 413
// and 415 no offer, 503 no place, or no answer in time.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <sluice/nice/glib_thread.h>

#include "server/echo_service.h"

namespace sluice::interop {

struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 0;  // 0: any
  // How long a request waits for the sessions' thread.
  std::chrono::milliseconds patience{5000};
};

// The largest offer, in bytes: Chromium's with three sections has 7,000.
inline constexpr std::size_t kMaxOffer = 65536;

// Answers on threads of its own; all that concerns sessions is posted to `thread`. The service and
// the thread outlive the server.
class HttpServer {
 public:
  // Binds and serves. Errors: the port is not to be had.
  static tl::expected<std::unique_ptr<HttpServer>, std::string> start(HttpOptions options,
                                                                      nice::GlibThread& thread,
                                                                      EchoService& service);
  // Waits for the requests under way.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] int port() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::interop
