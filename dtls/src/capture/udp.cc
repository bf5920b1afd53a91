#include "capture/udp.h"

#include <algorithm>
#include <span>

#include "wire/writer.h"

namespace sluice::dtls::capture {
namespace {

constexpr std::size_t kHeaderSize4 = 20;   // RFC 791 section 3.1
constexpr std::size_t kUdpHeaderSize = 8;  // RFC 768
constexpr std::uint8_t kUdp = 17;          // protocol number
constexpr std::uint8_t kHops = 64;         // arbitrary
constexpr std::size_t kChecksumAt4 = 10;   // in the IPv4 header
constexpr std::size_t kUdpChecksumAt = 6;  // in the UDP header
constexpr std::uint16_t kDontFragment = 0x4000;
// The largest payload that the length fields of both IP versions allow.
constexpr std::size_t kMaxPayload = 65535 - kHeaderSize4 - kUdpHeaderSize;

// The Internet checksum (RFC 1071) of the concatenated parts. Each part except the last has an even
// size.
std::uint16_t checksum(std::initializer_list<Bytes> parts) {
  std::uint64_t sum = 0;
  for (const Bytes part : parts) {
    for (std::size_t i = 0; i < part.size(); ++i) {
      const auto byte = std::to_integer<std::uint64_t>(part[i]);
      sum += i % 2 == 0 ? byte << 8 : byte;
    }
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// Writes an address for an IPv6 header; an IPv4 address is mapped (RFC 4291 section 2.5.5.2).
void put_v6(wire::Writer& out, const UdpEndpoint& endpoint) {
  if (const auto* v6 = std::get_if<Ipv6Address>(&endpoint.address)) {
    return out.bytes(std::as_bytes(std::span(*v6)));
  }
  out.bytes(Buffer(10));
  out.u16(0xffff);
  out.bytes(std::as_bytes(std::span(std::get<Ipv4Address>(endpoint.address))));
}

void put_ipv4_header(wire::Writer& out, Bytes source, Bytes destination, std::size_t length) {
  out.u8(0x45);  // version 4, a header of 5 words
  out.u8(0);     // default type of service
  out.u16(kHeaderSize4 + length);
  out.u16(0);  // identification: the packet is not fragmented
  out.u16(kDontFragment);
  out.u8(kHops);
  out.u8(kUdp);
  out.u16(0);  // the checksum, stored below
  out.bytes(source);
  out.bytes(destination);
}

// The IPv6 header (RFC 8200 section 3).
void put_ipv6_header(wire::Writer& out, Bytes source, Bytes destination, std::size_t length) {
  out.u32(6U << 28);  // version 6; traffic class and flow label 0
  out.u16(length);
  out.u8(kUdp);
  out.u8(kHops);
  out.bytes(source);
  out.bytes(destination);
}

}  // namespace

Buffer udp_packet(const UdpEndpoint& source, const UdpEndpoint& destination, Bytes payload) {
  payload = payload.first(std::min(payload.size(), kMaxPayload));
  const std::size_t length = kUdpHeaderSize + payload.size();
  Buffer packet;
  wire::Writer out(packet);
  Buffer addresses;
  wire::Writer pair(addresses);
  const auto* source4 = std::get_if<Ipv4Address>(&source.address);
  const auto* destination4 = std::get_if<Ipv4Address>(&destination.address);
  if (source4 != nullptr && destination4 != nullptr) {
    pair.bytes(std::as_bytes(std::span(*source4)));
    pair.bytes(std::as_bytes(std::span(*destination4)));
    put_ipv4_header(out, Bytes(addresses).first(4), Bytes(addresses).last(4), length);
    wire::store(MutableBytes(packet).subspan(kChecksumAt4, 2), checksum({packet}));
  } else {
    put_v6(pair, source);
    put_v6(pair, destination);
    put_ipv6_header(out, Bytes(addresses).first(16), Bytes(addresses).last(16), length);
  }
  const std::size_t udp_at = packet.size();
  out.u16(source.port);
  out.u16(destination.port);
  out.u16(length);
  out.u16(0);  // the checksum, stored below
  out.bytes(payload);

  // The rest of the pseudo-header, in a form whose checksum is the same for both IP versions:
  // protocol and length follow the addresses.
  Buffer pseudo;
  wire::Writer(pseudo).u16(kUdp);
  wire::Writer(pseudo).u16(length);
  const std::uint16_t sum = checksum({addresses, pseudo, Bytes(packet).subspan(udp_at)});
  // RFC 768: 0 would mean that there is no checksum.
  wire::store(MutableBytes(packet).subspan(udp_at + kUdpChecksumAt, 2), sum == 0 ? 0xffff : sum);
  return packet;
}

}  // namespace sluice::dtls::capture
