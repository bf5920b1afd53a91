// A certificate chain, or a raw public key, with its private key.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include <sluice/dtls/environment.h>
#include <sluice/dtls/error.h>

namespace sluice::dtls {

namespace crypto {
class Credentials;
}

// A certificate chain, or a raw public key, and its private key. Immutable, cheap to copy; copies
// may be used by several threads at once.
class Identity {
 public:
  // A new ECDSA P-256 key with a self-signed certificate, valid from one day ago for 30 days, with
  // a random serial number, as WebRTC endpoints use (RFC 8827 section 6.5). Takes about 0.2 ms.
  // Errors: libcrypto_failure.
  static Result<Identity> self_signed(Environment& environment,
                                      std::string_view common_name = "sluice");

  // PEM: the certificate followed by its issuers, up to 16 in all, and an unencrypted private key
  // (RSA of 2048 bits or more, ECDSA P-256 or P-384, Ed25519). Errors: invalid_certificate with
  // libcrypto's error code.
  static Result<Identity> from_pem(std::string_view certificates, std::string_view private_key);
  // DER: the chain, own certificate first, and a private key in PKCS#8 or its traditional form.
  static Result<Identity> from_der(std::span<const Bytes> certificates, Bytes private_key);

  // The certificates (PEM or DER) of a private key that is kept elsewhere, such as in an HSM:
  // SignatureRequested then asks for each signature. Errors: invalid_certificate.
  static Result<Identity> with_key_elsewhere(std::string_view certificates);
  static Result<Identity> with_key_elsewhere(std::span<const Bytes> certificates);

  // A key without a certificate, for CertificateType::raw_public_key (RFC 7250): the private key as
  // from_pem() and from_der() take it. Errors: invalid_certificate.
  static Result<Identity> raw_public_key(std::string_view private_key);
  static Result<Identity> raw_public_key(Bytes private_key);
  // The same for a private key that is kept elsewhere: its SubjectPublicKeyInfo in DER.
  static Result<Identity> raw_public_key_elsewhere(Bytes public_key);

  // The end-entity certificate in DER; empty without one. Valid as long as any copy of this
  // Identity lives, as is public_key().
  [[nodiscard]] Bytes certificate() const;
  // The SubjectPublicKeyInfo in DER, which the Identity sends as a raw public key. Its Fingerprint
  // is what the peer must expect.
  [[nodiscard]] Bytes public_key() const;
  // Whether the private key is kept elsewhere.
  [[nodiscard]] bool has_key_elsewhere() const;

  // Internal: for the engine only.
  [[nodiscard]] const crypto::Credentials& credentials() const { return *credentials_; }

 private:
  static Result<Identity> to_identity(Result<std::shared_ptr<const crypto::Credentials>> made);
  explicit Identity(std::shared_ptr<const crypto::Credentials> credentials);
  std::shared_ptr<const crypto::Credentials> credentials_;
};

}  // namespace sluice::dtls
