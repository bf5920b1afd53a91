// The demo's HTTP server.
//
//   GET    /                       the page
//   POST   /echo[?setup=active]    takes an offer (application/sdp); 201: the answer, and Location
//   DELETE /echo/<id>              ends the session
//   GET    /echo/<id>/statistics   its statistics as JSON
//
// Errors have one sentence of plain text: 400 wrong offer or query, 404 no such session or
// resource, 413 offer too large, 415 wrong content type, 500 the server failed, 503 too many
// sessions, or no answer in time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <sluice/nice/glib_thread.h>

#include "common/http/web_server.h"
#include "demo/echo_service.h"

namespace sluice::interop::demo {

// The largest offer in bytes. Chromium's, with three sections, has 7,000; kMaxSdpSections are
// taken.
inline constexpr std::size_t kMaxOffer = 524288;

// Handles requests on its own threads, and posts what concerns sessions to `thread`. The service
// and the thread outlive the server.
class HttpServer {
 public:
  // Binds the port and starts to serve. The error says that the port can't be bound.
  static tl::expected<std::unique_ptr<HttpServer>, std::string> start(const HttpOptions& options,
                                                                      nice::GlibThread& thread,
                                                                      EchoService& service);
  // Waits until the current requests are answered.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] int port() const;
  // Of the page.
  [[nodiscard]] std::string url() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::interop::demo
