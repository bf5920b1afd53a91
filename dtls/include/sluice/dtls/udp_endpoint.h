// UDP addresses.
#pragma once

#include <array>
#include <cstdint>
#include <variant>

namespace sluice::dtls {

// In network byte order.
using Ipv4Address = std::array<std::uint8_t, 4>;
using Ipv6Address = std::array<std::uint8_t, 16>;

struct UdpEndpoint {
  std::variant<Ipv4Address, Ipv6Address> address;
  std::uint16_t port = 0;

  friend bool operator==(const UdpEndpoint&, const UdpEndpoint&) = default;
};

}  // namespace sluice::dtls
