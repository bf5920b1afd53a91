#include "common/lite/local_addresses.h"

#include <ifaddrs.h>
#include <net/if.h>

#include <cstring>
#include <memory>
#include <optional>

#include <sluice/dtls/socket_address.h>

namespace sluice::interop {
namespace {

std::optional<dtls::UdpEndpoint> interface_address(const ifaddrs& entry) {
  if (entry.ifa_addr == nullptr || (entry.ifa_flags & IFF_UP) == 0) return std::nullopt;
  dtls::SocketAddress address;
  const int family = entry.ifa_addr->sa_family;
  if (family == AF_INET) {
    std::memcpy(&address.storage, entry.ifa_addr, sizeof(sockaddr_in));
  } else if (family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, entry.ifa_addr, sizeof v6);
    if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) return std::nullopt;
    std::memcpy(&address.storage, &v6, sizeof v6);
  }
  return dtls::to_udp_endpoint(address);
}

}  // namespace

std::vector<dtls::UdpEndpoint> local_addresses() {
  ifaddrs* raw = nullptr;
  if (getifaddrs(&raw) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> all(raw, freeifaddrs);
  std::vector<dtls::UdpEndpoint> found;
  for (const bool loopback : {false, true}) {
    for (const ifaddrs* entry = raw; entry != nullptr; entry = entry->ifa_next) {
      if (((entry->ifa_flags & IFF_LOOPBACK) != 0) != loopback) continue;
      if (const auto address = interface_address(*entry)) found.push_back(*address);
    }
  }
  return found;
}

}  // namespace sluice::interop
