// The floor beneath a handshake: what libcrypto must compute for one side of it, on keys and
// contexts that are as ready as they can be.
#pragma once

#include <openssl/evp.h>
#include <sluice/dtls/protocol.h>

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace sluice::bench {

// How often one side needs what.
struct PrimitiveCounts {
  std::optional<dtls::NamedGroup> group = {};  // an ephemeral key, its share and the shared secret
  bool certificates = false;  // a signature made, another verified, the peer's fingerprint
  // The key schedule in HMACs: as many keys, and as many values under one of them.
  int hmac_keys = 0;
  int hmacs = 0;
  std::size_t transcript = 0;   // bytes that are hashed
  int transcript_hashes = 0;    // states that are copied and finished
  int record_keys = 0;          // AEAD contexts keyed
  int mask_keys = 0;            // of DTLS 1.3's record numbers
  int records = 0;              // sealed or opened
  std::size_t record_size = 0;  // each
};

class Primitives {
 public:
  explicit Primitives(const PrimitiveCounts& counts);

  void run_one_side();

 private:
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
  using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
  using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
  using MacContext = std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)>;
  using Digest = std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)>;
  using Cipher = std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)>;

  void sign();
  void exchange_keys();
  void authenticate();
  void derive_keys();
  void hash_transcript();
  void protect_records();

  PrimitiveCounts counts_;
  Digest sha256_{EVP_MD_fetch(nullptr, "SHA256", nullptr), EVP_MD_free};
  Cipher gcm_{EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr), EVP_CIPHER_free};
  Cipher ecb_{EVP_CIPHER_fetch(nullptr, "AES-128-ECB", nullptr), EVP_CIPHER_free};
  KeyContext generator_;
  std::vector<unsigned char> share_;  // the peer's
  Key peer_;
  Key signing_;
  Key verifying_;  // the same, without its private half
  std::vector<unsigned char> signing_point_;
  KeyContext signer_;
  KeyContext verifier_;
  DigestContext digest_{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  DigestContext copy_{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  MacContext hmac_;
  CipherContext record_{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
  CipherContext mask_{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
  std::vector<unsigned char> bytes_;
  std::vector<unsigned char> signature_;
  std::size_t signature_size_ = 0;
};

}  // namespace sluice::bench
