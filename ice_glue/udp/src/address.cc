#include <sluice/udp/address.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>

namespace sluice::udp {
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

}  // namespace

tl::expected<dtls::SocketAddress, std::string> resolve(const std::string& text) {
  const auto [host, port] = split(text);
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_ADDRCONFIG;
  if (host.empty()) {
    // An IPv6 socket also receives IPv4.
    hints.ai_family = has_ipv6() ? AF_INET6 : AF_INET;
    hints.ai_flags = AI_PASSIVE;
  }
  addrinfo* raw = nullptr;
  const int error = getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &raw);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found(raw, freeaddrinfo);
  if (error != 0) return tl::unexpected(text + ": " + gai_strerror(error));
  dtls::SocketAddress address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
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

}  // namespace sluice::udp
