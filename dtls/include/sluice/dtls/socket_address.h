// Addresses of the socket API as those of an Endpoint, and back. Inline; the only header that
// includes the system's socket headers.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <variant>

#include <sluice/dtls/path.h>

namespace sluice::dtls {

// A sockaddr of IPv4 or IPv6 with its size.
struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t size = sizeof(sockaddr_storage);  // as recvfrom() needs it beforehand

  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

namespace detail {
template <class To, class From>
void copy_address(const From& from, To& to) {
  static_assert(sizeof(From) == sizeof(To));
  std::ranges::copy(std::as_bytes(std::span(&from, 1)),
                    std::as_writable_bytes(std::span(&to, 1)).begin());
}
}  // namespace detail

// Empty for another family. The scope of a link-local IPv6 address is left out: see SocketId.
inline std::optional<UdpEndpoint> to_udp_endpoint(const SocketAddress& address) {
  UdpEndpoint endpoint;
  if (address.storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    detail::copy_address(v4->sin_addr, endpoint.address.emplace<Ipv4Address>());
    endpoint.port = ntohs(v4->sin_port);
    return endpoint;
  }
  if (address.storage.ss_family != AF_INET6) return std::nullopt;
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  detail::copy_address(v6->sin6_addr, endpoint.address.emplace<Ipv6Address>());
  endpoint.port = ntohs(v6->sin6_port);
  return endpoint;
}

// `interface` becomes the scope of a link-local IPv6 address.
inline SocketAddress to_socket_address(const UdpEndpoint& endpoint, unsigned interface = 0) {
  SocketAddress address;
  if (const auto* bytes = std::get_if<Ipv4Address>(&endpoint.address)) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    detail::copy_address(*bytes, v4->sin_addr);
    address.size = sizeof *v4;
    return address;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(endpoint.port);
  detail::copy_address(std::get<Ipv6Address>(endpoint.address), v6->sin6_addr);
  if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) v6->sin6_scope_id = interface;
  address.size = sizeof *v6;
  return address;
}

}  // namespace sluice::dtls
