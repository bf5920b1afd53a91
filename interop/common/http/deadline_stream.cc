#include "common/http/deadline_stream.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <string_view>
#include <tuple>

namespace sluice::interop {
namespace {

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
bool wait(socket_t socket, short events, DeadlineStream::Clock::time_point until) {
  const auto time = until - DeadlineStream::Clock::now();
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(time).count();
  pollfd watched{.fd = socket, .events = events, .revents = 0};
  return left > 0 && poll(&watched, 1, static_cast<int>(left)) > 0;
}

// Behind the empty line, also where lines end with LF alone: then the head is malformed.
std::optional<std::size_t> end_of_head(std::string_view text, std::size_t from) {
  for (auto end = text.find('\n', from); end != std::string_view::npos;
       end = text.find('\n', end + 1)) {
    const std::string_view rest = text.substr(end + 1);
    if (rest.starts_with('\n')) return end + 2;
    if (rest.starts_with("\r\n")) return end + 3;
  }
  return std::nullopt;
}

}  // namespace

std::pair<std::string, int> peer_of(socket_t socket) { return address_of(socket, getpeername); }
std::pair<std::string, int> own_of(socket_t socket) { return address_of(socket, getsockname); }

DeadlineStream::DeadlineStream(socket_t socket, const TlsContext* tls) : socket_(socket) {
  if (tls == nullptr) return;
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
  tls_.emplace(*tls, socket);
}

bool DeadlineStream::open(Clock::time_point deadline) {
  deadline_ = deadline;
  return !tls_ || complete([this] { return tls_->accept(); }) > 0;
}

bool DeadlineStream::wait_for_input(Clock::time_point until) const {
  return has_input() || wait(socket_, POLLIN, until);
}

std::optional<std::string> DeadlineStream::read_head(Clock::time_point deadline, std::size_t most) {
  deadline_ = deadline;
  for (std::string head;;) {
    if (unread_.empty() && !fill()) return std::nullopt;
    const std::size_t known = head.size();
    head.append(unread_.data(), std::min(unread_.size(), most - known));
    const auto end = end_of_head(head, known < 2 ? 0 : known - 2);
    if (end) head.resize(*end);
    unread_ = unread_.subspan(head.size() - known);
    if (end || head.size() == most) return head;
  }
}

void DeadlineStream::begin_request(std::string head, std::size_t body) {
  head_ = std::move(head);
  head_read_ = 0;
  left_ = body;
}

void DeadlineStream::close() {
  if (tls_) tls_->close();
}

void DeadlineStream::discard_input(Clock::time_point until, std::size_t bytes) {
  shutdown(socket_, SHUT_WR);
  for (std::size_t dropped = 0; dropped < bytes && wait(socket_, POLLIN, until);) {
    const auto received = recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (received <= 0) return;
    dropped += static_cast<std::size_t>(received);
  }
}

bool DeadlineStream::has_input() const { return !unread_.empty() || (tls_ && tls_->has_input()); }

bool DeadlineStream::is_readable() const { return wait_for_input(deadline_); }

bool DeadlineStream::is_writable() const { return wait(socket_, POLLOUT, deadline_); }

template <class Step>
ssize_t DeadlineStream::complete(Step step) const {
  while (true) {
    const TlsStep done = step();
    if (done.events == 0) return done.size;
    if (!wait(socket_, done.events, deadline_)) return -1;
  }
}

ssize_t DeadlineStream::receive() {
  if (tls_) return complete([this] { return tls_->read(buffer_.data(), buffer_.size()); });
  return is_readable() ? recv(socket_, buffer_.data(), buffer_.size(), 0) : -1;
}

bool DeadlineStream::fill() {
  const ssize_t received = receive();
  if (received <= 0) return false;
  unread_ = std::span(buffer_).first(static_cast<std::size_t>(received));
  return true;
}

ssize_t DeadlineStream::read(char* to, size_t size) {
  if (head_read_ < head_.size()) {
    const auto taken = head_.copy(to, size, head_read_);
    head_read_ += taken;
    return static_cast<ssize_t>(taken);
  }
  if (left_ == 0) return 0;  // the request has ended
  if (unread_.empty() && !fill()) return -1;
  const auto taken = std::min({size, unread_.size(), left_});
  left_ -= taken;
  std::ranges::copy(unread_.first(taken), to);
  unread_ = unread_.subspan(taken);
  return static_cast<ssize_t>(taken);
}

// All of it, as the library expects of a blocking socket.
ssize_t DeadlineStream::write(const char* from, size_t size) {
  if (tls_ && size > 0) return complete([&] { return tls_->write(from, size); });
  for (std::size_t sent = 0; sent < size;) {
    if (!is_writable()) return -1;
    const auto taken = send(socket_, from + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0) return -1;
    sent += static_cast<std::size_t>(taken);
  }
  return static_cast<ssize_t>(size);
}

void DeadlineStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  std::tie(ip, port) = peer_of(socket_);
}

void DeadlineStream::get_local_ip_and_port(std::string& ip, int& port) const {
  std::tie(ip, port) = own_of(socket_);
}

}  // namespace sluice::interop
