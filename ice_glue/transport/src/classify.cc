#include <sluice/transport/classify.h>

namespace sluice::transport {

std::string_view to_string(PacketClass packet_class) {
  switch (packet_class) {
    case PacketClass::stun:
      return "stun";
    case PacketClass::zrtp:
      return "zrtp";
    case PacketClass::dtls:
      return "dtls";
    case PacketClass::turn_channel:
      return "turn_channel";
    case PacketClass::quic:
      return "quic";
    case PacketClass::rtp:
      return "rtp";
    case PacketClass::unknown:
      return "unknown";
  }
  return "unknown";
}

}  // namespace sluice::transport
