// Messages without inner structure: ServerHelloDone (RFC 5246 section 7.4.5), Finished (7.4.9).
#pragma once

#include <optional>

#include <sluice/dtls/bytes.h>

#include "wire/types.h"

namespace sluice::dtls::message {

struct ServerHelloDone {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::server_hello_done;

  static std::optional<ServerHelloDone> decode(Bytes body) {
    if (!body.empty()) return std::nullopt;
    return ServerHelloDone{};
  }
};

struct Finished {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::finished;

  Bytes verify_data;

  static std::optional<Finished> decode(Bytes body) { return Finished{body}; }
};

}  // namespace sluice::dtls::message
