// KeyUpdate (RFC 8446 section 4.6.3).
#pragma once

#include <optional>

#include <sluice/dtls/protocol.h>

#include "wire/reader.h"
#include "wire/types.h"

namespace sluice::dtls::message {

struct KeyUpdate {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::key_update;

  KeyUpdateRequest request{};

  static std::optional<KeyUpdate> decode(Bytes body) {
    wire::Reader reader(body);
    const KeyUpdate update{reader.code<KeyUpdateRequest>()};
    if (!reader.complete()) return std::nullopt;
    return update;
  }
};

}  // namespace sluice::dtls::message
