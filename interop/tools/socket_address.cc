#include "tools/socket_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>

namespace sluice::interop::tools {
namespace {

struct HostAndPort {
  std::string host;  // empty: all local addresses
  std::string port;
};

HostAndPort split(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return {"", text};
  std::string host = text.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host == "*") host.clear();
  return {host, text.substr(colon + 1)};
}

// Some containers have no IPv6.
bool has_ipv6() {
  const int made = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (made >= 0) close(made);
  return made >= 0;
}

template <class Address, class From>
Address copy(const From& from) {
  Address address{};
  std::ranges::copy(std::as_bytes(std::span(&from, 1)),
                    std::as_writable_bytes(std::span(address)).begin());
  return address;
}

}  // namespace

tl::expected<SocketAddress, std::string> resolve(const std::string& text) {
  const auto [host, port] = split(text);
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_ADDRCONFIG;
  SocketAddress address;
  if (host.empty()) {
    // An IPv6 socket also receives IPv4.
    hints.ai_family = has_ipv6() ? AF_INET6 : AF_INET;
    hints.ai_flags = AI_PASSIVE;
  }
  addrinfo* raw = nullptr;
  const int error = getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &raw);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found(raw, freeaddrinfo);
  if (error != 0) return tl::unexpected(text + ": " + gai_strerror(error));
  const auto bytes = std::as_bytes(std::span(reinterpret_cast<const char*>(found->ai_addr),
                                             static_cast<std::size_t>(found->ai_addrlen)));
  std::ranges::copy(bytes, std::as_writable_bytes(std::span(&address.storage, 1)).begin());
  address.size = found->ai_addrlen;
  return address;
}

void SocketAddress::set_port(std::uint16_t port) {
  if (family() == AF_INET) {
    reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = htons(port);
  }
}

dtls::Ipv4Address to_address(const in_addr& address) { return copy<dtls::Ipv4Address>(address); }
dtls::Ipv6Address to_address(const in6_addr& address) { return copy<dtls::Ipv6Address>(address); }

dtls::UdpEndpoint to_endpoint(const SocketAddress& address) {
  if (address.family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    return {to_address(v4->sin_addr), ntohs(v4->sin_port)};
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  return {to_address(v6->sin6_addr), ntohs(v6->sin6_port)};
}

SocketAddress to_socket_address(const dtls::UdpEndpoint& endpoint, unsigned interface) {
  SocketAddress address;
  if (const auto* bytes = std::get_if<dtls::Ipv4Address>(&endpoint.address)) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    std::ranges::copy(std::as_bytes(std::span(*bytes)),
                      std::as_writable_bytes(std::span(&v4->sin_addr, 1)).begin());
    address.size = sizeof *v4;
    return address;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(endpoint.port);
  std::ranges::copy(std::as_bytes(std::span(std::get<dtls::Ipv6Address>(endpoint.address))),
                    std::as_writable_bytes(std::span(&v6->sin6_addr, 1)).begin());
  if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) v6->sin6_scope_id = interface;
  address.size = sizeof *v6;
  return address;
}

std::string to_string(const dtls::UdpEndpoint& endpoint) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const std::string port = ":" + std::to_string(endpoint.port);
  if (const auto* v4 = std::get_if<dtls::Ipv4Address>(&endpoint.address)) {
    return inet_ntop(AF_INET, v4->data(), text.data(), text.size()) + port;
  }
  const auto& v6 = std::get<dtls::Ipv6Address>(endpoint.address);
  return "[" + std::string(inet_ntop(AF_INET6, v6.data(), text.data(), text.size())) + "]" + port;
}

}  // namespace sluice::interop::tools
