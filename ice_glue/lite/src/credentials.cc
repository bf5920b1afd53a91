#include "credentials.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "crypto/library.h"

namespace sluice::ice_lite {
namespace {

constexpr std::string_view kIceChars =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kMostChars = 256;

// RFC 8445 section 5.3 asks for 24 and 128 random bits at least, of 6 for each character. A server
// with many sessions needs more for the ufrag, which must be unique.
constexpr std::size_t kUfragChars = 8;
constexpr std::size_t kPwdChars = 24;

bool are_ice_chars(std::string_view text, std::size_t least) {
  return text.size() >= least && text.size() <= kMostChars &&
         text.find_first_not_of(kIceChars) == std::string_view::npos;
}

dtls::Error invalid(const char* field) {
  return {.code = dtls::Errc::invalid_config, .detail = field};
}

}  // namespace

bool is_valid_ufrag(std::string_view ufrag) { return are_ice_chars(ufrag, 4); }
bool is_valid_pwd(std::string_view pwd) { return are_ice_chars(pwd, 22); }

dtls::Result<Credentials> random_credentials(dtls::Environment& environment) {
  dtls::Secret<kUfragChars + kPwdChars> random(kUfragChars + kPwdChars);
  if (const auto filled = environment.library().random(random.bytes()); !filled) {
    return tl::unexpected(filled.error());
  }
  Credentials made;
  for (const std::byte byte : random.bytes()) {
    auto& text = made.ufrag.size() < kUfragChars ? made.ufrag : made.pwd;
    text += kIceChars[std::to_integer<std::size_t>(byte) % kIceChars.size()];
  }
  return made;
}

dtls::Result<LocalCredentials> LocalCredentials::make(dtls::Environment& environment,
                                                      const Credentials& local,
                                                      std::string remote_ufrag,
                                                      IceGeneration generation) {
  if (!is_valid_ufrag(local.ufrag)) return tl::unexpected(invalid("local.ufrag"));
  if (!is_valid_pwd(local.pwd)) return tl::unexpected(invalid("local.pwd"));
  if (!remote_ufrag.empty() && !is_valid_ufrag(remote_ufrag)) {
    return tl::unexpected(invalid("remote_ufrag"));
  }
  auto key = stun::IntegrityKey::make(environment, local.pwd);
  if (!key) return tl::unexpected(key.error());
  const auto pwd = std::as_bytes(std::span(local.pwd));
  return LocalCredentials{.ufrag = local.ufrag,
                          .pwd = dtls::SecretBytes(dtls::Buffer(pwd.begin(), pwd.end())),
                          .key = std::move(*key),
                          .remote_ufrag = std::move(remote_ufrag),
                          .generation = generation};
}

Credentials LocalCredentials::text() const {
  Credentials text{.ufrag = ufrag, .pwd = {}};
  for (const std::byte byte : pwd.bytes()) text.pwd += std::to_integer<char>(byte);
  return text;
}

}  // namespace sluice::ice_lite
