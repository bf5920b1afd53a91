#include <sluice/udp/socket.h>

#include <linux/sock_diag.h>
#include <netinet/udp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "control.h"
#include "failure.h"
#include "family.h"
#include "socket_option.h"

namespace sluice::udp {
namespace {

// The largest UDP datagram, and the largest piece of joined ones.
constexpr std::size_t kLargest = 65535;

int get(int descriptor, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

// `forced` ignores the system's limit, where the process may.
bool set_buffer(int descriptor, int option, int forced, std::size_t size) {
  if (size == 0) return true;
  if (size > kLargest * kLargest / 4) return errno = EINVAL, false;
  const auto wanted = static_cast<int>(size);
  if (set_option(descriptor, SOL_SOCKET, forced, wanted)) return true;
  if (!set_option(descriptor, SOL_SOCKET, option, wanted)) return false;
  // The kernel keeps twice the size, or silently less.
  if (get(descriptor, option) / 2 < wanted) return errno = EPERM, false;
  return true;
}

int family_of(int descriptor) {
  dtls::SocketAddress address;
  const bool known = getsockname(descriptor, address.get(), &address.size) == 0;
  return known ? address.storage.ss_family : AF_UNSPEC;
}

// Room for an address of either family. A dtls::SocketAddress would be filled with zeros first, and
// is five times as large.
using Address = sockaddr_in6;

dtls::UdpEndpoint endpoint_of(const Address& from, std::size_t size) {
  dtls::SocketAddress address;
  std::memcpy(address.get(), &from, std::min(size, sizeof from));
  return unmapped(dtls::to_udp_endpoint(address).value_or(dtls::UdpEndpoint{}));
}

// To send from an IPv6 socket. An empty local address stays empty.
dtls::UdpPath mapped_path(dtls::UdpPath path) {
  path.peer = mapped(path.peer);
  if (path.own != dtls::UdpEndpoint{}) path.own = mapped(path.own);
  return path;
}

}  // namespace

ReceiveBuffer::ReceiveBuffer() : bytes_(Socket::kBatch * kLargest) {
  received_.reserve(Socket::kBatch * SendBatch::kMaxSegments);
}

Socket::Socket(Descriptor descriptor, const SocketOptions& options)
    : descriptor_(std::move(descriptor)),
      options_(options),
      buffer_(options.shared_buffer ? options.shared_buffer : std::make_shared<ReceiveBuffer>()) {}

tl::expected<Socket, std::string> Socket::bind(const dtls::SocketAddress& address,
                                               const SocketOptions& options) {
  const int family = address.storage.ss_family;
  Socket made(Descriptor(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP)),
              options);
  if (!made.descriptor_.is_open()) return failure("socket");
  if (family == AF_INET6) set_option(made.descriptor(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (options.shares_port && !set_option(made.descriptor(), SOL_SOCKET, SO_REUSEPORT, 1)) {
    return failure("SO_REUSEPORT");
  }
  if (::bind(made.descriptor(), address.get(), address.size) != 0) {
    return failure("bind");
  }
  if (auto done = made.set_options(); !done) return tl::unexpected(done.error());
  return made;
}

tl::expected<Socket, std::string> Socket::adopt(int descriptor, const SocketOptions& options) {
  Socket made(Descriptor{descriptor}, options);
  dtls::SocketAddress own;
  if (getsockname(descriptor, own.get(), &own.size) != 0) {
    return failure("getsockname");
  }
  dtls::SocketAddress peer;
  made.is_connected_ = getpeername(descriptor, peer.get(), &peer.size) == 0;
  if (auto done = made.set_options(); !done) return tl::unexpected(done.error());
  return made;
}

tl::expected<void, std::string> Socket::set_options() {
  const int family = family_of(descriptor());
  is_ipv6_ = family == AF_INET6;
  if (options_.reports_local_address) {
    const bool is_set =
        is_ipv6_ ? set_option(descriptor(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                 : family != AF_INET || set_option(descriptor(), IPPROTO_IP, IP_PKTINFO, 1);
    if (!is_set) return failure("IP_PKTINFO");
  }
  // A kernel before 5.0 has no UDP_GRO: then nothing is joined.
  if (options_.joins_received) set_option(descriptor(), IPPROTO_UDP, UDP_GRO, 1);
  if (!set_buffer(descriptor(), SO_RCVBUF, SO_RCVBUFFORCE, options_.receive_buffer)) {
    return failure("SO_RCVBUF");
  }
  if (!set_buffer(descriptor(), SO_SNDBUF, SO_SNDBUFFORCE, options_.send_buffer)) {
    return failure("SO_SNDBUF");
  }
  return {};
}

tl::expected<void, std::string> Socket::connect(const dtls::SocketAddress& peer) {
  if (::connect(descriptor(), peer.get(), peer.size) != 0) {
    return failure("connect");
  }
  is_connected_ = true;
  return {};
}

tl::expected<Socket, std::string> Socket::with_another_port() const {
  dtls::SocketAddress peer;
  if (getpeername(descriptor(), peer.get(), &peer.size) != 0) {
    return failure("getpeername");
  }
  // The kernel chooses a port that is free, so not that of this socket.
  dtls::UdpEndpoint local = own();
  local.port = 0;
  auto made = bind(dtls::to_socket_address(local), options_);
  if (!made) return made;
  if (auto connected = made->connect(peer); !connected) return tl::unexpected(connected.error());
  return made;
}

dtls::UdpEndpoint Socket::own() const {
  dtls::SocketAddress address;
  getsockname(descriptor(), address.get(), &address.size);
  return unmapped(dtls::to_udp_endpoint(address).value_or(dtls::UdpEndpoint{}));
}

std::uint32_t Socket::dropped_unread() const {
  std::array<std::uint32_t, SK_MEMINFO_VARS> values{};
  socklen_t size = sizeof values;
  if (getsockopt(descriptor(), SOL_SOCKET, SO_MEMINFO, values.data(), &size) != 0) return 0;
  return values.at(SK_MEMINFO_DROPS);
}

std::span<const Received> Socket::receive() {
  // Written below, or by the kernel, before they are read.
  // NOLINTBEGIN(cppcoreguidelines-pro-type-member-init)
  std::array<mmsghdr, kBatch> messages;
  std::array<iovec, kBatch> pieces;
  std::array<Address, kBatch> from;
  std::array<Control, kBatch> controls;
  // NOLINTEND(cppcoreguidelines-pro-type-member-init)
  for (std::size_t i = 0; i < kBatch; ++i) {
    pieces[i] = {buffer_->bytes_.data() + i * kLargest, kLargest};
    messages[i] = {};
    msghdr& message = messages[i].msg_hdr;
    message.msg_name = &from[i];
    message.msg_namelen = sizeof from[i];
    message.msg_iov = &pieces[i];
    message.msg_iovlen = 1;
    message.msg_control = controls[i].bytes.data();
    message.msg_controllen = controls[i].bytes.size();
  }
  buffer_->received_.clear();
  const int count = recvmmsg(descriptor(), messages.data(), kBatch, MSG_DONTWAIT, nullptr);
  if (count < 0 && errno == ECONNREFUSED) is_refused_ = true;
  for (int n = 0; n < count; ++n) {
    const auto i = static_cast<std::size_t>(n);
    dtls::UdpPath path{.peer = endpoint_of(from[i], messages[i].msg_hdr.msg_namelen)};
    const std::size_t segment_size = read_control(messages[i].msg_hdr, path);
    take(dtls::MutableBytes(buffer_->bytes_).subspan(i * kLargest, messages[i].msg_len),
         segment_size, path);
  }
  statistics_.received += buffer_->received_.size();
  return buffer_->received_;
}

void Socket::take(dtls::MutableBytes piece, std::size_t segment_size, const dtls::UdpPath& path) {
  if (segment_size == 0) segment_size = piece.size();
  do {
    const std::size_t size = std::min(segment_size, piece.size());
    buffer_->received_.push_back({.bytes = piece.first(size), .path = path});
    piece = piece.subspan(size);
  } while (!piece.empty());
}

void Socket::send(const SendBatch& batch) {
  const bool is_divided = batch.runs().size() == batch.datagrams();
  if (options_.joins_sent || is_divided) return send_runs(batch.runs());
  send_divided(batch.runs());
}

void Socket::send(dtls::Bytes datagram, const dtls::UdpPath& path) {
  const SendRun run{
      .path = path, .bytes = datagram, .segment_size = datagram.size(), .datagrams = 1};
  send_runs({&run, 1});
}

void Socket::send_runs(std::span<const SendRun> runs) {
  while (!runs.empty()) {
    const std::size_t count = std::min(runs.size(), SendBatch::kMaxRuns);
    if (!send_at_once(runs.first(count))) return count_dropped(runs.subspan(count));
    runs = runs.subspan(count);
  }
}

bool Socket::send_at_once(std::span<const SendRun> runs) {
  constexpr std::size_t kMost = SendBatch::kMaxRuns;
  // Those of the runs are written before they are read.
  // NOLINTBEGIN(cppcoreguidelines-pro-type-member-init)
  std::array<mmsghdr, kMost> messages;
  std::array<iovec, kMost> pieces;
  std::array<Address, kMost> to;
  std::array<Control, kMost> controls;
  // NOLINTEND(cppcoreguidelines-pro-type-member-init)
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const SendRun& run = runs[i];
    const dtls::UdpPath path = is_ipv6_ ? mapped_path(run.path) : run.path;
    messages[i] = {};
    msghdr& message = messages[i].msg_hdr;
    if (!is_connected_) {
      const auto address = dtls::to_socket_address(path.peer, static_cast<unsigned>(path.socket));
      std::memcpy(&to[i], address.get(), address.size);
      message.msg_name = &to[i];
      message.msg_namelen = address.size;
    }
    pieces[i] = {const_cast<std::byte*>(run.bytes.data()), run.bytes.size()};
    message.msg_iov = &pieces[i];
    message.msg_iovlen = 1;
    write_control(message, controls[i], path, run.datagrams > 1 ? run.segment_size : 0);
  }
  std::size_t done = 0;
  bool was_refused = false;
  while (done < runs.size()) {
    // It sends from the first message on, up to one that fails.
    const int count = sendmmsg(descriptor(), &messages[done],
                               static_cast<unsigned>(runs.size() - done), MSG_DONTWAIT);
    if (count > 0) {
      const auto sent = static_cast<std::size_t>(count);
      for (const SendRun& run : runs.subspan(done, sent)) statistics_.sent += run.datagrams;
      done += sent;
      was_refused = false;
    } else if (is_full(errno)) {
      count_dropped(runs.subspan(done));
      return false;
    } else if (errno == ECONNREFUSED && !was_refused) {
      // The error of an earlier datagram, in place of sending this one.
      is_refused_ = was_refused = true;
    } else if (errno != EINTR) {
      handle_refusal(runs[done++], errno);
    }
  }
  return true;
}

void Socket::count_dropped(std::span<const SendRun> runs) {
  for (const SendRun& run : runs) statistics_.dropped_full += run.datagrams;
}

void Socket::handle_refusal(const SendRun& run, int error) {
  if (run.datagrams == 1) {
    ++statistics_.dropped_refused;
    return;
  }
  // EINVAL: the datagrams are larger than the path's MTU. EIO: the interface cannot divide at all.
  if (error == EIO) options_.joins_sent = false;
  ++statistics_.divided;
  send_divided({&run, 1});
}

void Socket::send_divided(std::span<const SendRun> runs) {
  std::array<SendRun, SendBatch::kMaxRuns> single;
  std::size_t count = 0;
  for (const SendRun& run : runs) {
    dtls::Bytes rest = run.bytes;
    for (std::size_t i = 0; i < run.datagrams; ++i) {
      const std::size_t size = std::min(run.segment_size, rest.size());
      single[count++] = {
          .path = run.path, .bytes = rest.first(size), .segment_size = size, .datagrams = 1};
      rest = rest.subspan(size);
      if (count == single.size()) send_runs(single);
      count %= single.size();
    }
  }
  send_runs(std::span(single).first(count));
}

}  // namespace sluice::udp
