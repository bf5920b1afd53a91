#include "common/client/client_ice.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <variant>

#include <sluice/udp/address.h>
#include <sluice/udp/socket.h>

#include "common/ip_address.h"
#include "common/letter_case.h"
#include "common/random_numbers.h"

namespace sluice::interop {
namespace {

// RFC 8839 section 5.1: foundation, component, transport, priority, address, port, "typ", type.
struct Candidate {
  std::uint32_t priority = 0;
  dtls::UdpEndpoint address;
};

std::optional<Candidate> read_candidate(const std::string& line) {
  std::istringstream words(line.substr(line.find(':') + 1));
  std::string foundation;
  std::string transport;
  std::string host;
  unsigned component = 0;
  std::uint32_t priority = 0;
  std::uint16_t port = 0;
  words >> foundation >> component >> transport >> priority >> host >> port;
  const auto address = common::parse_address(host);
  if (!words || component != 1 || port == 0 || !address || !equal_ignoring_case(transport, "udp")) {
    return std::nullopt;
  }
  return Candidate{.priority = priority, .address = {address->address, port}};
}

}  // namespace

ice_lite::Credentials make_credentials() {
  constexpr std::size_t kUfrag = 8;
  return {.ufrag = common::random_id().substr(0, kUfrag), .pwd = common::random_id()};
}

std::vector<dtls::UdpEndpoint> usable_candidates(const std::vector<std::string>& candidates,
                                                 const dtls::UdpEndpoint& own) {
  std::multimap<std::uint32_t, dtls::UdpEndpoint, std::greater<>> by_priority;
  for (const std::string& line : candidates) {
    const auto candidate = read_candidate(line);
    if (!candidate || candidate->address.address.index() != own.address.index()) continue;
    by_priority.emplace(candidate->priority, candidate->address);
  }
  std::vector<dtls::UdpEndpoint> addresses;
  addresses.reserve(by_priority.size());
  for (const auto& [priority, address] : by_priority) addresses.push_back(address);
  return addresses;
}

tl::expected<dtls::UdpEndpoint, std::string> address_towards(const dtls::UdpEndpoint& server) {
  const bool is_ipv6 = std::holds_alternative<dtls::Ipv6Address>(server.address);
  const auto any = is_ipv6 ? dtls::UdpEndpoint{dtls::Ipv6Address{}, 0}
                           : dtls::UdpEndpoint{dtls::Ipv4Address{}, 0};
  auto socket = udp::Socket::bind(dtls::to_socket_address(any));
  if (!socket) return tl::unexpected(socket.error());
  if (auto connected = socket->connect(dtls::to_socket_address(server)); !connected) {
    return tl::unexpected("no route to " + udp::to_string(server) + ": " + connected.error());
  }
  return dtls::UdpEndpoint{socket->own().address, 0};
}

}  // namespace sluice::interop
