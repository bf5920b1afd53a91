// The alert protocol (RFC 5246 section 7.2).
#pragma once

#include <array>
#include <optional>

#include <sluice/dtls/protocol.h>

#include "wire/reader.h"

namespace sluice::dtls::message {

enum class AlertLevel : std::uint8_t { warning = 1, fatal = 2 };

struct AlertMessage {
  AlertLevel level{};
  Alert description{};

  static std::optional<AlertMessage> decode(Bytes record) {
    wire::Reader reader(record);
    AlertMessage alert;
    alert.level = reader.code<AlertLevel>();
    alert.description = reader.code<Alert>();
    const bool known_level = alert.level == AlertLevel::warning || alert.level == AlertLevel::fatal;
    if (!reader.complete() || !known_level) return std::nullopt;
    return alert;
  }

  // Whether the sender ends the connection by it. DTLS 1.3 ignores the level: all alerts except
  // user_canceled do (RFC 8446 section 6).
  [[nodiscard]] bool ends_connection(bool speaks13) const {
    return level == AlertLevel::fatal || description == Alert::close_notify ||
           (speaks13 && description != Alert::user_canceled);
  }

  [[nodiscard]] std::array<std::byte, 2> encode() const {
    return {static_cast<std::byte>(level), static_cast<std::byte>(description)};
  }
};

}  // namespace sluice::dtls::message
