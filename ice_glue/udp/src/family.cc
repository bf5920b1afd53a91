#include "family.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <variant>

namespace sluice::udp {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

dtls::UdpEndpoint unmapped(const dtls::UdpEndpoint& endpoint) {
  const auto* v6 = std::get_if<dtls::Ipv6Address>(&endpoint.address);
  if (v6 == nullptr || !std::equal(kMapped.begin(), kMapped.end(), v6->begin())) return endpoint;
  dtls::Ipv4Address v4{};
  std::copy(v6->begin() + kMapped.size(), v6->end(), v4.begin());
  return {v4, endpoint.port};
}

dtls::UdpEndpoint mapped(const dtls::UdpEndpoint& endpoint) {
  const auto* v4 = std::get_if<dtls::Ipv4Address>(&endpoint.address);
  if (v4 == nullptr) return endpoint;
  dtls::Ipv6Address v6{};
  std::ranges::copy(kMapped, v6.begin());
  std::ranges::copy(*v4, v6.begin() + kMapped.size());
  return {v6, endpoint.port};
}

}  // namespace sluice::udp
