// The contents of an Identity: a certificate chain and the private key of its first certificate, or
// only a key. The private key is absent if the application keeps it elsewhere.
#pragma once

#include <string_view>
#include <vector>

#include <sluice/dtls/identity.h>

#include "crypto/openssl_ptr.h"
#include "crypto/public_key.h"

namespace sluice::dtls::crypto {

class Credentials {
 public:
  // Errors: invalid_certificate when the key does not match the certificate.
  static Result<std::shared_ptr<const Credentials>> make(std::vector<Buffer> chain, KeyPtr key);
  // For a key that the application keeps elsewhere.
  static Result<std::shared_ptr<const Credentials>> make_without_key(std::vector<Buffer> chain);
  // Without a certificate, from a private key, or a public one if the application keeps the
  // private.
  enum class KeyPart : std::uint8_t { private_key, public_key };
  static Result<std::shared_ptr<const Credentials>> make_raw(KeyPtr key, KeyPart part);

  [[nodiscard]] const std::vector<Buffer>& chain() const { return chain_; }
  // The contents of a Certificate message of this type: the chain, or a list of one
  // SubjectPublicKeyInfo (DER). The chain may be empty.
  [[nodiscard]] const std::vector<Buffer>& contents(CertificateType type) const {
    return type == CertificateType::x509 ? chain_ : raw_public_key_;
  }
  [[nodiscard]] KeyType type() const { return type_; }
  [[nodiscard]] bool has_key() const { return key_ != nullptr; }
  // Requires has_key().
  [[nodiscard]] Result<Buffer> sign(Library& library, SignatureScheme scheme, Bytes data) const {
    return crypto::sign(library, key_.get(), scheme, data);
  }

  // Of the chain, so false without one: whether the certificate is for a host of this name (RFC
  // 9525 section 6.3).
  [[nodiscard]] bool is_for(std::string_view host) const;
  // Whether the chain has a certificate whose issuer is one of these distinguished names (DER).
  [[nodiscard]] bool is_issued_by(const std::vector<Bytes>& authorities) const;
  // The signature schemes of the chain's certificates, self-issued ones excepted.
  [[nodiscard]] const std::vector<SignatureScheme>& chain_schemes() const { return chain_schemes_; }

  // Called by make() only.
  Credentials(std::vector<Buffer> chain, std::vector<CertificatePtr> certificates,
              Buffer public_key, KeyPtr key, KeyType type);

 private:
  std::vector<Buffer> chain_;
  std::vector<Buffer> raw_public_key_;
  CertificatePtr certificate_;  // the first; null without a chain
  KeyPtr key_;
  KeyType type_;
  std::vector<Buffer> issuers_;
  std::vector<SignatureScheme> chain_schemes_;
};

}  // namespace sluice::dtls::crypto
