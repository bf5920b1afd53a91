// The chunks of an SCTP packet (RFC 9260 section 3).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "byte_order.h"

namespace sluice::data_channel {

inline constexpr std::size_t kCommonHeader = 12;
inline constexpr std::size_t kTagOffset = 4;
inline constexpr std::size_t kChunkHeader = 4;

enum class ChunkType : std::uint8_t {
  data = 0,
  init = 1,
  init_ack = 2,
  sack = 3,
  heartbeat = 4,
  cookie_echo = 10,
  cookie_ack = 11,
  reconfig = 130,
  forward_tsn = 192,
};

// Lengths and padding are of whole words.
constexpr std::size_t padded(std::size_t size) { return (size + 3) / 4 * 4; }

// Calls visit(ChunkType, value) for each up to the first malformed one.
template <class Visit>
void for_each_chunk(Bytes packet, const Visit& visit) {
  Bytes rest = packet.subspan(std::min(kCommonHeader, packet.size()));
  while (rest.size() >= kChunkHeader) {
    const std::size_t size = load_u16(rest, 2);
    if (size < kChunkHeader || size > rest.size()) return;
    visit(ChunkType{load_u8(rest, 0)}, rest.first(size).subspan(kChunkHeader));
    rest = rest.subspan(std::min(padded(size), rest.size()));
  }
}

}  // namespace sluice::data_channel
