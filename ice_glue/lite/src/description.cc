#include <sluice/ice_lite/description.h>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <variant>

namespace sluice::ice_lite {
namespace {

// RFC 5952: the one form of an IPv6 address. Some peers compare it as text with that of a socket.
std::string text_of(const dtls::UdpEndpoint& endpoint) {
  const int family =
      std::holds_alternative<dtls::Ipv6Address>(endpoint.address) ? AF_INET6 : AF_INET;
  const auto* bytes = std::visit([](const auto& address) -> const void* { return address.data(); },
                                 endpoint.address);
  std::array<char, INET6_ADDRSTRLEN> text{};
  return inet_ntop(family, bytes, text.data(), text.size());
}

}  // namespace

std::string candidate(const AnnouncedAddress& announced, std::uint16_t preference) {
  // RFC 8445 section 5.1.2.1: host candidates, component 1.
  constexpr std::uint32_t kHost = 126;
  // RFC 6544 section 4.2: less, where UDP is preferred. That of libwebrtc, below all of its UDP.
  constexpr std::uint32_t kHostTcp = 90;
  // The same section: the direction-pref of a passive candidate, above 13 bits of other-pref.
  constexpr std::uint32_t kPassive = 4U << 13;
  constexpr std::uint32_t kOtherPreference = 0x1fff;
  constexpr std::uint32_t kComponent = 1;
  const bool is_tcp = announced.transport == CandidateTransport::tcp_passive;
  const std::uint32_t local = is_tcp ? kPassive | (preference & kOtherPreference) : preference;
  const std::uint32_t priority =
      ((is_tcp ? kHostTcp : kHost) << 24) + (local << 8) + (256 - kComponent);
  // RFC 8445 section 5.1.1.3: the foundation differs with the transport.
  return "candidate:" + std::string(is_tcp ? "tcp" : "") + std::to_string(preference) + " 1 " +
         (is_tcp ? "TCP" : "udp") + " " + std::to_string(priority) + " " +
         text_of(announced.address) + " " + std::to_string(announced.address.port) + " typ host" +
         (is_tcp ? " tcptype passive" : "");
}

std::string media_lines(const Credentials& local, std::span<const AnnouncedAddress> announced) {
  std::string lines = "a=ice-ufrag:" + local.ufrag + "\r\na=ice-pwd:" + local.pwd + "\r\n";
  std::uint16_t preference = std::numeric_limits<std::uint16_t>::max();
  for (const AnnouncedAddress& each : announced) {
    lines += "a=" + candidate(each, preference) + "\r\n";
    preference = std::max<std::uint16_t>(preference, 1) - 1;
  }
  return lines + "a=end-of-candidates\r\n";
}

}  // namespace sluice::ice_lite
