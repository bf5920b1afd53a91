// NewConnectionId and RequestConnectionId (RFC 9147 section 9).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <sluice/dtls/connection_id.h>

#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::message {

enum class ConnectionIdUsage : std::uint8_t { cid_immediate = 0, cid_spare = 1 };

struct NewConnectionId {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::new_connection_id;
  // No peer needs so many. The limit bounds the memory.
  static constexpr std::size_t kMaxIds = 255;

  std::vector<Bytes> ids;  // of more than kMaxIds only the first
  ConnectionIdUsage usage{};

  static std::optional<NewConnectionId> decode(Bytes body) {
    wire::Reader reader(body);
    NewConnectionId message;
    wire::Reader ids(reader.vector16());
    message.usage = reader.code<ConnectionIdUsage>();
    if (!reader.complete()) return std::nullopt;
    while (ids.more()) {
      const Bytes id = ids.vector8();
      if (message.ids.size() < kMaxIds) message.ids.push_back(id);
    }
    return ids.complete() ? std::optional(std::move(message)) : std::nullopt;
  }
};

inline void put_new_connection_id(wire::Writer& out, std::span<const ConnectionId> ids,
                                  ConnectionIdUsage usage) {
  {
    const auto list = out.vector16();
    for (const ConnectionId& id : ids) {
      const auto vector = out.vector8();
      out.bytes(id.bytes());
    }
  }
  out.code(usage);
}

struct RequestConnectionId {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::request_connection_id;

  std::uint8_t count = 0;  // num_cids

  static std::optional<RequestConnectionId> decode(Bytes body) {
    wire::Reader reader(body);
    const RequestConnectionId message{reader.u8()};
    return reader.complete() ? std::optional(message) : std::nullopt;
  }
};

inline void put_request_connection_id(wire::Writer& out, std::uint64_t count) { out.u8(count); }

}  // namespace sluice::dtls::message
