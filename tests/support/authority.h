// Certificate authorities, and what they sign, made by libcrypto alone.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sluice/dtls/identity.h>
#include <sluice/dtls/trust_store.h>

#include <memory>
#include <string>
#include <vector>

namespace sluice::test {

enum class KeyKind : std::uint8_t { p256, p384, ed25519, rsa_2048, rsa_1024 };

// What a certificate says, beyond its key.
struct CertificateText {
  std::string name = "test";     // the subject's common name
  std::string alternative = {};  // subjectAltName, as "DNS:example.org" or "IP:192.0.2.1"
  std::string usage = {};        // extendedKeyUsage, as "serverAuth"; empty: any
  KeyKind key = KeyKind::p256;
  const char* digest = "SHA256";  // that the issuer signs with; null for Ed25519
  long valid_from = -3600;        // seconds from now
  long valid_for = 7200;
};

// One that signs. Immutable.
class Authority {
 public:
  // A root.
  explicit Authority(const std::string& name, KeyKind key = KeyKind::p256);
  // One below `issuer`.
  Authority(const Authority& issuer, const std::string& name);

  // A fresh key and its certificate, with the authorities between it and the root in the chain.
  [[nodiscard]] dtls::Identity issue(const CertificateText& text) const;
  // The same with the key in `key`, and not in the identity.
  [[nodiscard]] dtls::Identity issue_elsewhere(const CertificateText& text,
                                               std::shared_ptr<EVP_PKEY>& key) const;
  // Trusts this one.
  [[nodiscard]] dtls::TrustStore store(dtls::TrustStore::Time at = {}) const;
  [[nodiscard]] dtls::Buffer certificate() const;
  // The distinguished name (DER).
  [[nodiscard]] dtls::Buffer name() const;

 private:
  struct Issued {
    std::shared_ptr<EVP_PKEY> key;
    std::vector<dtls::Buffer> chain;
  };
  [[nodiscard]] Issued make_leaf(const CertificateText& text) const;

  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
  std::vector<dtls::Buffer> chain_;  // what goes behind a leaf: empty for a root
};

// What a signer elsewhere makes of a SignatureRequested's content.
dtls::Buffer sign_elsewhere(EVP_PKEY* key, dtls::SignatureScheme scheme, dtls::Bytes content);

}  // namespace sluice::test
