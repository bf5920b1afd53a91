// cpp-httplib's server with limits that it doesn't have: for a whole request, and for one address.
#pragma once

#include <httplib.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <sluice/udp/descriptor.h>

#include "common/http/deadline_stream.h"
#include "common/http/tls.h"

namespace sluice::interop {

struct ConnectionLimits {
  // For a request and its answer, from the first byte to the last. The library limits the time
  // between two reads alone, so that a byte a second would occupy a thread for hours.
  std::chrono::milliseconds request_time;
  // At a time, of an IPv6 address with all of its /64 (common::host_of()), those included that wait
  // for a thread; further ones are closed without an answer.
  std::size_t per_address;
  // Likewise, of all addresses.
  std::size_t in_all;
  // Addresses without this limit: those of reverse proxies. May be empty.
  std::function<bool(const std::string& address)> is_exempt;
  // Of a request. The library limits neither the number of header fields nor what it reads of a
  // body that is too large.
  std::size_t head_bytes;
  std::size_t body_bytes;
  std::size_t threads;
};

// The status for a request whose body may be larger than what is sent, or whose size is not known
// before it has come, or that has one where none is expected; empty: it has neither a content
// coding nor a transfer coding.
std::optional<int> refusal_of_body(const httplib::Request& request);

class LimitedServer final : public httplib::Server {
 public:
  explicit LimitedServer(ConnectionLimits limits);

  // HTTPS in place of HTTP, from before it listens on; later with another certificate for
  // connections that come then.
  void use_tls(TlsContext context);
  // Before listen_after_bind(), in place of bind_to_port(): takes over a socket that listens.
  void adopt(int listening);
  // After bind_to_port(): the socket is kept so that other processes may have it, too.
  void keep();
  // The socket that was adopted or kept.
  [[nodiscard]] int listening() const { return adopted_.number(); }
  // In place of stop(), which would end the socket for other processes that have it, too.
  void end();

 private:
  // On the thread that accepts: a connection that may not be is closed before it waits.
  bool process_and_close_socket(socket_t socket) override;
  // On one of the threads for requests.
  void serve(socket_t socket);
  // False: no other request comes on this connection.
  bool serve_request(DeadlineStream& stream, bool is_last);
  std::optional<TlsContext> tls();
  // False when it or all have as many as they may.
  bool enter(const std::string& address);
  void leave(const std::string& address);
  [[nodiscard]] bool is_exempt(const std::string& address) const;

  ConnectionLimits limits_;
  udp::Descriptor adopted_;
  std::mutex mutex_;
  std::optional<TlsContext> tls_;
  std::map<std::string, std::size_t> connections_;  // by host
  std::size_t all_ = 0;
  httplib::ThreadPool* threads_ = nullptr;  // owned by the library, while it listens
};

}  // namespace sluice::interop
