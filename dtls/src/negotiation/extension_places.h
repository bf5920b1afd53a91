// The messages that have extensions.
#pragma once

#include <cstdint>

namespace sluice::dtls::handshake {

// Messages of DTLS 1.3 with extensions, as a set.
enum class ExtensionPlaces : std::uint8_t {
  none = 0,
  client_hello = 1 << 0,
  server_hello = 1 << 1,
  encrypted_extensions = 1 << 2,
  hello_retry_request = 1 << 3,
  certificate_request = 1 << 4,
  certificate = 1 << 5,
  new_session_ticket = 1 << 6,
};

constexpr ExtensionPlaces operator|(ExtensionPlaces a, ExtensionPlaces b) {
  return ExtensionPlaces(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
constexpr bool have_common(ExtensionPlaces a, ExtensionPlaces b) {
  return (static_cast<std::uint8_t>(a) & static_cast<std::uint8_t>(b)) != 0;
}

// Where a server answers extensions: in DTLS 1.2 all in the ServerHello.
inline constexpr ExtensionPlaces kServersAnswers =
    ExtensionPlaces::server_hello | ExtensionPlaces::encrypted_extensions;

}  // namespace sluice::dtls::handshake
