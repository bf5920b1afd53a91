// What Environment holds of libcrypto: a library context, fetched algorithms, reusable contexts.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include <sluice/dtls/environment.h>
#include <sluice/dtls/protocol.h>

#include "crypto/aead.h"
#include "crypto/injected_random.h"
#include "crypto/openssl_ptr.h"
#include "crypto/warm_list.h"

namespace sluice::dtls::crypto {

// Whose keys are in the Library's HMAC contexts.
struct HmacKeys {
  unsigned deferred_wipes = 0;  // that live
  std::array<bool, 4> left{};   // an ended Hmac's, by hash
};

// Used by one thread at a time, as its contexts are shared by all who call.
class Library {
 public:
  static Result<std::unique_ptr<Library>> make(const Environment::Options& options);

  [[nodiscard]] OSSL_LIB_CTX* context() const { return context_; }
  // Null when there is none, as libcrypto wants it.
  [[nodiscard]] const char* properties() const {
    return properties_.empty() ? nullptr : properties_.c_str();
  }

  [[nodiscard]] const EVP_MD* digest(HashAlgorithm hash) const {
    return digests_[index(hash)].get();
  }
  [[nodiscard]] const EVP_CIPHER* cipher(AeadAlgorithm aead) const {
    return ciphers_[static_cast<std::size_t>(aead)].get();
  }
  [[nodiscard]] bool has_tls_parameters(AeadAlgorithm aead) const {
    return has_tls_parameters_[static_cast<std::size_t>(aead)];
  }
  [[nodiscard]] const EVP_CIPHER* mask_cipher(AeadAlgorithm aead) const {
    return mask_ciphers_[static_cast<std::size_t>(aead)].get();
  }
  // AES-128.
  [[nodiscard]] const EVP_CIPHER* cbc_cipher() const { return cbc_cipher_.get(); }
  // For one digest at a time.
  [[nodiscard]] EVP_MD_CTX* digest_context() const { return digest_context_.get(); }
  // For one MAC at a time.
  [[nodiscard]] EVP_MAC_CTX* hmac_context(HashAlgorithm hash) const {
    return hmac_contexts_[index(hash)].get();
  }
  [[nodiscard]] HmacKeys& hmac_keys() { return hmac_keys_; }
  // Ready for EVP_PKEY_generate; null when libcrypto doesn't have the group.
  [[nodiscard]] EVP_PKEY_CTX* generator(NamedGroup group) const;
  [[nodiscard]] bool has(NamedGroup group) const { return generator(group) != nullptr; }
  // For peer_public_key(); null for groups that it doesn't have.
  [[nodiscard]] EVP_PKEY* peer_key(NamedGroup group) const;

  // Verifies with peer_key() of P-256 after EVP_PKEY_verify_init.
  [[nodiscard]] EVP_PKEY_CTX* p256_verifier() const { return p256_verifier_.get(); }
  // Ready to sign digests with this ECDSA key; null when libcrypto fails. Kept for the next time,
  // as most sign with one key alone: the last stays in memory for as long.
  EVP_PKEY_CTX* ecdsa_signer(EVP_PKEY* key);

  Result<void> random(MutableBytes out);

  // Of connections.
  [[nodiscard]] WarmList& warm_list() { return warm_list_; }

 private:
  explicit Library(std::size_t max_warm) : warm_list_(max_warm) {}
  Result<void> fetch();
  Result<void> prepare_groups();

  static std::size_t index(HashAlgorithm hash) { return static_cast<std::size_t>(hash); }

  std::optional<InjectedRandom> injected_;
  OSSL_LIB_CTX* context_ = nullptr;
  std::string properties_;
  std::array<DigestPtr, 4> digests_;
  std::array<CipherPtr, kAeadAlgorithms> ciphers_;
  std::array<bool, kAeadAlgorithms> has_tls_parameters_{};
  std::array<CipherPtr, kAeadAlgorithms> mask_ciphers_;
  CipherPtr cbc_cipher_;
  DigestContextPtr digest_context_;
  std::array<MacContextPtr, 4> hmac_contexts_;
  HmacKeys hmac_keys_;
  KeyContextPtr x25519_;
  KeyContextPtr x25519_mlkem768_;
  KeyContextPtr p256_;
  KeyContextPtr p384_;
  KeyPtr x25519_peer_;
  KeyPtr p256_peer_;
  KeyPtr p384_peer_;
  KeyContextPtr p256_verifier_;
  KeyContextPtr ecdsa_signer_;
  WarmList warm_list_;
};

}  // namespace sluice::dtls::crypto
