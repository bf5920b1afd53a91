#include "crypto/key_exchange.h"

#include <openssl/core_names.h>

#include "crypto/failure.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {
namespace {

constexpr std::size_t kX25519Size = 32;
constexpr std::byte kUncompressed{0x04};
// FIPS 203 section 8, table 3.
constexpr std::size_t kMlKem768KeySize = 1184;
constexpr std::size_t kMlKem768CiphertextSize = 1088;

// The size of the share that generate() makes.
constexpr std::size_t share_size(NamedGroup group) {
  switch (group) {
    case NamedGroup::x25519:
      return kX25519Size;
    case NamedGroup::secp256r1:
      return 65;
    case NamedGroup::secp384r1:
      return 97;
    case NamedGroup::x25519_mlkem768:
      return kMlKem768KeySize + kX25519Size;
  }
  return 0;
}

constexpr std::size_t answer_size(NamedGroup group) {
  return is_kem(group) ? kMlKem768CiphertextSize + kX25519Size : share_size(group);
}

constexpr bool has_points(NamedGroup group) {
  return group == NamedGroup::secp256r1 || group == NamedGroup::secp384r1;
}

// libcrypto checks that the coefficients of the encapsulation key are in range (FIPS 203 section
// 7.2).
KeyPtr encapsulation_key(Library& library, NamedGroup group, Bytes share) {
  if (share.size() != share_size(group)) return nullptr;
  return KeyPtr(EVP_PKEY_new_raw_public_key_ex(library.context(), "X25519MLKEM768",
                                               library.properties(), octets(share), share.size()));
}

tl::unexpected<Error> bad_share(std::string_view detail) {
  return failure(Errc::bad_key_share, Alert::illegal_parameter, detail);
}

Result<SharedSecret> agree(EVP_PKEY_CTX* context, EVP_PKEY* peer) {
  if (EVP_PKEY_derive_init(context) != 1) return failure("EVP_PKEY_derive_init");
  SharedSecret secret(SharedSecret::capacity());
  std::size_t size = secret.size();
  // libcrypto checked the point when it was set. The argument 0 omits a second check, which costs
  // as much as the rest. derive fails for an all-zero X25519 secret (RFC 8422 section 5.11).
  if (EVP_PKEY_derive_set_peer_ex(context, peer, 0) != 1 ||
      EVP_PKEY_derive(context, octets(secret.bytes()), &size) != 1) {
    return bad_share("EVP_PKEY_derive");
  }
  return SharedSecret(std::as_const(secret).bytes().first(size));
}

// Fails for an all-zero X25519 secret, as encapsulate_kem() does. It does not fail for a ciphertext
// that was made for another key (FIPS 203 section 6.3): the two sides then get different secrets.
Result<SharedSecret> decapsulate(EVP_PKEY_CTX* context, Bytes ciphertext) {
  if (EVP_PKEY_decapsulate_init(context, nullptr) != 1) return failure("EVP_PKEY_decapsulate_init");
  SharedSecret secret(SharedSecret::capacity());
  std::size_t size = secret.size();
  if (EVP_PKEY_decapsulate(context, octets(secret.bytes()), &size, octets(ciphertext),
                           ciphertext.size()) != 1) {
    return bad_share("EVP_PKEY_decapsulate");
  }
  return SharedSecret(std::as_const(secret).bytes().first(size));
}

}  // namespace

EVP_PKEY* peer_public_key(Library& library, NamedGroup group, Bytes share) {
  // libcrypto also accepts infinity, compressed and hybrid points; RFC 8422 section 5.4 allows only
  // the uncompressed form. libcrypto does check that the point is on the curve.
  if (share.size() != share_size(group) || (has_points(group) && share.front() != kUncompressed)) {
    return nullptr;
  }
  EVP_PKEY* key = library.peer_key(group);
  if (key == nullptr || EVP_PKEY_set1_encoded_public_key(key, octets(share), share.size()) != 1) {
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
  if (peer.size() != answer_size(group_)) return bad_share("peer's share");
  EVP_PKEY* peer_public = is_kem(group_) ? nullptr : peer_public_key(library, group_, peer);
  if (!is_kem(group_) && peer_public == nullptr) return bad_share("peer's public key");
  const KeyContextPtr context(
      EVP_PKEY_CTX_new_from_pkey(library.context(), key_.get(), library.properties()));
  if (!context) return failure("EVP_PKEY_CTX_new_from_pkey");
  return is_kem(group_) ? decapsulate(context.get(), peer) : agree(context.get(), peer_public);
}

Result<Encapsulated> EphemeralKey::encapsulate(Library& library, NamedGroup group, Bytes peer) {
  if (is_kem(group)) return encapsulate_kem(library, group, peer);
  const auto key = generate(library, group);
  if (!key) return forward_error(key);
  const auto share = key->share();
  if (!share) return forward_error(share);
  return key->derive(library, peer).map([&](SharedSecret secret) {
    return Encapsulated{*share, std::move(secret)};
  });
}

Result<Encapsulated> EphemeralKey::encapsulate_kem(Library& library, NamedGroup group, Bytes peer) {
  const KeyPtr key = encapsulation_key(library, group, peer);
  if (!key) return bad_share("peer's encapsulation key");
  const KeyContextPtr context(
      EVP_PKEY_CTX_new_from_pkey(library.context(), key.get(), library.properties()));
  if (!context || EVP_PKEY_encapsulate_init(context.get(), nullptr) != 1) {
    return failure("EVP_PKEY_encapsulate_init");
  }
  Encapsulated made{{}, SharedSecret(SharedSecret::capacity())};
  made.share.size_ = made.share.bytes_.size();
  std::size_t size = made.secret.size();
  if (EVP_PKEY_encapsulate(context.get(), octets(MutableBytes(made.share.bytes_)),
                           &made.share.size_, octets(made.secret.bytes()), &size) != 1) {
    return bad_share("EVP_PKEY_encapsulate");
  }
  made.secret = SharedSecret(std::as_const(made.secret).bytes().first(size));
  return made;
}

}  // namespace sluice::dtls::crypto
