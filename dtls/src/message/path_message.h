// The messages of the return routability check (RFC 9853 section 4).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "wire/reader.h"

namespace sluice::dtls::message {

enum class PathMessageType : std::uint8_t { path_challenge = 0, path_response = 1, path_drop = 2 };

using PathCookie = std::array<std::byte, 8>;

struct PathMessage {
  static constexpr std::size_t kSize = sizeof(PathMessageType) + sizeof(PathCookie);

  PathMessageType type{};
  PathCookie cookie{};

  // Empty for other types, which are to be ignored, and for messages of another size.
  static std::optional<PathMessage> decode(Bytes record) {
    wire::Reader reader(record);
    PathMessage message;
    message.type = reader.code<PathMessageType>();
    const Bytes cookie = reader.bytes(message.cookie.size());
    if (!reader.complete() || message.type > PathMessageType::path_drop) return std::nullopt;
    std::ranges::copy(cookie, message.cookie.begin());
    return message;
  }

  // Of what decode() does not take: whether it is no message at all, or a challenge of another
  // size. Invalid answers are discarded instead (RFC 9853 section 5.4).
  static bool is_malformed(Bytes record) {
    return record.empty() ||
           record.front() == static_cast<std::byte>(PathMessageType::path_challenge);
  }

  [[nodiscard]] std::array<std::byte, kSize> encode() const {
    std::array<std::byte, kSize> bytes{static_cast<std::byte>(type)};
    std::ranges::copy(cookie, bytes.begin() + sizeof type);
    return bytes;
  }
};

}  // namespace sluice::dtls::message
