#include "crypto/public_key.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "crypto/failure.h"
#include "crypto/hash.h"
#include "crypto/key_exchange.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {
namespace {

constexpr int kMinimumRsaBits = 2048;

enum class Algorithm : std::uint8_t { ecdsa, ed25519, rsa_pkcs1, rsa_pss };

struct SchemeParameters {
  Algorithm algorithm;
  std::optional<HashAlgorithm> hash;  // empty: the algorithm includes its hash

  [[nodiscard]] bool is_rsa() const {
    return algorithm == Algorithm::rsa_pkcs1 || algorithm == Algorithm::rsa_pss;
  }
};

constexpr std::optional<SchemeParameters> parameters_of(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::ecdsa_secp256r1_sha256:
      return SchemeParameters{Algorithm::ecdsa, HashAlgorithm::sha256};
    case SignatureScheme::ecdsa_secp384r1_sha384:
      return SchemeParameters{Algorithm::ecdsa, HashAlgorithm::sha384};
    case SignatureScheme::rsa_pkcs1_sha256:
      return SchemeParameters{Algorithm::rsa_pkcs1, HashAlgorithm::sha256};
    case SignatureScheme::rsa_pkcs1_sha384:
      return SchemeParameters{Algorithm::rsa_pkcs1, HashAlgorithm::sha384};
    case SignatureScheme::rsa_pkcs1_sha512:
      return SchemeParameters{Algorithm::rsa_pkcs1, HashAlgorithm::sha512};
    case SignatureScheme::rsa_pss_rsae_sha256:
      return SchemeParameters{Algorithm::rsa_pss, HashAlgorithm::sha256};
    case SignatureScheme::rsa_pss_rsae_sha384:
      return SchemeParameters{Algorithm::rsa_pss, HashAlgorithm::sha384};
    case SignatureScheme::rsa_pss_rsae_sha512:
      return SchemeParameters{Algorithm::rsa_pss, HashAlgorithm::sha512};
    case SignatureScheme::ed25519:
      return SchemeParameters{Algorithm::ed25519, std::nullopt};
  }
  return std::nullopt;
}

// Checked here, because libcrypto would use a default digest for an unknown scheme, and PKCS #1
// padding for an ECDSA scheme with an RSA key.
bool fits(const std::optional<SchemeParameters>& parameters, const EVP_PKEY* key) {
  if (!parameters) return false;
  const bool is_ed25519 = EVP_PKEY_is_a(key, "ED25519") == 1;
  return (parameters->algorithm == Algorithm::ed25519) == is_ed25519 &&
         parameters->is_rsa() == (EVP_PKEY_is_a(key, "RSA") == 1);
}

bool set_padding(EVP_PKEY_CTX* context, Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::ecdsa:
    case Algorithm::ed25519:
      return true;
    case Algorithm::rsa_pkcs1:
      return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    case Algorithm::rsa_pss:
      // The salt is as long as the digest (RFC 8446 section 4.2.3).
      return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
  }
  return false;
}

const char* digest_name(const Library& library, const SchemeParameters& parameters) {
  return parameters.hash ? EVP_MD_get0_name(library.digest(*parameters.hash)) : nullptr;
}

Result<bool> verify_by_key(Library& library, const SchemeParameters& parameters, EVP_PKEY* key,
                           Bytes data, Bytes signature) {
  EVP_MD_CTX* context = library.digest_context();
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  EVP_MD_CTX_reset(context);
  if (EVP_DigestVerifyInit_ex(context, &key_context, digest_name(library, parameters),
                              library.context(), library.properties(), key, nullptr) != 1 ||
      !set_padding(key_context, parameters.algorithm)) {
    return failure("EVP_DigestVerifyInit_ex");
  }
  const int verified =
      EVP_DigestVerify(context, octets(signature), signature.size(), octets(data), data.size());
  EVP_MD_CTX_reset(context);
  return verified == 1;
}

// Uses existing contexts: EVP_DigestVerifyInit makes new ones, which takes longer than the hash.
Result<bool> verify_by_point(Library& library, HashAlgorithm hash, Bytes point, Bytes data,
                             Bytes signature) {
  const auto value = digest(library, hash, data);
  if (!value) return forward_error(value);
  EVP_PKEY_CTX* context = library.p256_verifier();
  if (peer_public_key(library, NamedGroup::secp256r1, point) == nullptr ||
      EVP_PKEY_verify_init(context) != 1) {
    return failure("EVP_PKEY_verify_init");
  }
  return EVP_PKEY_verify(context, octets(signature), signature.size(), octets(value->bytes()),
                         value->bytes().size()) == 1;
}

// Signs with existing contexts as well. Returns false when libcrypto fails.
bool sign_with_ecdsa(Library& library, EVP_PKEY* key, HashAlgorithm hash, Bytes data,
                     MutableBytes signature, std::size_t& size) {
  const auto value = digest(library, hash, data);
  EVP_PKEY_CTX* context = value ? library.ecdsa_signer(key) : nullptr;
  return context != nullptr && EVP_PKEY_sign(context, octets(signature), &size,
                                             octets(value->bytes()), value->bytes().size()) == 1;
}

bool sign_in_one(Library& library, EVP_PKEY* key, const SchemeParameters& parameters, Bytes data,
                 MutableBytes signature, std::size_t& size) {
  EVP_MD_CTX* context = library.digest_context();
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  EVP_MD_CTX_reset(context);
  const bool made =
      EVP_DigestSignInit_ex(context, &key_context, digest_name(library, parameters),
                            library.context(), library.properties(), key, nullptr) == 1 &&
      set_padding(key_context, parameters.algorithm) &&
      EVP_DigestSign(context, octets(signature), &size, octets(data), data.size()) == 1;
  EVP_MD_CTX_reset(context);
  return made;
}

}  // namespace

bool can_sign12(SignatureScheme scheme, KeyType type) {
  const auto parameters = parameters_of(scheme);
  if (!parameters) return false;
  if (parameters->algorithm == Algorithm::ed25519) return type == KeyType::ed25519;
  if (type == KeyType::ed25519) return false;
  return parameters->is_rsa() == (type == KeyType::rsa);
}

bool can_sign13(SignatureScheme scheme, KeyType type) {
  switch (type) {
    case KeyType::ecdsa_p256:
      return scheme == SignatureScheme::ecdsa_secp256r1_sha256;
    case KeyType::ecdsa_p384:
      return scheme == SignatureScheme::ecdsa_secp384r1_sha384;
    case KeyType::ed25519:
      return scheme == SignatureScheme::ed25519;
    case KeyType::rsa: {
      const auto parameters = parameters_of(scheme);
      return parameters && parameters->algorithm == Algorithm::rsa_pss;
    }
  }
  return false;
}

Result<KeyType> key_type(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    std::array<char, 32> group{};
    if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1) {
      const std::string_view name(group.data());
      if (name == "prime256v1" || name == "P-256") return KeyType::ecdsa_p256;
      if (name == "secp384r1" || name == "P-384") return KeyType::ecdsa_p384;
    }
  } else if (EVP_PKEY_is_a(key, "ED25519") == 1) {
    return KeyType::ed25519;
  } else if (EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) >= kMinimumRsaBits) {
    return KeyType::rsa;
  }
  return failure(Errc::unsupported_certificate, Alert::unsupported_certificate,
                 "key is none of P-256, P-384, Ed25519, RSA of 2048 bits or more");
}

PublicKey::PublicKey(Bytes p256_point) : type_(KeyType::ecdsa_p256) {
  std::ranges::copy(p256_point.first<kP256PointSize>(), p256_point_.begin());
}

Result<void> PublicKey::verify(Library& library, SignatureScheme scheme, Bytes data,
                               Bytes signature) const {
  const auto parameters = parameters_of(scheme);
  const bool is_point = key_ == nullptr;
  if (is_point ? !parameters || parameters->algorithm != Algorithm::ecdsa
               : !fits(parameters, key_.get())) {
    return failure(Errc::bad_signature, Alert::decrypt_error, "scheme");
  }
  const auto verified =
      is_point ? verify_by_point(library, *parameters->hash, p256_point_, data, signature)
               : verify_by_key(library, *parameters, key_.get(), data, signature);
  if (!verified) return forward_error(verified);
  if (!*verified) return failure(Errc::bad_signature, Alert::decrypt_error, "signature");
  return {};
}

Result<Buffer> sign(Library& library, EVP_PKEY* key, SignatureScheme scheme, Bytes data) {
  const auto parameters = parameters_of(scheme);
  if (!fits(parameters, key)) return failure("scheme");
  Buffer signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t size = signature.size();
  const bool made = parameters->algorithm == Algorithm::ecdsa
                        ? sign_with_ecdsa(library, key, *parameters->hash, data, signature, size)
                        : sign_in_one(library, key, *parameters, data, signature, size);
  if (!made) return failure("signature");
  signature.resize(size);
  return signature;
}

}  // namespace sluice::dtls::crypto
