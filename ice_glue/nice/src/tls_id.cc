#include "tls_id.h"

#include <array>
#include <cstddef>
#include <string_view>

#include "crypto/library.h"

namespace sluice::nice {

dtls::Result<std::string> random_tls_id(dtls::Environment& environment) {
  constexpr std::string_view kCharacters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<std::byte, 24> random{};
  if (const auto filled = environment.library().public_random(random); !filled) {
    return dtls::forward_error(filled);
  }
  std::string id;
  for (const std::byte byte : random) {
    id += kCharacters[std::to_integer<std::size_t>(byte) % kCharacters.size()];
  }
  return id;
}

}  // namespace sluice::nice
