#include "negotiation/psk_digest.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "schedule/hkdf13.h"

namespace sluice::dtls::handshake {
namespace {

constexpr std::string_view kPskLabel = "sluice psk of session 1";
constexpr std::byte kFirstBlock{1};  // HKDF-Expand's counter (RFC 5869 section 2.3)

}  // namespace

Result<PskDigest> psk_digest(crypto::Library& library, Bytes identity, Bytes key) {
  const auto extracted = schedule::hkdf_extract(library, HashAlgorithm::sha256,
                                                std::as_bytes(std::span(kPskLabel)), key);
  if (!extracted) return forward_error(extracted);
  auto hmac = crypto::Hmac::with_key(library, HashAlgorithm::sha256, extracted->bytes());
  if (!hmac) return forward_error(hmac);
  const auto expanded = hmac->compute({identity, {&kFirstBlock, 1}});
  if (!expanded) return forward_error(expanded);
  PskDigest digest{};
  std::ranges::copy(expanded->bytes().first(digest.size()), digest.begin());
  return digest;
}

}  // namespace sluice::dtls::handshake
