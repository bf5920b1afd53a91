// The unified header of DTLS 1.3's encrypted records (RFC 9147 section 4).
#pragma once

#include <cstdint>
#include <optional>

#include <sluice/dtls/bytes.h>

#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::record {

// RFC 8446 section 5.2.
inline constexpr std::size_t kMaxCiphertext13 = 16384 + 256;

// The header that this engine writes, as browsers do: flags, sequence number of 2 bytes, length. A
// connection ID comes on top.
inline constexpr std::size_t kHeaderSize13 = 5;

// 0 0 1 C S L E E: connection ID, sequence number of 16 bits, length, low bits of the epoch.
inline constexpr unsigned kFixedBits = 0x20;
inline constexpr unsigned kFixedBitsMask = 0xe0;
inline constexpr unsigned kConnectionId = 0x10;
inline constexpr unsigned kLongSequence = 0x08;
inline constexpr unsigned kLengthPresent = 0x04;
inline constexpr unsigned kEpochMask = 0x03;
// Where the connection ID is in a record.
inline constexpr std::size_t kConnectionIdAt13 = 1;

// The header as received: its sequence number is still encrypted.
struct Header13 {
  std::uint8_t flags = 0;
  std::size_t size = 0;           // of the header
  std::size_t cid_size = 0;       // of the connection ID, which follows the flags
  std::size_t sequence_at = 0;    // offset of the sequence number in the header
  std::size_t sequence_size = 0;  // 1 or 2 bytes
  std::size_t length = 0;         // of what follows the header

  static bool is_unified(std::byte first) {
    return (std::to_integer<unsigned>(first) & kFixedBitsMask) == kFixedBits;
  }

  // Of the record that begins with this header; empty: it has none.
  [[nodiscard]] Bytes connection_id_in(Bytes record) const {
    return record.subspan(kConnectionIdAt13, cid_size);
  }
  [[nodiscard]] bool matches(wire::Epoch epoch) const {
    return (wire::value_of(epoch) & kEpochMask) == (flags & unsigned{kEpochMask});
  }

  // The header of the first record of `datagram`, which starts with a unified header. Empty when
  // the datagram ends before the record does. A record without a length ends with the datagram.
  // `own_cid_size` is the size of the connection ID that this side has asked for; with 0 a header
  // whose C bit is set has no known size and cannot be read.
  static std::optional<Header13> decode(Bytes datagram, std::size_t own_cid_size = 0) {
    wire::Reader reader(datagram);
    Header13 header;
    header.flags = reader.u8();
    if ((header.flags & kConnectionId) != 0) {
      if (own_cid_size == 0) return std::nullopt;
      header.cid_size = own_cid_size;
      reader.bytes(own_cid_size);
    }
    header.sequence_at = 1 + header.cid_size;
    header.sequence_size = (header.flags & kLongSequence) != 0 ? 2 : 1;
    reader.bytes(header.sequence_size);
    const bool has_length = (header.flags & kLengthPresent) != 0;
    const std::size_t length = has_length ? reader.u16() : 0;
    header.length = has_length ? length : reader.rest().size();
    header.size = datagram.size() - reader.rest().size();
    if (!reader.ok() || header.length > reader.rest().size()) return std::nullopt;
    return header;
  }
};

// The number nearest to `expected` that ends in the bytes received (RFC 9147 section 4.2.2).
constexpr std::uint64_t reconstruct_sequence(std::uint64_t expected, std::uint64_t low_bits,
                                             std::size_t width_in_bytes) {
  const std::uint64_t range = std::uint64_t{1} << 8 * width_in_bytes;
  const std::uint64_t candidate = (expected & ~(range - 1)) | low_bits;
  if (candidate + range / 2 < expected) return candidate + range;
  if (candidate > expected + range / 2 && candidate >= range) return candidate - range;
  return candidate;
}

}  // namespace sluice::dtls::record
