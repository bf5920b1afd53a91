#include "support/pcapng_file.h"

#include <sstream>
#include <stdexcept>

namespace sluice::test {
namespace {

using dtls::Bytes;

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

// Takes numbers in network order off the front.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : rest_(bytes) {}

  Bytes take(std::size_t size) {
    require(size <= rest_.size(), "too short");
    const Bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (const std::byte byte : take(size)) value = value << 8 | std::to_integer<unsigned>(byte);
    return value;
  }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  // So many bytes, and the zeros up to a multiple of 4.
  Bytes padded(std::size_t size) {
    const Bytes taken = take(size);
    for (const std::byte zero : take((4 - size % 4) % 4)) require(zero == std::byte{0}, "padding");
    return taken;
  }
  [[nodiscard]] bool more() const { return !rest_.empty(); }
  [[nodiscard]] Bytes rest() const { return rest_; }

 private:
  Bytes rest_;
};

dtls::Buffer copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

// One's complement, of what holds its own checksum: 0xffff.
std::uint32_t sum_of(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum;
}

void read_udp(Bytes datagram, CapturedPacket& packet) {
  dtls::Buffer summed = packet.source;
  summed.insert(summed.end(), packet.destination.begin(), packet.destination.end());
  for (const std::size_t part :
       {std::size_t{0}, std::size_t{17}, datagram.size() >> 8, datagram.size() & 0xff}) {
    summed.push_back(static_cast<std::byte>(part));
  }
  summed.insert(summed.end(), datagram.begin(), datagram.end());
  require(sum_of(summed) == 0xffff, "UDP checksum");

  Cursor udp(datagram);
  packet.source_port = udp.u16();
  packet.destination_port = udp.u16();
  require(udp.u16() == datagram.size(), "UDP length");
  require(udp.u16() != 0, "no UDP checksum");
  packet.payload = copy(udp.rest());
}

void read_ip(Bytes bytes, CapturedPacket& packet) {
  Cursor ip(bytes);
  const std::uint8_t first = ip.u8();
  packet.ip_version = first >> 4;
  if (packet.ip_version == 4) {
    require(first == 0x45 && sum_of(bytes.first(20)) == 0xffff, "IPv4 header");
    require(ip.u8() == 0 && ip.u16() == bytes.size(), "IPv4 length");
    ip.take(5);  // identification, fragments, time to live
    require(ip.u8() == 17, "protocol");
    ip.take(2);
    packet.source = copy(ip.take(4));
    packet.destination = copy(ip.take(4));
  } else {
    require(packet.ip_version == 6, "IP version");
    ip.take(3);
    require(ip.u16() == bytes.size() - 40, "IPv6 length");
    require(ip.u8() == 17, "protocol");
    ip.take(1);
    packet.source = copy(ip.take(16));
    packet.destination = copy(ip.take(16));
  }
  read_udp(ip.rest(), packet);
}

CapturedPacket read_packet(Bytes body) {
  CapturedPacket packet{};
  Cursor block(body);
  require(block.u32() == 0, "interface");
  packet.time = block.number(8);
  const std::uint32_t captured = block.u32();
  require(block.u32() == captured, "cut");
  read_ip(block.padded(captured), packet);
  while (true) {
    const std::uint16_t code = block.u16();
    const Bytes value = block.padded(block.u16());
    if (code == 0) break;
    if (code == 1) packet.comment.assign(reinterpret_cast<const char*>(value.data()), value.size());
    if (code == 2) packet.flags = Cursor(value).u32();
  }
  require(!block.more(), "behind the options");
  return packet;
}

void read_secrets(Bytes body, PcapngFile& file) {
  Cursor block(body);
  require(block.u32() == 0x544c534b, "kind of secrets");
  const Bytes text = block.padded(block.u32());
  require(!block.more(), "behind the secrets");
  if (file.key_log.empty()) file.packets_before_key_log = file.packets.size();
  std::istringstream lines(std::string(reinterpret_cast<const char*>(text.data()), text.size()));
  for (std::string line; std::getline(lines, line);) file.key_log.push_back(line);
}

}  // namespace

PcapngFile read_pcapng(Bytes bytes) {
  PcapngFile file;
  Cursor rest(bytes);
  while (rest.more()) {
    const std::uint32_t type = rest.u32();
    const std::uint32_t length = rest.u32();
    require(length >= 12 && length % 4 == 0, "block length");
    const Bytes body = rest.take(length - 12);
    require(rest.u32() == length, "block length at the end");
    require(file.blocks.empty() == (type == 0x0a0d0d0a), "section header");
    file.blocks.push_back({type, copy(body)});
    if (type == 6) file.packets.push_back(read_packet(body));
    if (type == 10) read_secrets(body, file);
  }
  return file;
}

}  // namespace sluice::test
