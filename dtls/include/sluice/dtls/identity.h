// A certificate chain with its private key.
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

// What one side proves itself with. Immutable and cheap to copy; copies may be used by several
// threads at once.
class Identity {
 public:
  // A fresh ECDSA P-256 key and a certificate signed by itself, valid for 30 days from a day ago,
  // with a random serial number: what WebRTC endpoints use (RFC 8827 section 6.5). Takes about 0.2
  // ms.
  static Result<Identity> self_signed(Environment& environment,
                                      std::string_view common_name = "sluice");

  // PEM texts: the certificate with its issuers after it, and an unencrypted private key (RSA of at
  // least 2048 bits, ECDSA P-256 or P-384, Ed25519). Errors: invalid_certificate with libcrypto's
  // code.
  static Result<Identity> from_pem(std::string_view certificates, std::string_view private_key);
  // DER: the chain, own certificate first, and a PKCS#8 or traditional private key.
  static Result<Identity> from_der(std::span<const Bytes> certificates, Bytes private_key);

  // The certificates (PEM or DER) of a private key that is kept elsewhere, in a security module
  // say: SignatureRequested asks for what it has to sign. Errors: invalid_certificate.
  static Result<Identity> with_key_elsewhere(std::string_view certificates);
  static Result<Identity> with_key_elsewhere(std::span<const Bytes> certificates);

  // The end-entity certificate's DER; valid as long as any copy of this Identity.
  [[nodiscard]] Bytes certificate() const;
  // Whether it was made without its key.
  [[nodiscard]] bool has_key_elsewhere() const;

  // For the engine's own use.
  [[nodiscard]] const crypto::Credentials& credentials() const { return *credentials_; }

 private:
  static Result<Identity> to_identity(Result<std::shared_ptr<const crypto::Credentials>> made);
  explicit Identity(std::shared_ptr<const crypto::Credentials> credentials);
  std::shared_ptr<const crypto::Credentials> credentials_;
};

}  // namespace sluice::dtls
