// The record header of DTLS 1.2 and of DTLS 1.3's plaintext records (RFC 6347 section 4.1), with
// the connection ID of RFC 9146 section 4.
#pragma once

#include <algorithm>
#include <optional>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/connection_id.h>
#include <sluice/dtls/protocol.h>

#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::record {

// The size of a header without a connection ID.
inline constexpr std::size_t kHeaderSize12 = 13;
// The position of epoch and sequence number in any header.
inline constexpr std::size_t kRecordNumberAt12 = 3;
inline constexpr std::size_t kRecordNumberSize12 = 8;

// The largest TLSPlaintext.length and TLSCiphertext.length (RFC 5246 section 6.2).
inline constexpr std::size_t kMaxPlaintext = 16384;
inline constexpr std::size_t kMaxCiphertext12 = kMaxPlaintext + 2048;

// The outer type of records with a connection ID (RFC 9146 section 4). The content type is inside.
inline constexpr wire::ContentType kTls12Cid{25};
// Where the ID is in such a record.
inline constexpr std::size_t kConnectionIdAt12 = 11;

struct Header12 {
  wire::ContentType type{};
  ProtocolVersion version{};
  wire::Epoch epoch{};  // 16 bits here
  wire::SequenceNumber sequence{};
  std::size_t length = 0;
  Bytes connection_id = {};  // not empty in records of type tls12_cid, and only there

  [[nodiscard]] std::size_t size() const { return kHeaderSize12 + connection_id.size(); }

  // The header of the first record of `datagram`, into which `connection_id` points. Empty when the
  // datagram ends before the header does. `own_cid_size` is the size of the connection ID that this
  // side has asked for; 0: none, and tls12_cid is an unknown content type like others.
  static std::optional<Header12> decode(Bytes datagram, std::size_t own_cid_size = 0) {
    wire::Reader reader(datagram);
    Header12 header;
    header.type = reader.code<wire::ContentType>();
    header.version = reader.code<ProtocolVersion>();
    header.epoch = wire::Epoch{reader.u16()};
    header.sequence = wire::SequenceNumber{reader.u48()};
    if (header.type == kTls12Cid) header.connection_id = reader.bytes(own_cid_size);
    header.length = reader.u16();
    if (!reader.ok()) return std::nullopt;
    return header;
  }

  // Writes size() bytes.
  void encode(MutableBytes out) const {
    wire::store(out.first(1), wire::value_of(type));
    wire::store(out.subspan(1, 2), wire::value_of(version));
    wire::store(out.subspan(3, 2), wire::value_of(epoch));
    wire::store(out.subspan(5, 6), wire::value_of(sequence));
    std::ranges::copy(connection_id, out.begin() + kConnectionIdAt12);
    wire::store(out.subspan(kConnectionIdAt12 + connection_id.size(), 2), length);
  }
};

}  // namespace sluice::dtls::record
