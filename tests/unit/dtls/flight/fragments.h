// Handshake messages and their pieces.
#pragma once

#include <vector>

#include "flight/reassembler.h"
#include "support/bytes.h"

namespace sluice::test {

// What a fragment says about its message, and which part of it it is.
struct Piece {
  std::uint16_t seq = 0;
  std::size_t offset = 0;
  std::size_t length = 0;
  dtls::wire::HandshakeType type = dtls::wire::HandshakeType::certificate;
};

// A message's body and what can be cut off it.
class Message {
 public:
  explicit Message(dtls::Buffer body) : body_(std::move(body)) {}
  explicit Message(std::size_t size) : body_(counted(size)) {}

  [[nodiscard]] std::string body() const { return to_hex(body_); }
  [[nodiscard]] std::size_t size() const { return body_.size(); }

  // Views this message.
  [[nodiscard]] dtls::message::HandshakeFragment cut(const Piece& piece) const {
    return {
        {piece.type, static_cast<std::uint32_t>(body_.size()), dtls::wire::MessageSeq{piece.seq},
         static_cast<std::uint32_t>(piece.offset), static_cast<std::uint32_t>(piece.length)},
        dtls::Bytes(body_).subspan(piece.offset, piece.length)};
  }
  [[nodiscard]] dtls::message::HandshakeFragment whole(std::uint16_t seq = 0) const {
    return cut({.seq = seq, .offset = 0, .length = body_.size()});
  }

 private:
  dtls::Buffer body_;
};

// What came of a fragment.
inline std::string words_for(const dtls::Result<dtls::flight::Reassembler::Outcome>& outcome) {
  using Outcome = dtls::flight::Reassembler::Outcome;
  if (!outcome) return std::string(to_string(outcome.error().code));
  switch (*outcome) {
    case Outcome::kept:
      return "kept";
    case Outcome::stale:
      return "stale";
    case Outcome::full:
      return "full";
    case Outcome::plaintext:
      return "plaintext";
    case Outcome::replaced:
      return "replaced";
  }
  return "?";
}

// The due message's body in hexadecimal, if it is whole; it is then taken.
inline std::string take(dtls::flight::Reassembler& reassembler) {
  const auto message = reassembler.front();
  if (!message) return "none";
  std::string body = to_hex(message->body());
  reassembler.pop();
  return body;
}

}  // namespace sluice::test
