#include "crypto/key_exchange.h"

#include <openssl/core_names.h>

#include "crypto/failure.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {
namespace {

constexpr std::size_t kX25519Size = 32;
constexpr std::byte kUncompressed{0x04};

constexpr std::size_t share_size(NamedGroup group) {
  switch (group) {
    case NamedGroup::x25519:
      return kX25519Size;
    case NamedGroup::secp256r1:
      return 65;
    case NamedGroup::secp384r1:
      return 97;
  }
  return 0;
}

KeyPtr peer_key(Library& library, NamedGroup group, Bytes share) {
  if (share.size() != share_size(group)) return nullptr;
  if (group != NamedGroup::x25519) return public_key_from_point(library, group, share);
  return KeyPtr(EVP_PKEY_new_raw_public_key_ex(library.context(), "X25519", library.properties(),
                                               octets(share), share.size()));
}

}  // namespace

KeyPtr public_key_from_point(Library& library, NamedGroup group, Bytes point) {
  // libcrypto would also take infinity, compressed and hybrid forms; RFC 8422 section 5.4 has only
  // the uncompressed one. What it does check is that the point lies on the curve.
  if (point.size() != share_size(group) || point.front() != kUncompressed) return nullptr;
  KeyPtr key(EVP_PKEY_dup(const_cast<EVP_PKEY*>(library.curve(group))));
  if (!key || EVP_PKEY_set1_encoded_public_key(key.get(), octets(point), point.size()) != 1) {
    drain_error_queue();
    return nullptr;
  }
  return key;
}

Result<EphemeralKey> EphemeralKey::generate(Library& library, NamedGroup group) {
  EVP_PKEY* key = nullptr;
  EVP_PKEY_CTX* generator = library.generator(group);
  if (generator == nullptr || EVP_PKEY_generate(generator, &key) != 1) {
    return failure("EVP_PKEY_generate");
  }
  return EphemeralKey(group, KeyPtr(key));
}

Result<KeyShare> EphemeralKey::share() const {
  KeyShare share;
  if (EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                      octets(MutableBytes(share.bytes_)), share.bytes_.size(),
                                      &share.size_) != 1) {
    return failure("encoded public key");
  }
  return share;
}

Result<SharedSecret> EphemeralKey::derive(Library& library, Bytes peer) const {
  const KeyPtr peer_public = peer_key(library, group_, peer);
  if (!peer_public)
    return failure(Errc::bad_key_share, Alert::illegal_parameter, "peer's public key");
  const KeyContextPtr context(
      EVP_PKEY_CTX_new_from_pkey(library.context(), key_.get(), library.properties()));
  if (!context || EVP_PKEY_derive_init(context.get()) != 1) return failure("EVP_PKEY_derive_init");
  SharedSecret secret(SharedSecret::capacity());
  std::size_t size = secret.size();
  // The point has been checked when it was set (0: not once more, which costs as much as the rest);
  // an all-zero X25519 secret makes derive fail (RFC 8422 section 5.11).
  if (EVP_PKEY_derive_set_peer_ex(context.get(), peer_public.get(), 0) != 1 ||
      EVP_PKEY_derive(context.get(), octets(secret.bytes()), &size) != 1) {
    return failure(Errc::bad_key_share, Alert::illegal_parameter, "EVP_PKEY_derive");
  }
  return SharedSecret(std::as_const(secret).bytes().first(size));
}

}  // namespace sluice::dtls::crypto
