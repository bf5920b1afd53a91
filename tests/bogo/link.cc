#include "bogo/link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

namespace sluice::bogo {
namespace {

constexpr char kPacket = 'P';
constexpr char kAdvanceClock = 'T';
constexpr char kClockAdvanced = 't';
constexpr char kSetMtu = 'M';
constexpr char kExpectTimeout = 'E';
constexpr char kSetInitialTimeout = 'U';

// No UDP datagram is larger.
constexpr std::uint64_t kMaxPacket = 65535;

// Far less than 2^63 of them, where there are any.
std::chrono::nanoseconds nanoseconds(std::uint64_t count) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(count));
}

bool connect_loopback(int socket, std::uint16_t port, bool ipv6) {
  if (ipv6) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    address.sin6_port = htons(port);
    return ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

tl::expected<Link, std::string> Link::connect(std::uint16_t port, bool ipv6,
                                              std::uint64_t shim_id) {
  const auto failed = [](const char* step) {
    return tl::unexpected(step + (": " + std::system_category().message(errno)));
  };
  Link link(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (link.socket_ < 0) return failed("socket");
  // Each frame is waited for.
  const int on = 1;
  if (::setsockopt(link.socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
    return failed("TCP_NODELAY");
  }
  if (!connect_loopback(link.socket_, port, ipv6)) return failed("connect");
  std::array<std::byte, sizeof shim_id> id{};  // the only number that is little-endian
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::byte>(shim_id >> 8 * i);
  link.write(id);
  return link;
}

Link::Link(Link&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

Link::~Link() {
  if (socket_ < 0) return;
  ::shutdown(socket_, SHUT_WR);
  std::array<std::byte, 4096> ignored{};
  while (::read(socket_, ignored.data(), ignored.size()) > 0) continue;
  ::close(socket_);
}

tl::expected<Frame, Link::End> Link::receive() const {
  pollfd readable{socket_, POLLIN, 0};
  const auto limit = std::chrono::milliseconds{kIdleTime};
  if (::poll(&readable, 1, static_cast<int>(limit.count())) == 0) return tl::unexpected(End::idle);
  const auto opcode = read_number(1);
  if (!opcode) return tl::unexpected(End::closed);
  switch (static_cast<char>(*opcode)) {
    case kPacket:
      return read_packet();
    case kAdvanceClock: {
      const auto time = read_number(8);
      if (!time) break;
      static constexpr std::array kAnswer{std::byte{kClockAdvanced}};
      write(kAnswer);
      return AdvanceClock{nanoseconds(*time)};
    }
    case kSetMtu:
      if (const auto bytes = read_number(4)) return SetMtu{*bytes};
      break;
    case kExpectTimeout: {
      const auto time = read_number(8);
      if (!time) break;
      if (*time == std::numeric_limits<std::uint64_t>::max()) return ExpectTimeout{};
      return ExpectTimeout{std::chrono::duration_cast<dtls::Duration>(nanoseconds(*time))};
    }
    case kSetInitialTimeout:
      if (const auto milliseconds = read_number(4)) {
        return SetInitialTimeout{std::chrono::milliseconds{*milliseconds}};
      }
      break;
    default:
      break;
  }
  return tl::unexpected(End::malformed);
}

tl::expected<Frame, Link::End> Link::read_packet() const {
  const auto size = read_number(4);
  if (!size || *size > kMaxPacket) return tl::unexpected(End::malformed);
  Packet packet{dtls::Buffer(*size)};
  if (!read(packet.datagram)) return tl::unexpected(End::malformed);
  return packet;
}

void Link::send(dtls::Bytes datagram) const {
  const auto size = static_cast<std::uint32_t>(datagram.size());
  dtls::Buffer frame{std::byte{kPacket}};
  for (int shift = 24; shift >= 0; shift -= 8)
    frame.push_back(static_cast<std::byte>(size >> shift));
  frame.insert(frame.end(), datagram.begin(), datagram.end());
  write(frame);
}

bool Link::read(dtls::MutableBytes out) const {
  while (!out.empty()) {
    const ssize_t size = ::read(socket_, out.data(), out.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(size));
  }
  return true;
}

std::optional<std::uint64_t> Link::read_number(std::size_t size) const {
  std::array<std::byte, 8> bytes{};
  const auto used = dtls::MutableBytes(bytes).first(size);
  if (!read(used)) return std::nullopt;
  std::uint64_t number = 0;
  for (const std::byte byte : used) number = number << 8 | std::to_integer<std::uint64_t>(byte);
  return number;
}

void Link::write(dtls::Bytes bytes) const {
  while (!bytes.empty()) {
    const ssize_t size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return;
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
}

}  // namespace sluice::bogo
