// NewSessionTicket of DTLS 1.3 (RFC 8446 section 4.6.1).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "message/extension_block.h"

namespace sluice::dtls::message {

struct NewSessionTicket13 {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::new_session_ticket;
  // The longest lifetime that servers may set and clients may use.
  static constexpr std::chrono::seconds kMaxLifetime = std::chrono::hours{7 * 24};

  std::chrono::seconds lifetime{};
  std::uint32_t age_add = 0;  // obfuscates the ticket's age, in milliseconds
  Bytes nonce;
  Bytes ticket;

  static std::optional<NewSessionTicket13> decode(Bytes body) {
    wire::Reader reader(body);
    NewSessionTicket13 message;
    message.lifetime = std::chrono::seconds{reader.u32()};
    message.age_add = reader.u32();
    message.nonce = reader.vector8();
    message.ticket = reader.vector16();
    const Bytes extensions = reader.vector16();
    // Extensions are ignored: early data is not supported, and others are unknown.
    if (!reader.complete() || message.ticket.empty() || !ExtensionBlock::parse(extensions)) {
      return std::nullopt;
    }
    return message;
  }
};

inline void put_new_session_ticket13(wire::Writer& out, const NewSessionTicket13& message) {
  out.u32(static_cast<std::uint64_t>(message.lifetime.count()));
  out.u32(message.age_add);
  {
    const auto vector = out.vector8();
    out.bytes(message.nonce);
  }
  {
    const auto vector = out.vector16({.min = 1});
    out.bytes(message.ticket);
  }
  out.u16(0);  // no extensions
}

}  // namespace sluice::dtls::message
