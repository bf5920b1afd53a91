#include <sluice/dtls/pcapng.h>

#include <span>

#include "capture/udp.h"
#include "wire/writer.h"

namespace sluice::dtls {
namespace {

// Section numbers refer to draft-ietf-opsawg-pcapng.

enum class BlockType : std::uint32_t {
  interface_description = 1,  // section 4.2
  enhanced_packet = 6,        // section 4.3
  decryption_secrets = 10,    // section 4.7
  section_header = 0x0a0d0d0a,
};

// The codes of end and comment are the same in all blocks (section 3.5).
enum class OptionCode : std::uint16_t { end = 0, comment = 1, packet_flags = 2 };

// Written in network order, it marks all numbers of the section as being in network order (section
// 4.1).
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
// Each packet begins with an IP header, whose first bits are the IP version.
constexpr std::uint16_t kLinktypeRaw = 101;
constexpr std::uint32_t kTlsKeyLog = 0x544c534b;
// The values of bits 0 and 1 of a packet's flags (section 4.3.1).
constexpr std::uint32_t kInbound = 1;
constexpr std::uint32_t kOutbound = 2;
// The length field of an option has 16 bits.
constexpr std::size_t kMaxComment = 0xffff;

void pad(Buffer& out) { out.resize((out.size() + 3) / 4 * 4); }

void put_option(Buffer& body, OptionCode code, Bytes value) {
  wire::Writer out(body);
  out.code(code);
  {
    const auto vector = out.vector16();
    out.bytes(value);
  }
  pad(body);
}

// Writes a block: type, length, body, length again (section 3.1). The size of `body` must be a
// multiple of 4.
void put_block(Buffer& out_bytes, BlockType type, Bytes body) {
  const std::size_t length = 3 * sizeof(std::uint32_t) + body.size();
  wire::Writer out(out_bytes);
  out.code(type);
  out.u32(length);
  out.bytes(body);
  out.u32(length);
}

}  // namespace

PcapngWriter::PcapngWriter() {
  Buffer section;
  wire::Writer header(section);
  header.u32(kByteOrderMagic);
  header.u16(1);  // version 1.0
  header.u16(0);
  header.u32(0xffffffff);  // section length -1: unknown
  header.u32(0xffffffff);
  put_block(out_, BlockType::section_header, section);

  // Without options, timestamps are in microseconds (section 4.2).
  Buffer interface;
  wire::Writer description(interface);
  description.u16(kLinktypeRaw);
  description.u16(0);  // reserved
  description.u32(0);  // no limit: packets are never truncated
  put_block(out_, BlockType::interface_description, interface);
}

void PcapngWriter::add_packet(const PcapngPacket& packet) {
  const Buffer bytes = capture::udp_packet(packet.source, packet.destination, packet.payload);
  const auto time = static_cast<std::uint64_t>(packet.time.count());
  const auto size = static_cast<std::uint32_t>(bytes.size());
  Buffer body;
  wire::Writer out(body);
  out.u32(0);  // the only interface
  out.u32(static_cast<std::uint32_t>(time >> 32));
  out.u32(static_cast<std::uint32_t>(time));
  out.u32(size);
  out.u32(size);
  out.bytes(bytes);
  pad(body);

  Buffer flags;
  wire::Writer(flags).u32(packet.direction == Direction::received ? kInbound : kOutbound);
  put_option(body, OptionCode::packet_flags, flags);
  if (!packet.comment.empty()) {
    const auto comment = packet.comment.substr(0, kMaxComment);
    put_option(body, OptionCode::comment, std::as_bytes(std::span(comment)));
  }
  put_option(body, OptionCode::end, {});
  put_block(out_, BlockType::enhanced_packet, body);
}

void PcapngWriter::add_key_log(std::string_view lines) {
  Buffer body;
  wire::Writer out(body);
  out.u32(kTlsKeyLog);
  out.u32(lines.size());
  out.bytes(std::as_bytes(std::span(lines)));
  if (!out.ok()) return;  // no block has room for it
  pad(body);
  put_block(out_, BlockType::decryption_secrets, body);
}

}  // namespace sluice::dtls
