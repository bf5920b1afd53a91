// Records and messages as anybody on the path can write them.
#pragma once

#include "message/handshake_fragment.h"
#include "record/header12.h"

namespace sluice::test {

inline dtls::Buffer plaintext_record(dtls::wire::ContentType type, dtls::Bytes contents,
                                     std::uint64_t sequence = 1000) {
  dtls::Buffer record(dtls::record::kHeaderSize12);
  const dtls::record::Header12 header{type, dtls::ProtocolVersion::dtls12,
                                      dtls::wire::kPlaintextEpoch,
                                      dtls::wire::SequenceNumber{sequence}, contents.size()};
  header.encode(record);
  record.insert(record.end(), contents.begin(), contents.end());
  return record;
}

// A fragment of a message of `length` bytes.
inline dtls::Buffer fragment_of(dtls::wire::HandshakeType type, unsigned seq, std::uint32_t length,
                                std::uint32_t offset, dtls::Bytes body) {
  dtls::Buffer fragment(dtls::message::kHandshakeHeaderSize);
  const dtls::message::HandshakeHeader header{
      type, length, dtls::wire::MessageSeq{static_cast<std::uint16_t>(seq)}, offset,
      static_cast<std::uint32_t>(body.size())};
  header.encode(fragment);
  fragment.insert(fragment.end(), body.begin(), body.end());
  return fragment;
}
inline dtls::Buffer message_of(dtls::wire::HandshakeType type, unsigned seq, dtls::Bytes body) {
  return fragment_of(type, seq, static_cast<std::uint32_t>(body.size()), 0, body);
}

}  // namespace sluice::test
