#include "support/authority.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <stdexcept>

#include "support/der.h"
#include "support/endpoints.h"

namespace sluice::test {
namespace {

using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;

Key make_key(KeyKind kind) {
  const auto make = [&]() -> EVP_PKEY* {
    switch (kind) {
      case KeyKind::p256:
        return EVP_EC_gen("P-256");
      case KeyKind::p384:
        return EVP_EC_gen("P-384");
      case KeyKind::ed25519:
        return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
      case KeyKind::rsa_2048:
        return EVP_RSA_gen(2048);
      case KeyKind::rsa_1024:
        return EVP_RSA_gen(1024);
    }
    return nullptr;
  };
  return {make(), EVP_PKEY_free};
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  if (extension == nullptr) throw std::runtime_error("X509V3_EXT_conf_nid: " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

enum class Kind : bool { leaf, authority };

// Without an issuer it signs itself.
Certificate make_certificate(const CertificateText& text, Kind kind, const Key& key,
                             const Certificate& issuer, const Key& signer) {
  static long serial = 1;
  Certificate certificate(X509_new(), X509_free);
  X509* x509 = certificate.get();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(x509), text.valid_from);
  X509_gmtime_adj(X509_getm_notAfter(x509), text.valid_from + text.valid_for);
  X509_set_pubkey(x509, key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(text.name.c_str()), -1, -1, 0);
  X509* by = issuer ? issuer.get() : x509;
  X509_set_issuer_name(x509, X509_get_subject_name(by));
  const bool signs = kind == Kind::authority;
  add_extension(x509, by, NID_basic_constraints, signs ? "critical,CA:TRUE" : "CA:FALSE");
  if (!text.alternative.empty()) add_extension(x509, by, NID_subject_alt_name, text.alternative);
  if (!text.usage.empty()) add_extension(x509, by, NID_ext_key_usage, text.usage);
  const bool is_ed25519 = EVP_PKEY_is_a(signer.get(), "ED25519") == 1;
  const EVP_MD* digest = is_ed25519 ? nullptr : EVP_get_digestbyname(text.digest);
  if (X509_sign(x509, signer.get(), digest) == 0) throw std::runtime_error("X509_sign");
  return certificate;
}

std::vector<dtls::Bytes> views_of(const std::vector<dtls::Buffer>& chain) {
  return {chain.begin(), chain.end()};
}

}  // namespace

Authority::Authority(const std::string& name, KeyKind key)
    : key_(make_key(key)),
      certificate_(make_certificate({.name = name}, Kind::authority, key_, nullptr, key_)) {}

Authority::Authority(const Authority& issuer, const std::string& name)
    : key_(make_key(KeyKind::p256)),
      certificate_(make_certificate({.name = name}, Kind::authority, key_, issuer.certificate_,
                                    issuer.key_)),
      chain_(issuer.chain_) {
  chain_.insert(chain_.begin(), certificate());
}

Authority::Issued Authority::make_leaf(const CertificateText& text) const {
  Issued issued{make_key(text.key), {}};
  const auto leaf = make_certificate(text, Kind::leaf, issued.key, certificate_, key_);
  issued.chain = chain_;
  issued.chain.insert(issued.chain.begin(), der_of(leaf.get(), i2d_X509));
  return issued;
}

dtls::Identity Authority::issue(const CertificateText& text) const {
  const Issued issued = make_leaf(text);
  return must(
      dtls::Identity::from_der(views_of(issued.chain), der_of(issued.key.get(), i2d_PrivateKey)));
}

dtls::Identity Authority::issue_elsewhere(const CertificateText& text, Key& key) const {
  const Issued issued = make_leaf(text);
  key = issued.key;
  return must(dtls::Identity::with_key_elsewhere(views_of(issued.chain)));
}

dtls::TrustStore Authority::store(dtls::TrustStore::Time at) const {
  const dtls::Buffer der = certificate();
  return must(dtls::TrustStore::from_der(std::array{dtls::Bytes(der)}, at));
}

dtls::Buffer Authority::certificate() const { return der_of(certificate_.get(), i2d_X509); }

dtls::Buffer Authority::name() const {
  return der_of(X509_get_subject_name(certificate_.get()), i2d_X509_NAME);
}

dtls::Buffer sign_elsewhere(EVP_PKEY* key, dtls::SignatureScheme scheme, dtls::Bytes content) {
  using dtls::SignatureScheme;
  const EVP_MD* digest = scheme == SignatureScheme::ed25519                  ? nullptr
                         : scheme == SignatureScheme::ecdsa_secp384r1_sha384 ? EVP_sha384()
                                                                             : EVP_sha256();
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  EVP_PKEY_CTX* parameters = nullptr;
  if (EVP_DigestSignInit(context.get(), &parameters, digest, nullptr, key) != 1) {
    throw std::runtime_error("EVP_DigestSignInit");
  }
  if (scheme == SignatureScheme::rsa_pss_rsae_sha256) {
    EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST);
  }
  dtls::Buffer signature(512);
  std::size_t size = signature.size();
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     reinterpret_cast<const unsigned char*>(content.data()), content.size()) != 1) {
    throw std::runtime_error("EVP_DigestSign");
  }
  signature.resize(size);
  return signature;
}

}  // namespace sluice::test
