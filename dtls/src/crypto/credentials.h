// What an Identity holds: a chain and, unless it is kept elsewhere, the private key that belongs to
// its first certificate.
#pragma once

#include <string_view>
#include <vector>

#include <sluice/dtls/identity.h>

#include "crypto/openssl_ptr.h"
#include "crypto/public_key.h"

namespace sluice::dtls::crypto {

class Credentials {
 public:
  // Errors: invalid_certificate when key and certificate don't belong together.
  static Result<std::shared_ptr<const Credentials>> make(std::vector<Buffer> chain, KeyPtr key);
  // Of a key that isn't here.
  static Result<std::shared_ptr<const Credentials>> make_without_key(std::vector<Buffer> chain);

  [[nodiscard]] const std::vector<Buffer>& chain() const { return chain_; }
  [[nodiscard]] KeyType type() const { return type_; }
  [[nodiscard]] bool has_key() const { return key_ != nullptr; }
  // Of credentials that have their key.
  [[nodiscard]] Result<Buffer> sign(Library& library, SignatureScheme scheme, Bytes data) const {
    return crypto::sign(library, key_.get(), scheme, data);
  }

  // Whether the certificate is for a host of this name (RFC 9525 section 6.3).
  [[nodiscard]] bool is_for(std::string_view host) const;
  // Whether one of these distinguished names (DER) has signed a certificate of the chain.
  [[nodiscard]] bool is_issued_by(const std::vector<Bytes>& authorities) const;
  // What the chain's certificates are signed with.
  [[nodiscard]] const std::vector<SignatureScheme>& chain_schemes() const { return chain_schemes_; }

  // For make() alone.
  Credentials(std::vector<Buffer> chain, std::vector<CertificatePtr> certificates, KeyPtr key,
              KeyType type);

 private:
  std::vector<Buffer> chain_;
  CertificatePtr certificate_;  // the first
  KeyPtr key_;
  KeyType type_;
  std::vector<Buffer> issuers_;
  std::vector<SignatureScheme> chain_schemes_;
};

}  // namespace sluice::dtls::crypto
