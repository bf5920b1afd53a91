// The listening socket, and the connections from their beginning to their end.
#include "impl.h"

#include <fcntl.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "failure.h"
#include "family.h"
#include "socket_option.h"

namespace sluice::tcp {
namespace {

using udp::failure;

// Of the listening socket, among those of connections.
constexpr std::uint64_t kListening = UINT64_MAX;
constexpr int kAcceptedAtOnce = 16;
constexpr dtls::Duration kAcceptPause = std::chrono::seconds{1};
// Of one read.
constexpr std::size_t kReadSize = 65536;

// The parts of a SocketId: see is_connection().
constexpr unsigned kSlotBits = 20;
constexpr std::uint32_t kSlotMask = (1U << kSlotBits) - 1;
constexpr std::uint32_t kGenerationMask = 0x7ff;

dtls::SocketId socket_id(SlotNumber number, std::uint32_t generation) {
  return dtls::SocketId{0x8000'0000U | (generation & kGenerationMask) << kSlotBits | number};
}

dtls::UdpEndpoint own_of(int descriptor) {
  dtls::SocketAddress address;
  getsockname(descriptor, address.get(), &address.size);
  return udp::unmapped(dtls::to_udp_endpoint(address).value_or(dtls::UdpEndpoint{}));
}

}  // namespace

Listener::Impl::Impl(const ListenerOptions& options, dtls::crypto::KeyedHash keyed)
    : options_(options),
      keyed_(std::move(keyed)),
      hosts_(options.ipv6_host_prefix),
      buffer_(kReadSize) {
  received_.reserve(kBatch);
}

tl::expected<void, std::string> Listener::Impl::open(const dtls::SocketAddress& address) {
  const int family = address.storage.ss_family;
  udp::Descriptor made(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!made.is_open()) return failure("socket");
  const int number = made.number();
  if (family == AF_INET6) udp::set_option(number, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  // Connections of the process before this one may not have ended yet.
  if (!udp::set_option(number, SOL_SOCKET, SO_REUSEADDR, 1)) return failure("SO_REUSEADDR");
  if (::bind(number, address.get(), address.size) != 0) return failure("bind");
  return listen(std::move(made));
}

tl::expected<void, std::string> Listener::Impl::listen(udp::Descriptor bound) {
  listening_ = std::move(bound);
  const int number = listening_.number();
  const int flags = fcntl(number, F_GETFL);
  if (flags < 0 || fcntl(number, F_SETFL, flags | O_NONBLOCK) != 0) return failure("fcntl");
  // Connections have these options from the listening socket.
  if (!udp::set_option(number, IPPROTO_TCP, TCP_NODELAY, 1)) return failure("TCP_NODELAY");
  const auto send_buffer = static_cast<int>(options_.send_buffer);
  if (send_buffer != 0 && !udp::set_option(number, SOL_SOCKET, SO_SNDBUF, send_buffer)) {
    return failure("SO_SNDBUF");
  }
  if (::listen(number, options_.backlog) != 0) return failure("listen");
  epoll_ = udp::Descriptor(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.is_open()) return failure("epoll_create1");
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kListening}};
  if (epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, number, &event) != 0) return failure("epoll_ctl");
  return {};
}

dtls::UdpEndpoint Listener::Impl::own() const { return own_of(listening_.number()); }

// ---- the beginning

void Listener::Impl::accept(dtls::Instant now) {
  for (int i = 0; i < kAcceptedAtOnce; ++i) {
    dtls::SocketAddress address;
    udp::Descriptor made(
        ::accept4(listening_.number(), address.get(), &address.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (made.is_open()) {
      const auto peer = dtls::to_udp_endpoint(address);
      if (peer) admit(std::move(made), udp::unmapped(*peer), now);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return accept_later(now);
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    // Others are the errors of a connection that has ended meanwhile (accept(2)).
  }
}

bool Listener::Impl::admit(udp::Descriptor descriptor, const dtls::UdpEndpoint& peer,
                           dtls::Instant now) {
  if (options_.max_connections_per_host != 0 &&
      hosts_.of(keyed_, peer) >= options_.max_connections_per_host) {
    count(Refusal::too_many_of_host);
    return false;
  }
  if (size() >= options_.max_connections) {
    if (unconfirmed_.first() == kNoSlot) {
      count(Refusal::too_many);
      return false;
    }
    end(unconfirmed_.first(), CloseReason::displaced);
  }
  const SlotNumber number = connections_.take();
  Connection& connection = connections_[number];
  const auto handle = connections_.handle_of<ConnectionHandle>(number);
  epoll_event event{.events = EPOLLIN, .data = {.u64 = static_cast<std::uint64_t>(handle)}};
  if (epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, descriptor.number(), &event) != 0) {
    connections_.release(number);
    count(Refusal::no_resources);
    return false;
  }
  connection.path = {.socket = socket_id(number, connection.generation),
                     .peer = peer,
                     .own = own_of(descriptor.number())};
  connection.descriptor = std::move(descriptor);
  connection.deframer = Deframer(options_.max_frame);
  connection.since = now;
  unconfirmed_.add(connections_, number);
  hosts_.add(keyed_, peer);
  ++statistics_.accepted;
  return true;
}

void Listener::Impl::accept_later(dtls::Instant now) {
  count(Refusal::no_resources);
  if (unconfirmed_.first() != kNoSlot) end(unconfirmed_.first(), CloseReason::displaced);
  // It stays readable, and would wake the caller again at once.
  watch_listening(0);
  accepts_again_ = dtls::saturating_add(now, kAcceptPause);
}

void Listener::Impl::watch_listening(std::uint32_t events) {
  epoll_event event{.events = events, .data = {.u64 = kListening}};
  epoll_ctl(epoll_.number(), EPOLL_CTL_MOD, listening_.number(), &event);
}

void Listener::Impl::confirm(const dtls::UdpPath& path, dtls::Instant now) {
  const SlotNumber number = find(path);
  if (number == kNoSlot) return;
  Connection& connection = connections_[number];
  list_of(connection).remove(connections_, number);
  connection.is_confirmed = true;
  connection.since = now;
  confirmed_.add(connections_, number);
}

// ---- the end

SlotNumber Listener::Impl::find(ConnectionHandle handle) const {
  if (!connections_.is_present(handle)) return kNoSlot;
  const auto number = static_cast<SlotNumber>(handle);
  return connections_[number].descriptor.is_open() ? number : kNoSlot;
}

SlotNumber Listener::Impl::find(const dtls::UdpPath& path) const {
  const SlotNumber number = static_cast<std::uint32_t>(path.socket) & kSlotMask;
  if (!is_connection(path) || number >= connections_.end()) return kNoSlot;
  const Connection& connection = connections_[number];
  return connection.descriptor.is_open() && connection.path == path ? number : kNoSlot;
}

void Listener::Impl::remove(SlotNumber number) {
  const Connection& connection = connections_[number];
  list_of(connection).remove(connections_, number);
  hosts_.remove(keyed_, connection.path.peer);
  queued_ -= connection.queue.size();
  count(SendDrop::cut_off, connection.queue.datagrams());
  // Closes the descriptor, which epoll forgets with that.
  connections_.release(number);
}

void Listener::Impl::end(SlotNumber number, CloseReason reason) {
  count(reason);
  closed_.push_back({.path = connections_[number].path, .reason = reason});
  remove(number);
}

void Listener::Impl::close(const dtls::UdpPath& path) {
  const SlotNumber number = find(path);
  if (number != kNoSlot) remove(number);
}

std::optional<Closed> Listener::Impl::poll_closed() {
  if (next_closed_ < closed_.size()) return closed_[next_closed_++];
  closed_.clear();
  next_closed_ = 0;
  return std::nullopt;
}

// ---- time

void Listener::Impl::handle_timeout(dtls::Instant now) {
  const auto end_old = [&](const ConnectionList& list, dtls::Duration age, CloseReason reason) {
    while (list.first() != kNoSlot &&
           dtls::saturating_add(connections_[list.first()].since, age) <= now) {
      end(list.first(), reason);
    }
  };
  end_old(unconfirmed_, options_.confirm_within, CloseReason::unconfirmed);
  end_old(confirmed_, options_.idle_after, CloseReason::idle);
  if (accepts_again_ && *accepts_again_ <= now) {
    accepts_again_.reset();
    watch_listening(EPOLLIN);
  }
}

std::optional<dtls::Instant> Listener::Impl::next_timeout() const {
  // The kernel does not know of what was read already.
  if (current_) return latest_;
  std::optional<dtls::Instant> next = accepts_again_;
  const auto consider = [&](const ConnectionList& list, dtls::Duration age) {
    if (list.first() == kNoSlot) return;
    const dtls::Instant due = dtls::saturating_add(connections_[list.first()].since, age);
    next = std::min(next.value_or(due), due);
  };
  consider(unconfirmed_, options_.confirm_within);
  consider(confirmed_, options_.idle_after);
  return next;
}

// ---- receiving

std::span<const dtls::ReceivedDatagram> Listener::Impl::receive(dtls::Instant now) {
  received_.clear();
  latest_ = std::max(latest_, now);
  if (take_datagrams()) return received_;
  for (bool has_asked = false;;) {
    if (event_ == events_end_) {
      if (std::exchange(has_asked, true)) return {};
      const int count = epoll_wait(epoll_.number(), events_.data(), kEvents, 0);
      event_ = 0;
      events_end_ = static_cast<std::size_t>(std::max(count, 0));
      continue;
    }
    const epoll_event event = events_[event_++];
    if (event.data.u64 == kListening) {
      accept(now);
      continue;
    }
    const SlotNumber number = find(ConnectionHandle{event.data.u64});
    if (number == kNoSlot) continue;
    if ((event.events & EPOLLOUT) != 0) write_queue(number);
    if ((event.events & ~std::uint32_t{EPOLLOUT}) != 0) read(number);
    if (take_datagrams()) return received_;
  }
}

void Listener::Impl::read(SlotNumber number) {
  const ssize_t count = ::recv(connections_[number].descriptor.number(), buffer_.data(),
                               buffer_.size(), MSG_DONTWAIT);
  if (count > 0) {
    current_ = connections_.handle_of<ConnectionHandle>(number);
    rest_ = dtls::MutableBytes(buffer_).first(static_cast<std::size_t>(count));
  } else if (count == 0) {
    end(number, CloseReason::by_peer);
  } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
    end(number, CloseReason::failed);
  }
}

bool Listener::Impl::take_datagrams() {
  const SlotNumber number = current_ ? find(*current_) : kNoSlot;
  if (number == kNoSlot) {
    current_.reset();
    return false;
  }
  Connection& connection = connections_[number];
  const std::uint64_t null_frames = connection.deframer.null_frames();
  const auto next = [&] {
    // What was put together in the Deframer must not meet the beginning of another frame there.
    const bool is_full = received_.size() == kBatch || connection.deframer.has_given();
    return is_full && !received_.empty() ? std::nullopt
                                         : std::optional(connection.deframer.next(rest_));
  };
  while (const auto datagram = next()) {
    if (datagram->has_value() && datagram->value()) {
      received_.push_back({.bytes = *datagram->value(), .path = connection.path});
      continue;
    }
    // After an error the next call finds it again.
    if (datagram->has_value() || received_.empty()) current_.reset();
    if (!datagram->has_value() && received_.empty()) {
      end(number, CloseReason::frame_too_large);
      return false;
    }
    break;
  }
  statistics_.null_frames += connection.deframer.null_frames() - null_frames;
  statistics_.received += received_.size();
  return !received_.empty();
}

}  // namespace sluice::tcp
