#include "tools/udp_socket.h"

#include <netinet/ip.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sluice::interop::tools {
namespace {

constexpr std::size_t kControl = CMSG_SPACE(sizeof(in6_pktinfo));

struct alignas(cmsghdr) Control {
  std::array<std::byte, kControl> bytes;
};

bool enable(int descriptor, int level, int option) {
  constexpr int kOn = 1;
  return setsockopt(descriptor, level, option, &kOn, sizeof kOn) == 0;
}

template <class Info>
Info info_of(cmsghdr* header) {
  Info info{};
  std::memcpy(&info, CMSG_DATA(header), sizeof info);
  return info;
}

// Sets the local address and the interface that a datagram came to.
void read_control(msghdr& message, dtls::UdpPath& path) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
      path.own.address = to_address(info_of<in_pktinfo>(header).ipi_addr);
    } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
      const auto info = info_of<in6_pktinfo>(header);
      path.own.address = to_address(info.ipi6_addr);
      // A link-local address is only unique together with its interface.
      if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) path.socket = dtls::SocketId{info.ipi6_ifindex};
    }
  }
}

template <class Info>
void put_control(msghdr& message, Control& control, int level, int type, const Info& info) {
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_SPACE(sizeof info);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(header), &info, sizeof info);
}

// Sets the local address to send from.
void write_control(msghdr& message, Control& control, const dtls::UdpPath& path) {
  if (path.own == dtls::UdpEndpoint{}) return;
  const SocketAddress own = to_socket_address(path.own, 0);
  if (own.family() == AF_INET) {
    in_pktinfo info{};
    info.ipi_spec_dst = reinterpret_cast<const sockaddr_in*>(own.get())->sin_addr;
    put_control(message, control, IPPROTO_IP, IP_PKTINFO, info);
  } else {
    in6_pktinfo info{};
    info.ipi6_addr = reinterpret_cast<const sockaddr_in6*>(own.get())->sin6_addr;
    put_control(message, control, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
}

std::string errno_text(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

}  // namespace

tl::expected<UdpSocket, std::string> UdpSocket::bind(const SocketAddress& address,
                                                     const UdpSocketOptions& options) {
  UdpSocket made(
      ::socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
  const int descriptor = made.descriptor();
  if (descriptor < 0) return tl::unexpected(errno_text("socket"));
  const bool is_v4 = address.family() == AF_INET;
  constexpr int kOff = 0;
  if (!is_v4) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &kOff, sizeof kOff);
  const auto report_local_address = [&] {
    return is_v4 ? enable(descriptor, IPPROTO_IP, IP_PKTINFO)
                 : enable(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO);
  };
  if ((options.reports_local_address && !report_local_address()) ||
      (options.shares_port && !enable(descriptor, SOL_SOCKET, SO_REUSEPORT))) {
    return tl::unexpected(errno_text("setsockopt"));
  }
  if (::bind(descriptor, address.get(), address.size) != 0)
    return tl::unexpected(errno_text("bind"));
  return made;
}

UdpSocket::UdpSocket(int descriptor) : descriptor_(descriptor), buffer_(kBatch * kLargest) {}

UdpSocket::UdpSocket(UdpSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      is_connected_(other.is_connected_),
      is_refused_(other.is_refused_),
      buffer_(std::move(other.buffer_)) {}

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(is_connected_, other.is_connected_);
  std::swap(is_refused_, other.is_refused_);
  std::swap(buffer_, other.buffer_);
  return *this;
}

UdpSocket::~UdpSocket() {
  if (descriptor_ >= 0) close(descriptor_);
}

tl::expected<void, std::string> UdpSocket::connect(const SocketAddress& peer) {
  if (::connect(descriptor_, peer.get(), peer.size) != 0) {
    return tl::unexpected(errno_text("connect"));
  }
  is_connected_ = true;
  return {};
}

tl::expected<UdpSocket, std::string> UdpSocket::with_another_port() const {
  SocketAddress local;
  SocketAddress peer;
  if (getsockname(descriptor_, local.get(), &local.size) != 0 ||
      getpeername(descriptor_, peer.get(), &peer.size) != 0) {
    return tl::unexpected(errno_text("getpeername"));
  }
  // The kernel chooses a port that is free, so not that of this socket.
  local.set_port(0);
  auto made = bind(local, {.reports_local_address = false});
  if (!made) return made;
  if (auto connected = made->connect(peer); !connected) return tl::unexpected(connected.error());
  return made;
}

dtls::UdpEndpoint UdpSocket::own() const {
  SocketAddress address;
  getsockname(descriptor_, address.get(), &address.size);
  return to_endpoint(address);
}

std::size_t UdpSocket::fill() {
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> pieces{};
  std::array<SocketAddress, kBatch> from;
  std::array<Control, kBatch> controls{};
  for (std::size_t i = 0; i < kBatch; ++i) {
    pieces[i] = {buffer_.data() + i * kLargest, kLargest};
    msghdr& message = messages[i].msg_hdr;
    message.msg_name = from[i].get();
    message.msg_namelen = from[i].size;
    message.msg_iov = &pieces[i];
    message.msg_iovlen = 1;
    message.msg_control = controls[i].bytes.data();
    message.msg_controllen = controls[i].bytes.size();
  }
  const int count = recvmmsg(descriptor_, messages.data(), kBatch, MSG_DONTWAIT, nullptr);
  for (int n = 0; n < count; ++n) {
    const auto i = static_cast<std::size_t>(n);
    received_[i] = std::span(buffer_).subspan(i * kLargest, messages[i].msg_len);
    paths_[i] = {.peer = to_endpoint(from[i])};
    read_control(messages[i].msg_hdr, paths_[i]);
  }
  if (count < 0 && errno == ECONNREFUSED) is_refused_ = true;
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

void UdpSocket::send(dtls::Bytes datagram, const dtls::UdpPath& path) const {
  SocketAddress to = to_socket_address(path.peer, static_cast<unsigned>(path.socket));
  iovec piece{const_cast<std::byte*>(datagram.data()), datagram.size()};
  Control control{};
  msghdr message{};
  if (!is_connected_) {
    message.msg_name = to.get();
    message.msg_namelen = to.size;
  }
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  write_control(message, control, path);
  // The error of an earlier datagram is reported in place of sending this one.
  if (sendmsg(descriptor_, &message, MSG_DONTWAIT) < 0 && errno == ECONNREFUSED) {
    static_cast<void>(sendmsg(descriptor_, &message, MSG_DONTWAIT));
  }
}

}  // namespace sluice::interop::tools
