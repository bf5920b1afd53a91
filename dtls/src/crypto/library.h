// The libcrypto objects of an Environment: a library context, fetched algorithms, reusable
// contexts.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include <sluice/dtls/environment.h>
#include <sluice/dtls/protocol.h>
#include <sluice/dtls/secret.h>

#include "crypto/aead.h"
#include "crypto/config_table.h"
#include "crypto/hash.h"
#include "crypto/hmac.h"
#include "crypto/injected_random.h"
#include "crypto/openssl_ptr.h"
#include "crypto/random_reserve.h"
#include "crypto/warm_list.h"

namespace sluice::dtls::crypto {

// Records which of the Library's HMAC contexts still have a key.
struct HmacKeys {
  unsigned deferred_wipes = 0;  // DeferredWipe objects that exist
  unsigned left = 0;            // bits by hash: the key of a destroyed Hmac remains, to be wiped
  // The key that Hmac::with_repeated_key() has left in the context of this hash.
  Secret<kMaxRepeatedKey> repeated;
  HashAlgorithm repeated_hash{};
};

// Only one thread may use it at a time, because all callers share its contexts.
class Library {
 public:
  static Result<std::unique_ptr<Library>> make(const Environment::Options& options);

  [[nodiscard]] OSSL_LIB_CTX* context() const { return context_; }
  // Null if there is no property query; libcrypto expects null then.
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
  // See crypto::sized_context().
  [[nodiscard]] const EVP_CIPHER_CTX* sized_context(AeadAlgorithm aead) const {
    return sized_contexts_[static_cast<std::size_t>(aead)].get();
  }
  [[nodiscard]] const EVP_CIPHER* mask_cipher(AeadAlgorithm aead) const {
    return mask_ciphers_[static_cast<std::size_t>(aead)].get();
  }
  // AES-128.
  [[nodiscard]] const EVP_CIPHER* cbc_cipher() const { return cbc_cipher_.get(); }
  // Serves one digest at a time.
  [[nodiscard]] EVP_MD_CTX* digest_context() const { return digest_context_.get(); }
  // Serves one MAC at a time.
  [[nodiscard]] EVP_MAC_CTX* hmac_context(HashAlgorithm hash) const {
    return hmac_contexts_[index(hash)].get();
  }
  [[nodiscard]] HmacKeys& hmac_keys() { return hmac_keys_; }
  // A context for EVP_PKEY_generate; null if libcrypto does not have the group.
  [[nodiscard]] EVP_PKEY_CTX* generator(NamedGroup group) const;
  [[nodiscard]] bool has(NamedGroup group) const { return generator(group) != nullptr; }
  // The key that peer_public_key() reuses; null for groups that have none.
  [[nodiscard]] EVP_PKEY* peer_key(NamedGroup group) const;

  // Verifies with the P-256 peer_key(). Call EVP_PKEY_verify_init first.
  [[nodiscard]] EVP_PKEY_CTX* p256_verifier() const { return p256_verifier_.get(); }
  // A context that signs digests with this ECDSA key; null if libcrypto fails. The Library keeps
  // the context of the last key, because most applications sign with one key only. That key stays
  // in memory as long as the context does.
  EVP_PKEY_CTX* ecdsa_signer(EVP_PKEY* key);

  // For keys and everything else that must stay secret.
  Result<void> random(MutableBytes out);
  // For values that everybody may see at once, such as the random of a hello. They may come from
  // bytes that were drawn before.
  Result<void> public_random(MutableBytes out);

  // For the rules by which peers are accepted in this role, which most connections share.
  [[nodiscard]] RepeatedHash& policy_hash(Role role) {
    return policy_hashes_[static_cast<std::size_t>(role)];
  }

  // The connections that have keyed ciphers.
  [[nodiscard]] WarmList& warm_list() { return warm_list_; }
  // What connections have in common.
  [[nodiscard]] ConfigTable& configs() { return configs_; }

 private:
  explicit Library(std::size_t max_warm) : warm_list_(max_warm) {}
  Result<void> fetch();
  Result<void> prepare_groups();

  static std::size_t index(HashAlgorithm hash) { return static_cast<std::size_t>(hash); }

  std::optional<InjectedRandom> injected_;
  OSSL_LIB_CTX* context_ = nullptr;
  RandomReserve reserve_;
  std::string properties_;
  std::array<DigestPtr, 4> digests_;
  std::array<CipherPtr, kAeadAlgorithms> ciphers_;
  std::array<bool, kAeadAlgorithms> has_tls_parameters_{};
  std::array<CipherContextPtr, kAeadAlgorithms> sized_contexts_;
  std::array<CipherPtr, kAeadAlgorithms> mask_ciphers_;
  CipherPtr cbc_cipher_;
  DigestContextPtr digest_context_;
  std::array<MacContextPtr, 4> hmac_contexts_;
  HmacKeys hmac_keys_;
  std::array<RepeatedHash, 2> policy_hashes_;
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
  ConfigTable configs_{*this};
};

}  // namespace sluice::dtls::crypto
