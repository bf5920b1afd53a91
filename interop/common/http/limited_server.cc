#include "common/http/limited_server.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>
#include <tuple>
#include <utility>

namespace sluice::interop {
namespace {

using Clock = std::chrono::steady_clock;

// Numeric address and port; empty when the socket has none.
using NameOf = int (*)(int, sockaddr*, socklen_t*);
std::pair<std::string, int> address_of(socket_t socket, NameOf name_of) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (name_of(socket, address, &size) != 0 ||
      getnameinfo(address, size, host.data(), host.size(), port.data(), port.size(),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  return {host.data(), std::stoi(port.data())};
}

// Waits for `events` until `until`; false when the time is over.
bool wait(socket_t socket, short events, Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  pollfd watched{.fd = socket, .events = events, .revents = 0};
  return left > 0 && poll(&watched, 1, static_cast<int>(left)) > 0;
}

// A connection whose reads and writes end at a deadline.
class DeadlineStream final : public httplib::Stream {
 public:
  explicit DeadlineStream(socket_t socket) : socket_(socket) {}

  // Of which at most `bytes` are read.
  void begin_request(Clock::time_point deadline, std::size_t bytes) {
    deadline_ = deadline;
    left_ = bytes;
  }
  [[nodiscard]] bool has_input() const { return !unread_.empty(); }

  [[nodiscard]] bool is_readable() const override {
    return has_input() || wait(socket_, POLLIN, deadline_);
  }
  [[nodiscard]] bool is_writable() const override { return wait(socket_, POLLOUT, deadline_); }

  ssize_t read(char* to, size_t size) override {
    if (!has_input()) {
      if (!is_readable()) return -1;
      const auto received = recv(socket_, buffer_.data(), buffer_.size(), 0);
      if (received <= 0) return received;
      unread_ = std::span(buffer_).first(static_cast<std::size_t>(received));
    }
    if (left_ == 0) return -1;
    const auto taken = std::min({size, unread_.size(), left_});
    left_ -= taken;
    std::ranges::copy(unread_.first(taken), to);
    unread_ = unread_.subspan(taken);
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char* from, size_t size) override {
    // All of it, as the library expects of a blocking socket.
    for (std::size_t sent = 0; sent < size;) {
      if (!is_writable()) return -1;
      const auto taken = send(socket_, from + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (taken < 0) return -1;
      sent += static_cast<std::size_t>(taken);
    }
    return static_cast<ssize_t>(size);
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    std::tie(ip, port) = address_of(socket_, getpeername);
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    std::tie(ip, port) = address_of(socket_, getsockname);
  }
  [[nodiscard]] socket_t socket() const override { return socket_; }

 private:
  socket_t socket_;
  Clock::time_point deadline_;
  std::size_t left_ = 0;
  std::array<char, 4096> buffer_{};
  std::span<char> unread_;
};

}  // namespace

std::optional<int> refusal_of_body(const httplib::Request& request) {
  if (request.has_header("Content-Encoding")) return 415;
  if (request.has_header("Transfer-Encoding")) return 411;
  return std::nullopt;
}

bool LimitedServer::process_and_close_socket(socket_t socket) {
  const auto address = address_of(socket, getpeername).first;
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
  DeadlineStream stream(socket);
  for (auto left = keep_alive_max_count_; left > 0 && svr_sock_ != INVALID_SOCKET; --left) {
    const auto idle_until = Clock::now() + std::chrono::seconds{keep_alive_timeout_sec_};
    if (!stream.has_input() && !wait(socket, POLLIN, idle_until)) break;
    stream.begin_request(Clock::now() + limits_.request_time, limits_.request_bytes);
    bool closed = false;
    bool is_refused = false;
    const auto look = [&](httplib::Request& request) {
      // A part of an answer to POST is of no use to anybody.
      request.ranges.clear();
      is_refused = refusal_of_body(request).has_value();
    };
    if (!process_request(stream, left == 1, closed, look)) return false;
    // A refused body is not read, so that what follows is no request.
    if (closed || is_refused) break;
  }
  return true;
}

bool LimitedServer::enter(const std::string& address) {
  const std::scoped_lock lock(mutex_);
  auto& count = connections_[address];
  if (count == limits_.per_address) return false;
  ++count;
  return true;
}

void LimitedServer::leave(const std::string& address) {
  const std::scoped_lock lock(mutex_);
  const auto found = connections_.find(address);
  if (--found->second == 0) connections_.erase(found);
}

}  // namespace sluice::interop
