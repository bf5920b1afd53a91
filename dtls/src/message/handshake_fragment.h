// The header of a handshake message's fragment (RFC 6347 section 4.2.2).
#pragma once

#include <cstdint>
#include <optional>

#include <sluice/dtls/bytes.h>

#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::message {

inline constexpr std::size_t kHandshakeHeaderSize = 12;
// The longest body, whose length has 24 bits.
inline constexpr std::size_t kMaxBody = (std::size_t{1} << 24) - 1;

struct HandshakeHeader {
  wire::HandshakeType type{};
  std::uint32_t length = 0;  // of the whole message, at most 2^24 - 1
  wire::MessageSeq message_seq{};
  std::uint32_t fragment_offset = 0;
  std::uint32_t fragment_length = 0;

  // Length and offset must be at most kMaxBody.
  void encode(MutableBytes out) const {
    wire::store(out.first(1), wire::value_of(type));
    wire::store(out.subspan(1, 3), length);
    wire::store(out.subspan(4, 2), wire::value_of(message_seq));
    wire::store(out.subspan(6, 3), fragment_offset);
    wire::store(out.subspan(9, 3), fragment_length);
  }
};

struct HandshakeFragment {
  HandshakeHeader header;
  Bytes body;           // header.fragment_length bytes
  Bytes encoding = {};  // header and body; empty if it was not read from a record

  // Whether it is the whole message.
  [[nodiscard]] bool is_whole() const { return body.size() == header.length; }

  // Reads the next fragment of a record, which may contain several. Empty when the record ends
  // early or the fragment exceeds its message.
  static std::optional<HandshakeFragment> take(wire::Reader& record) {
    HandshakeFragment fragment;
    const Bytes from_here = record.rest();
    fragment.header.type = record.code<wire::HandshakeType>();
    fragment.header.length = record.u24();
    fragment.header.message_seq = record.code<wire::MessageSeq>();
    fragment.header.fragment_offset = record.u24();
    fragment.header.fragment_length = record.u24();
    fragment.body = record.bytes(fragment.header.fragment_length);
    if (!record.ok()) return std::nullopt;
    // No overflow: both are below 2^24.
    if (fragment.header.fragment_offset + fragment.header.fragment_length >
        fragment.header.length) {
      return std::nullopt;
    }
    fragment.encoding = from_here.first(from_here.size() - record.rest().size());
    return fragment;
  }
};

// Appends a whole message, unfragmented; `encode` writes its body. False, and nothing is appended,
// when something does not fit.
template <class Encode>
[[nodiscard]] bool put_message(Buffer& out, wire::HandshakeType type, wire::MessageSeq seq,
                               Encode&& encode) {
  const std::size_t start = out.size();
  out.resize(start + kHandshakeHeaderSize);
  wire::Writer writer(out);
  encode(writer);
  const std::size_t body = out.size() - start - kHandshakeHeaderSize;
  if (!writer.ok() || body > kMaxBody) {
    out.resize(start);
    return false;
  }
  const auto length = static_cast<std::uint32_t>(body);
  HandshakeHeader{type, length, seq, 0, length}.encode(MutableBytes(out).subspan(start));
  return true;
}

}  // namespace sluice::dtls::message
