#include "init_chunk.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "chunks.h"

namespace sluice::data_channel {
namespace {

constexpr std::size_t kChecksumOffset = 8;
// Tag, window, streams in both directions, TSN.
constexpr std::size_t kInitFields = 16;
constexpr std::uint16_t kStateCookie = 7;

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // reflected

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
    table[i] = value;
  }
  return table;
}
constexpr auto kTable = make_table();

Buffer common_header(std::uint32_t tag, std::uint16_t peer_port, std::uint16_t own_port) {
  Buffer packet;
  append_u16(packet, peer_port);
  append_u16(packet, own_port);
  append_u32(packet, tag);
  append_u32(packet, 0);  // checksum
  return packet;
}

// Padded to whole words, with its checksum.
Buffer finished(Buffer packet) {
  packet.resize(padded(packet.size()));
  set_checksum(packet);
  return packet;
}

// The value of a parameter; empty: there is none.
Bytes find_parameter(Bytes parameters, std::uint16_t type) {
  while (parameters.size() >= 4) {
    const std::size_t size = load_u16(parameters, 2);
    if (size < 4 || size > parameters.size()) break;
    if (load_u16(parameters, 0) == type) return parameters.first(size).subspan(4);
    parameters = parameters.subspan(std::min(padded(size), parameters.size()));
  }
  return {};
}

}  // namespace

std::uint32_t crc32c(Bytes bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::byte byte : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xff];
  }
  return ~crc;
}

void set_checksum(MutableBytes packet) {
  const auto field = packet.subspan(kChecksumOffset, 4);
  std::ranges::fill(field, std::byte{0});
  const std::uint32_t crc = crc32c(packet);
  // The lowest byte comes first (RFC 9260 appendix A).
  for (std::size_t i = 0; i < 4; ++i) field[i] = std::byte(crc >> (8 * i) & 0xff);
}

Bytes init_chunk_of(Bytes packet) {
  if (packet.size() < kCommonHeader) return {};
  const Bytes chunk = packet.subspan(kCommonHeader);
  return is_init_chunk(chunk) ? chunk : Bytes{};
}

bool is_init_chunk(Bytes chunk) {
  if (chunk.size() < kChunkHeader + kInitFields || chunk.size() > kMaxInit ||
      ChunkType{load_u8(chunk, 0)} != ChunkType::init) {
    return false;
  }
  const std::size_t length = load_u16(chunk, 2);
  // The last parameter's padding may be missing; it is not part of the length.
  if (length < kChunkHeader + kInitFields || length > chunk.size() || chunk.size() - length > 3) {
    return false;
  }
  // RFC 9260 section 3.3.2: a tag or a number of streams of 0 is an error.
  if (load_u32(chunk, 4) == 0 || load_u16(chunk, 12) == 0 || load_u16(chunk, 14) == 0) return false;
  Bytes parameters = chunk.first(length).subspan(kChunkHeader + kInitFields);
  while (!parameters.empty()) {
    if (parameters.size() < 4) return false;
    const std::size_t size = load_u16(parameters, 2);
    if (size < 4 || size > parameters.size()) return false;
    parameters = parameters.subspan(std::min(padded(size), parameters.size()));
  }
  return true;
}

Buffer make_init(Bytes peer_init, std::uint16_t peer_port, std::uint16_t own_port) {
  Buffer packet = common_header(0, peer_port, own_port);  // an INIT has no tag
  append(packet, peer_init.first(load_u16(peer_init, 2)));
  return finished(std::move(packet));
}

Buffer make_cookie_echo(Bytes own_init, Bytes init_ack, std::uint16_t peer_port,
                        std::uint16_t own_port) {
  if (init_ack.size() < kCommonHeader + kChunkHeader + kInitFields) return {};
  const Bytes chunk = init_ack.subspan(kCommonHeader);
  if (ChunkType{load_u8(chunk, 0)} != ChunkType::init_ack) return {};
  const Bytes cookie = find_parameter(chunk.subspan(kChunkHeader + kInitFields), kStateCookie);
  if (cookie.empty()) return {};
  Buffer packet = common_header(load_u32(own_init, kChunkHeader), peer_port, own_port);
  append_u8(packet, static_cast<std::uint8_t>(ChunkType::cookie_echo));
  append_u8(packet, 0);
  append_u16(packet, static_cast<std::uint16_t>(kChunkHeader + cookie.size()));
  append(packet, cookie);
  return finished(std::move(packet));
}

}  // namespace sluice::data_channel
