// Converts addresses between text, sockaddr and dtls::UdpEndpoint.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <sluice/dtls/udp_endpoint.h>

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace sluice::interop::tools {

struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t size = sizeof(sockaddr_storage);

  [[nodiscard]] int family() const { return storage.ss_family; }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  void set_port(std::uint16_t port);
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// Reads "host:port", "[2001:db8::1]:port", or "*:port" and "port" for all local addresses. The
// error says what is wrong.
tl::expected<SocketAddress, std::string> resolve(const std::string& text);

dtls::UdpEndpoint to_endpoint(const SocketAddress& address);
// `interface` is used for link-local addresses only.
SocketAddress to_socket_address(const dtls::UdpEndpoint& endpoint, unsigned interface);
std::string to_string(const dtls::UdpEndpoint& endpoint);

// Addresses from the control messages of recvmsg() (IP_PKTINFO).
dtls::Ipv4Address to_address(const in_addr& address);
dtls::Ipv6Address to_address(const in6_addr& address);

}  // namespace sluice::interop::tools
