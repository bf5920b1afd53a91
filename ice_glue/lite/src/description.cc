#include <sluice/ice_lite/description.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <variant>

namespace sluice::ice_lite {
namespace {

std::string text_of(const dtls::Ipv4Address& address) {
  std::string text;
  for (const std::uint8_t byte : address) {
    if (!text.empty()) text += '.';
    text += std::to_string(byte);
  }
  return text;
}

// RFC 4291 section 2.2, all eight groups: a reader need not know abbreviations.
std::string text_of(const dtls::Ipv6Address& address) {
  std::string text;
  for (std::size_t i = 0; i < address.size(); i += 2) {
    std::array<char, 4> group{};
    const unsigned value = unsigned{address[i]} << 8 | address[i + 1];
    const auto end = std::to_chars(group.data(), group.data() + group.size(), value, 16).ptr;
    if (!text.empty()) text += ':';
    text.append(group.data(), end);
  }
  return text;
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
         std::visit([](const auto& address) { return text_of(address); },
                    announced.address.address) +
         " " + std::to_string(announced.address.port) + " typ host" +
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
