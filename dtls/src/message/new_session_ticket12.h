// NewSessionTicket of DTLS 1.2 (RFC 5077 section 3.3).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include <sluice/dtls/bytes.h>

#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::message {

struct NewSessionTicket12 {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::new_session_ticket;

  std::chrono::seconds lifetime{};  // a hint; 0: unspecified
  Bytes ticket;                     // empty: the server issues no ticket although it announced one

  static std::optional<NewSessionTicket12> decode(Bytes body) {
    wire::Reader reader(body);
    NewSessionTicket12 message;
    message.lifetime = std::chrono::seconds{reader.u32()};
    message.ticket = reader.vector16();
    if (!reader.complete()) return std::nullopt;
    return message;
  }
};

inline void put_new_session_ticket12(wire::Writer& out, const NewSessionTicket12& message) {
  out.u32(static_cast<std::uint64_t>(message.lifetime.count()));
  const auto vector = out.vector16();
  out.bytes(message.ticket);
}

}  // namespace sluice::dtls::message
