#include "crypto/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "crypto/failure.h"

namespace sluice::dtls::crypto {
namespace {

tl::unexpected<Error> unreadable(std::string_view detail) {
  return failure(Errc::invalid_certificate, {}, detail);
}

Buffer name_to_der(const X509_NAME* name) {
  const unsigned char* der = nullptr;
  std::size_t size = 0;
  if (X509_NAME_get0_der(name, &der, &size) != 1) return {};
  const Bytes bytes = std::as_bytes(std::span(der, size));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

CertificatePtr parse_certificate(Bytes der, OSSL_LIB_CTX* library, const char* properties) {
  X509* target = X509_new_ex(library, properties);
  const unsigned char* at = octets(der);
  if (d2i_X509(&target, &at, static_cast<long>(der.size())) == nullptr) {
    drain_error_queue();
    return nullptr;  // d2i_X509 has freed it
  }
  CertificatePtr certificate(target);
  if (at != octets(der) + der.size()) return nullptr;
  return certificate;
}

int no_passphrase(char*, int, int, void*) { return -1; }

Result<std::vector<Buffer>> certificates_from_pem(std::string_view text) {
  const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  std::vector<Buffer> certificates;
  while (const CertificatePtr certificate{
      PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)}) {
    auto der = to_der(certificate.get());
    if (!der) return forward_error(der);
    certificates.push_back(std::move(*der));
  }
  // At the end of the text libcrypto reports a missing start line. Any other error means a damaged
  // certificate.
  const unsigned long last = ERR_peek_last_error();
  if (certificates.empty() || ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
    return unreadable("certificates: PEM");
  drain_error_queue();
  return certificates;
}

Result<Buffer> to_der(X509* certificate) {
  const int size = i2d_X509(certificate, nullptr);
  if (size <= 0) return unreadable("i2d_X509");
  Buffer der(static_cast<std::size_t>(size));
  unsigned char* at = octets(MutableBytes(der));
  if (i2d_X509(certificate, &at) != size) return unreadable("i2d_X509");
  return der;
}

Buffer subject_name(const X509* certificate) {
  return name_to_der(X509_get_subject_name(certificate));
}

Buffer issuer_name(const X509* certificate) {
  return name_to_der(X509_get_issuer_name(certificate));
}

std::optional<SignatureScheme> signature_scheme(X509* certificate) {
  int digest = NID_undef;
  int key = NID_undef;
  if (X509_get_signature_info(certificate, &digest, &key, nullptr, nullptr) != 1) {
    drain_error_queue();
    return std::nullopt;
  }
  struct Known {
    int key;
    int digest;
    SignatureScheme scheme;
  };
  static constexpr Known kKnown[] = {
      {EVP_PKEY_EC, NID_sha256, SignatureScheme::ecdsa_secp256r1_sha256},
      {EVP_PKEY_EC, NID_sha384, SignatureScheme::ecdsa_secp384r1_sha384},
      {EVP_PKEY_RSA, NID_sha256, SignatureScheme::rsa_pkcs1_sha256},
      {EVP_PKEY_RSA, NID_sha384, SignatureScheme::rsa_pkcs1_sha384},
      {EVP_PKEY_RSA, NID_sha512, SignatureScheme::rsa_pkcs1_sha512},
      {EVP_PKEY_RSA_PSS, NID_sha256, SignatureScheme::rsa_pss_rsae_sha256},
      {EVP_PKEY_RSA_PSS, NID_sha384, SignatureScheme::rsa_pss_rsae_sha384},
      {EVP_PKEY_RSA_PSS, NID_sha512, SignatureScheme::rsa_pss_rsae_sha512},
      {EVP_PKEY_ED25519, NID_undef, SignatureScheme::ed25519},
  };
  for (const Known& known : kKnown) {
    if (known.key == key && known.digest == digest) return known.scheme;
  }
  return std::nullopt;
}

}  // namespace sluice::dtls::crypto
