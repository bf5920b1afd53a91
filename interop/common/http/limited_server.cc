#include "common/http/limited_server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "common/http/deadline_stream.h"
#include "common/ip_address.h"

namespace sluice::interop {
namespace {

// For what a peer still sends behind a request that was refused.
constexpr std::chrono::seconds kDiscardTime{1};

// Whether the library and a proxy agree about where the request ends (RFC 9112, section 6.3): the
// library takes the first of several lengths, reads "1x" as 1, and no body of other methods.
bool is_framed(const httplib::Request& request) {
  const auto lengths = request.get_header_value_count("Content-Length");
  if (lengths == 0) return true;
  const auto length = request.get_header_value("Content-Length");
  if (lengths > 1 || length.empty() ||
      length.find_first_not_of("0123456789") != std::string::npos) {
    return false;
  }
  return length == "0" || request.method == "POST" || request.method == "PUT" ||
         request.method == "PATCH" || request.method == "DELETE";
}

}  // namespace

std::optional<int> refusal_of_body(const httplib::Request& request) {
  if (!is_framed(request)) return 400;
  if (request.has_header("Content-Encoding")) return 415;
  if (request.has_header("Transfer-Encoding")) return 411;
  return std::nullopt;
}

void LimitedServer::use_tls(TlsContext context) {
  const std::scoped_lock lock(mutex_);
  tls_ = std::move(context);
}

std::optional<TlsContext> LimitedServer::tls() {
  const std::scoped_lock lock(mutex_);
  return tls_;
}

void LimitedServer::adopt(int listening) {
  adopted_ = udp::Descriptor(listening);
  // The library would take EAGAIN for the end.
  fcntl(listening, F_SETFL, fcntl(listening, F_GETFL) & ~O_NONBLOCK);
  svr_sock_ = listening;
}

void LimitedServer::end() {
  if (!adopted_.is_open()) return stop();
  svr_sock_ = INVALID_SOCKET;
  // The library's thread waits for a connection; after this one it sees that there is no socket.
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  auto* const address = reinterpret_cast<sockaddr*>(&own);
  if (getsockname(adopted_.number(), address, &size) != 0) return;
  const udp::Descriptor last(
      ::socket(own.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Nothing is to be waited for, nor to be done about a failure.
  [[maybe_unused]] const int result = connect(last.number(), address, size);
}

bool LimitedServer::process_and_close_socket(socket_t socket) {
  const auto address = peer_of(socket).first;
  bool served = false;
  if (enter(address)) {
    served = serve(socket);
    leave(address);
  }
  shutdown(socket, SHUT_RDWR);
  close(socket);
  return served;
}

bool LimitedServer::serve(socket_t socket) {
  using Clock = DeadlineStream::Clock;
  const auto tls = this->tls();
  DeadlineStream stream(socket, tls ? &*tls : nullptr);
  const auto idle_until = [this] {
    return Clock::now() + std::chrono::seconds{keep_alive_timeout_sec_};
  };
  if (tls && !stream.wait_for_input(idle_until())) return false;
  if (!stream.open(Clock::now() + limits_.request_time)) return false;
  // A connection that was taken just before the end has an answer, too.
  for (auto left = keep_alive_max_count_;
       left > 0 && (left == keep_alive_max_count_ || svr_sock_ != INVALID_SOCKET); --left) {
    if (!stream.wait_for_input(idle_until())) break;
    stream.begin_request(Clock::now() + limits_.request_time, limits_.request_bytes);
    bool closed = false;
    // A head that can't be parsed does not say where the next one begins.
    bool is_refused = true;
    const auto look = [&](httplib::Request& request) {
      // A part of an answer to POST is of no use to anybody.
      request.ranges.clear();
      is_refused = refusal_of_body(request).has_value();
    };
    const bool answered = process_request(stream, left == 1, closed, look);
    // What follows an unread body is no request.
    if (!answered || is_refused || stream.is_exhausted()) {
      stream.close();
      stream.discard_input(Clock::now() + kDiscardTime, limits_.request_bytes);
      return answered;
    }
    if (closed) break;
  }
  stream.close();
  return true;
}

bool LimitedServer::enter(const std::string& address) {
  if (limits_.is_exempt && limits_.is_exempt(address)) return true;
  const std::scoped_lock lock(mutex_);
  auto& count = connections_[common::host_of(address)];
  if (count == limits_.per_address) return false;
  ++count;
  return true;
}

void LimitedServer::leave(const std::string& address) {
  if (limits_.is_exempt && limits_.is_exempt(address)) return;
  const std::scoped_lock lock(mutex_);
  const auto found = connections_.find(common::host_of(address));
  if (--found->second == 0) connections_.erase(found);
}

}  // namespace sluice::interop
