#include "common/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include <sluice/udp/address.h>

namespace sluice::interop::common {

std::optional<dtls::UdpEndpoint> parse_address(const std::string& literal) {
  dtls::Ipv4Address v4{};
  if (inet_pton(AF_INET, literal.c_str(), v4.data()) == 1) return dtls::UdpEndpoint{v4, 0};
  dtls::Ipv6Address v6{};
  if (inet_pton(AF_INET6, literal.c_str(), v6.data()) == 1) return dtls::UdpEndpoint{v6, 0};
  return std::nullopt;
}

std::optional<dtls::UdpEndpoint> read_address(const std::string& literal) {
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  auto address = parse_address(literal);
  if (!address) return std::nullopt;
  const auto* const v6 = std::get_if<dtls::Ipv6Address>(&address->address);
  if (v6 == nullptr || !std::ranges::equal(kMapped, std::span(*v6).first<kMapped.size()>())) {
    return address;
  }
  dtls::Ipv4Address v4{};
  std::ranges::copy(std::span(*v6).last<v4.size()>(), v4.begin());
  return dtls::UdpEndpoint{v4, 0};
}

std::string address_text(const dtls::UdpEndpoint& address) {
  std::string text = udp::to_string(address);  // with a port, and IPv6 in brackets
  text.resize(text.rfind(':'));
  return text.front() == '[' ? text.substr(1, text.size() - 2) : text;
}

bool is_loopback(const dtls::UdpEndpoint& address) {
  constexpr std::uint8_t kLoopbackNet = 127;
  if (const auto* v4 = std::get_if<dtls::Ipv4Address>(&address.address)) {
    return v4->front() == kLoopbackNet;
  }
  constexpr dtls::Ipv6Address kLoopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return std::get<dtls::Ipv6Address>(address.address) == kLoopback;
}

std::string host_of(const std::string& address) {
  constexpr std::size_t kHostBytes = 8;
  // A link-local address may have the name of an interface behind it.
  auto read = read_address(address.substr(0, address.find('%')));
  if (!read) return address;
  auto* const v6 = std::get_if<dtls::Ipv6Address>(&read->address);
  if (v6 == nullptr) return address_text(*read);
  std::fill(v6->begin() + kHostBytes, v6->end(), std::uint8_t{0});
  return address_text(*read) + "/64";
}

}  // namespace sluice::interop::common
