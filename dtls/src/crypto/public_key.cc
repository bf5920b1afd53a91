#include "crypto/public_key.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "crypto/failure.h"
#include "crypto/key_exchange.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {
namespace {

constexpr int kMinimumRsaBits = 2048;

enum class Algorithm : std::uint8_t { ecdsa, ed25519, rsa_pkcs1, rsa_pss };

struct SchemeParameters {
  Algorithm algorithm;
  const char* digest;  // null: the algorithm has its own

  [[nodiscard]] bool is_rsa() const {
    return algorithm == Algorithm::rsa_pkcs1 || algorithm == Algorithm::rsa_pss;
  }
};

constexpr std::optional<SchemeParameters> parameters_of(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::ecdsa_secp256r1_sha256:
      return SchemeParameters{Algorithm::ecdsa, "SHA256"};
    case SignatureScheme::ecdsa_secp384r1_sha384:
      return SchemeParameters{Algorithm::ecdsa, "SHA384"};
    case SignatureScheme::rsa_pkcs1_sha256:
      return SchemeParameters{Algorithm::rsa_pkcs1, "SHA256"};
    case SignatureScheme::rsa_pkcs1_sha384:
      return SchemeParameters{Algorithm::rsa_pkcs1, "SHA384"};
    case SignatureScheme::rsa_pkcs1_sha512:
      return SchemeParameters{Algorithm::rsa_pkcs1, "SHA512"};
    case SignatureScheme::rsa_pss_rsae_sha256:
      return SchemeParameters{Algorithm::rsa_pss, "SHA256"};
    case SignatureScheme::rsa_pss_rsae_sha384:
      return SchemeParameters{Algorithm::rsa_pss, "SHA384"};
    case SignatureScheme::rsa_pss_rsae_sha512:
      return SchemeParameters{Algorithm::rsa_pss, "SHA512"};
    case SignatureScheme::ed25519:
      return SchemeParameters{Algorithm::ed25519, nullptr};
  }
  return std::nullopt;
}

// Left to itself, libcrypto would take a default digest for an unknown scheme, and PKCS #1 padding
// for an ECDSA scheme with an RSA key.
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

}  // namespace

bool fits12(SignatureScheme scheme, KeyType type) {
  const auto parameters = parameters_of(scheme);
  if (!parameters) return false;
  if (parameters->algorithm == Algorithm::ed25519) return type == KeyType::ed25519;
  if (type == KeyType::ed25519) return false;
  return parameters->is_rsa() == (type == KeyType::rsa);
}

bool fits13(SignatureScheme scheme, KeyType type) {
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

EVP_PKEY* PublicKey::key(Library& library) const {
  return key_ ? key_.get() : peer_public_key(library, NamedGroup::secp256r1, p256_point_);
}

Result<void> PublicKey::verify(Library& library, SignatureScheme scheme, Bytes data,
                               Bytes signature) const {
  const auto parameters = parameters_of(scheme);
  EVP_PKEY* key = this->key(library);
  if (key == nullptr) return failure("peer_public_key");
  if (!fits(parameters, key)) return failure(Errc::bad_signature, Alert::decrypt_error, "scheme");
  EVP_MD_CTX* context = library.digest_context();
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  EVP_MD_CTX_reset(context);
  if (EVP_DigestVerifyInit_ex(context, &key_context, parameters->digest, library.context(),
                              library.properties(), key, nullptr) != 1 ||
      !set_padding(key_context, parameters->algorithm)) {
    return failure("EVP_DigestVerifyInit_ex");
  }
  const int verified =
      EVP_DigestVerify(context, octets(signature), signature.size(), octets(data), data.size());
  EVP_MD_CTX_reset(context);
  if (verified != 1) return failure(Errc::bad_signature, Alert::decrypt_error, "signature");
  return {};
}

Result<Buffer> sign(Library& library, EVP_PKEY* key, SignatureScheme scheme, Bytes data) {
  const auto parameters = parameters_of(scheme);
  EVP_MD_CTX* context = library.digest_context();
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  EVP_MD_CTX_reset(context);
  Buffer signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t size = signature.size();
  const bool made =
      fits(parameters, key) &&
      EVP_DigestSignInit_ex(context, &key_context, parameters->digest, library.context(),
                            library.properties(), key, nullptr) == 1 &&
      set_padding(key_context, parameters->algorithm) &&
      EVP_DigestSign(context, octets(MutableBytes(signature)), &size, octets(data), data.size()) ==
          1;
  EVP_MD_CTX_reset(context);
  if (!made) return failure("EVP_DigestSign");
  signature.resize(size);
  return signature;
}

}  // namespace sluice::dtls::crypto
