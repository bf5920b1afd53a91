// The protocol of a datagram on ICE's socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <sluice/dtls/bytes.h>

namespace sluice::transport {

// RFC 7983 section 7 with RFC 9443 section 4, by the first byte.
enum class PacketClass : std::uint8_t {
  stun,          // 0-3
  zrtp,          // 16-19
  dtls,          // 20-63: all of it, the unified headers of DTLS 1.3 are 32-63 (RFC 9147 section 4)
  turn_channel,  // 64-79
  quic,          // 80-127 and 192-255
  rtp,           // 128-191, RTP and RTCP: srtp::is_rtcp() tells them apart
  unknown,       // 4-15, or an empty datagram
};
inline constexpr std::size_t kPacketClasses = 7;

constexpr PacketClass classify(dtls::Bytes datagram) {
  if (datagram.empty()) return PacketClass::unknown;
  const auto first = std::to_integer<unsigned>(datagram.front());
  if (first >= 128 && first <= 191) return PacketClass::rtp;  // nearly all
  if (first <= 3) return PacketClass::stun;
  if (first <= 15) return PacketClass::unknown;
  if (first <= 19) return PacketClass::zrtp;
  if (first <= 63) return PacketClass::dtls;
  if (first <= 79) return PacketClass::turn_channel;
  return PacketClass::quic;
}

std::string_view to_string(PacketClass packet_class);

}  // namespace sluice::transport
