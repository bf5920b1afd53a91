// Keys and certificates of every kind, made by libcrypto alone.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "crypto/openssl_ptr.h"
#include "support/bytes.h"
#include "support/der.h"

namespace sluice::test {

using dtls::crypto::BioPtr;
using dtls::crypto::CertificatePtr;
using dtls::crypto::KeyPtr;

inline KeyPtr rsa_key(unsigned bits) { return KeyPtr(EVP_RSA_gen(bits)); }
inline KeyPtr ec_key(const char* curve) { return KeyPtr(EVP_EC_gen(curve)); }
inline KeyPtr ed448_key() { return KeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448")); }

// Keys that take long to make, once a program.
inline EVP_PKEY* p256() {
  static const KeyPtr kKey = ec_key("P-256");
  return kKey.get();
}
inline EVP_PKEY* p384() {
  static const KeyPtr kKey = ec_key("P-384");
  return kKey.get();
}
inline EVP_PKEY* rsa2048() {
  static const KeyPtr kKey = rsa_key(2048);
  return kKey.get();
}

struct CertificateOptions {
  long version = X509_VERSION_3;
  bool extensions = false;
};

// Signed by its own key.
inline CertificatePtr make_x509(EVP_PKEY* key, const CertificateOptions& options = {}) {
  CertificatePtr certificate(X509_new());
  X509* x509 = certificate.get();
  X509_set_version(x509, options.version);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 0x1234567);
  X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
  X509_set_pubkey(x509, key);
  static constexpr unsigned char kName[] = "test";
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC, kName, -1, -1, 0);
  X509_set_issuer_name(x509, X509_get_subject_name(x509));
  if (options.extensions) {
    for (const auto& [nid, value] : {std::pair(NID_basic_constraints, "critical,CA:TRUE"),
                                     std::pair(NID_subject_alt_name, "DNS:example.org")}) {
      X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
      X509_add_ext(x509, extension, -1);
      X509_EXTENSION_free(extension);
    }
  }
  const bool hashes_itself = EVP_PKEY_is_a(key, "RSA") != 1 && EVP_PKEY_is_a(key, "EC") != 1;
  if (X509_sign(x509, key, hashes_itself ? nullptr : EVP_sha256()) == 0) {
    throw std::runtime_error("X509_sign");
  }
  return certificate;
}

inline dtls::Buffer make_certificate(EVP_PKEY* key, const CertificateOptions& options = {}) {
  return der_of(make_x509(key, options).get(), i2d_X509);
}

// What write(bio) writes.
template <class Write>
std::string pem_of(Write write) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (write(bio.get()) != 1) throw std::runtime_error("PEM");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

inline std::string certificate_pem(EVP_PKEY* key) {
  const CertificatePtr certificate = make_x509(key);
  return pem_of([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
}
inline std::string key_pem(EVP_PKEY* key) {
  return pem_of([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}
// As it was before PKCS#8: "BEGIN EC PRIVATE KEY", "BEGIN RSA PRIVATE KEY".
inline std::string traditional_key_pem(EVP_PKEY* key) {
  return pem_of([&](BIO* bio) {
    return PEM_write_bio_PrivateKey_traditional(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

}  // namespace sluice::test
