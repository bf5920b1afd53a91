// What an Identity holds: a chain and the private key that belongs to its first certificate.
#pragma once

#include <vector>

#include <sluice/dtls/identity.h>

#include "crypto/openssl_ptr.h"
#include "crypto/public_key.h"

namespace sluice::dtls::crypto {

class Credentials {
 public:
  // Errors: invalid_certificate when key and certificate don't belong together.
  static Result<std::shared_ptr<const Credentials>> make(std::vector<Buffer> chain, KeyPtr key);

  Credentials(std::vector<Buffer> chain, KeyPtr key, KeyType type)
      : chain_(std::move(chain)), key_(std::move(key)), type_(type) {}

  [[nodiscard]] const std::vector<Buffer>& chain() const { return chain_; }
  [[nodiscard]] KeyType type() const { return type_; }
  [[nodiscard]] Result<Buffer> sign(Library& library, SignatureScheme scheme, Bytes data) const {
    return crypto::sign(library, key_.get(), scheme, data);
  }

 private:
  std::vector<Buffer> chain_;
  KeyPtr key_;
  KeyType type_;
};

}  // namespace sluice::dtls::crypto
