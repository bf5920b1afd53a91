// The record header of DTLS 1.2 and of DTLS 1.3's plaintext (RFC 6347 section 4.1).
#pragma once

#include <optional>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/protocol.h>

#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::record {

inline constexpr std::size_t kHeaderSize12 = 13;
// TLSPlaintext.length and what protection may add to it (RFC 5246 section 6.2).
inline constexpr std::size_t kMaxPlaintext = 16384;
inline constexpr std::size_t kMaxCiphertext12 = kMaxPlaintext + 2048;

struct Header12 {
  wire::ContentType type{};
  ProtocolVersion version{};
  wire::Epoch epoch{};  // 16 bits here
  wire::SequenceNumber sequence{};
  std::size_t length = 0;

  static std::optional<Header12> decode(Bytes datagram) {
    wire::Reader reader(datagram);
    Header12 header;
    header.type = reader.code<wire::ContentType>();
    header.version = reader.code<ProtocolVersion>();
    header.epoch = wire::Epoch{reader.u16()};
    header.sequence = wire::SequenceNumber{reader.u48()};
    header.length = reader.u16();
    if (!reader.ok()) return std::nullopt;
    return header;
  }

  void encode(MutableBytes out) const {
    wire::store(out.first(1), wire::value_of(type));
    wire::store(out.subspan(1, 2), wire::value_of(version));
    wire::store(out.subspan(3, 2), wire::value_of(epoch));
    wire::store(out.subspan(5, 6), wire::value_of(sequence));
    wire::store(out.subspan(11, 2), length);
  }
};

}  // namespace sluice::dtls::record
