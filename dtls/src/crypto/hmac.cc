#include "crypto/hmac.h"

#include "crypto/failure.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {

Result<Hmac> Hmac::with_key(Library& library, HashAlgorithm hash, Bytes key) {
  EVP_MAC_CTX* context = library.hmac_context(hash);
  // To EVP_MAC_init a null key means the one from before, not the empty one.
  static constexpr unsigned char kEmpty = 0;
  const unsigned char* const bytes = key.empty() ? &kEmpty : octets(key);
  if (EVP_MAC_init(context, bytes, key.size(), nullptr) != 1) return failure("EVP_MAC_init");
  return Hmac(hash, context);
}

Hmac::~Hmac() {
  static constexpr std::array<unsigned char, kMaxHashSize> kNoKey{};
  if (context_ != nullptr) EVP_MAC_init(context_, kNoKey.data(), kNoKey.size(), nullptr);
}

Result<Digest> Hmac::compute(std::initializer_list<Bytes> parts) const {
  // Without a key, EVP_MAC_init starts over under the present one.
  if (EVP_MAC_init(context_, nullptr, 0, nullptr) != 1) return failure("EVP_MAC_init");
  for (const Bytes part : parts) {
    if (EVP_MAC_update(context_, octets(part), part.size()) != 1) return failure("EVP_MAC_update");
  }
  Digest value(hash_);
  std::size_t size = 0;
  if (EVP_MAC_final(context_, octets(value.bytes()), &size, value.bytes().size()) != 1) {
    return failure("EVP_MAC_final");
  }
  return value;
}

}  // namespace sluice::dtls::crypto
