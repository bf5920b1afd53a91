// The floor beneath a handshake: its public-key operations by libcrypto alone, on keys and contexts
// that are as ready as they can be.
#pragma once

#include <openssl/evp.h>
#include <sluice/dtls/protocol.h>

#include <memory>
#include <vector>

namespace sluice::bench {

class Primitives {
 public:
  explicit Primitives(dtls::NamedGroup group);

  // An ephemeral key, the shared secret, an ECDSA P-256 signature made and another verified.
  void run_one_side() const;

 private:
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
  using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

  [[nodiscard]] std::vector<unsigned char> sign() const;

  KeyContext generator_;
  Key peer_;     // whose share is known
  Key signing_;  // both sides' certificate
  DigestContext digest_{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  std::vector<unsigned char> signature_;
};

}  // namespace sluice::bench
