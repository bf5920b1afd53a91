#include "primitives.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace sluice::bench {
namespace {

// A hash; to compute it counts with the transcript.
constexpr std::array<unsigned char, 32> kSigned{1};
constexpr std::size_t kCertificateSize = 330;  // a self-signed P-256 one
constexpr std::size_t kRandomSize = 32;        // the hello's
constexpr std::size_t kHmacText = 77;          // A(i), a label and two random values

void done(bool result) {
  if (!result) throw std::runtime_error("libcrypto");
}

EVP_PKEY_CTX* make_generator(dtls::NamedGroup group) {
  const bool is_x25519 = group == dtls::NamedGroup::x25519;
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, is_x25519 ? "X25519" : "EC", nullptr);
  done(EVP_PKEY_keygen_init(context) == 1);
  if (!is_x25519) done(EVP_PKEY_CTX_set_group_name(context, "P-256") == 1);
  return context;
}

EVP_PKEY* generate(EVP_PKEY_CTX* generator) {
  EVP_PKEY* key = nullptr;
  done(EVP_PKEY_generate(generator, &key) == 1);
  return key;
}

std::vector<unsigned char> share_of(EVP_PKEY* key) {
  unsigned char* share = nullptr;
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(key, &share);
  done(size > 0);
  std::vector<unsigned char> copy(share, share + size);
  OPENSSL_free(share);
  return copy;
}

EVP_MAC_CTX* make_hmac() {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
  EVP_MAC_free(mac);
  char digest[] = "SHA256";
  const std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                              OSSL_PARAM_construct_end()};
  done(EVP_MAC_CTX_set_params(context, parameters.data()) == 1);
  return context;
}

}  // namespace

Primitives::Primitives(const PrimitiveCounts& counts)
    : counts_(counts),
      generator_(make_generator(counts.group.value_or(dtls::NamedGroup::secp256r1)),
                 EVP_PKEY_CTX_free),
      peer_(generate(generator_.get()), EVP_PKEY_free),
      signing_(EVP_EC_gen("P-256"), EVP_PKEY_free),
      verifying_(EVP_EC_gen("P-256"), EVP_PKEY_free),
      signer_(EVP_PKEY_CTX_new(signing_.get(), nullptr), EVP_PKEY_CTX_free),
      verifier_(EVP_PKEY_CTX_new(verifying_.get(), nullptr), EVP_PKEY_CTX_free),
      hmac_(make_hmac(), EVP_MAC_CTX_free),
      bytes_(std::max({counts.transcript, counts.record_size + 16, std::size_t{512}})),
      signature_(80) {
  share_ = share_of(peer_.get());
  signing_point_ = share_of(signing_.get());
  done(EVP_PKEY_sign_init(signer_.get()) == 1 && EVP_PKEY_verify_init(verifier_.get()) == 1);
  sign();
}

void Primitives::sign() {
  signature_size_ = signature_.size();
  done(EVP_PKEY_sign(signer_.get(), signature_.data(), &signature_size_, kSigned.data(),
                     kSigned.size()) == 1);
}

void Primitives::exchange_keys() {
  const Key own(generate(generator_.get()), EVP_PKEY_free);
  // To send it: of a point on a curve that is an inversion.
  std::array<unsigned char, 65> own_share{};
  std::size_t share_size = 0;
  done(EVP_PKEY_get_octet_string_param(own.get(), OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                       own_share.data(), own_share.size(), &share_size) == 1);
  done(EVP_PKEY_set1_encoded_public_key(peer_.get(), share_.data(), share_.size()) == 1);
  std::array<unsigned char, 32> secret{};
  std::size_t size = secret.size();
  const KeyContext derivation(EVP_PKEY_CTX_new(own.get(), nullptr), EVP_PKEY_CTX_free);
  done(EVP_PKEY_derive_init(derivation.get()) == 1 &&
       EVP_PKEY_derive_set_peer_ex(derivation.get(), peer_.get(), 0) == 1 &&
       EVP_PKEY_derive(derivation.get(), secret.data(), &size) == 1);
}

void Primitives::authenticate() {
  sign();
  done(EVP_PKEY_set1_encoded_public_key(verifying_.get(), signing_point_.data(),
                                        signing_point_.size()) == 1 &&
       EVP_PKEY_verify(verifier_.get(), signature_.data(), signature_size_, kSigned.data(),
                       kSigned.size()) == 1);
  std::array<unsigned char, 32> fingerprint{};
  done(EVP_DigestInit_ex2(digest_.get(), sha256_.get(), nullptr) == 1 &&
       EVP_DigestUpdate(digest_.get(), bytes_.data(), kCertificateSize) == 1 &&
       EVP_DigestFinal_ex(digest_.get(), fingerprint.data(), nullptr) == 1);
}

void Primitives::derive_keys() {
  std::array<unsigned char, 32> value{};
  std::size_t size = 0;
  for (int i = 0; i < counts_.hmacs; ++i) {
    // Keyed anew as often as the schedule has keys, else begun anew under the key it has.
    const bool keyed = i < counts_.hmac_keys;
    done(EVP_MAC_init(hmac_.get(), keyed ? value.data() : nullptr, keyed ? value.size() : 0,
                      nullptr) == 1 &&
         EVP_MAC_update(hmac_.get(), bytes_.data(), kHmacText) == 1 &&
         EVP_MAC_final(hmac_.get(), value.data(), &size, value.size()) == 1);
  }
}

void Primitives::hash_transcript() {
  std::array<unsigned char, 32> hash{};
  done(EVP_DigestInit_ex2(digest_.get(), sha256_.get(), nullptr) == 1 &&
       EVP_DigestUpdate(digest_.get(), bytes_.data(), counts_.transcript) == 1);
  for (int i = 0; i < counts_.transcript_hashes; ++i) {
    done(EVP_MD_CTX_copy_ex(copy_.get(), digest_.get()) == 1 &&
         EVP_DigestFinal_ex(copy_.get(), hash.data(), nullptr) == 1);
  }
}

// GCM stands for the other AEADs: beside a handshake their difference is nothing.
void Primitives::protect_records() {
  static constexpr std::array<unsigned char, 32> kKey{1};
  std::array<unsigned char, 12> nonce{};
  std::array<unsigned char, 16> tag{};
  std::array<unsigned char, 16> mask{};
  int size = 0;
  for (int i = 0; i < counts_.record_keys; ++i) {
    done(EVP_EncryptInit_ex2(record_.get(), gcm_.get(), kKey.data(), nullptr, nullptr) == 1);
  }
  for (int i = 0; i < counts_.mask_keys; ++i) {
    done(EVP_EncryptInit_ex2(mask_.get(), ecb_.get(), kKey.data(), nullptr, nullptr) == 1);
  }
  for (int i = 0; i < counts_.records; ++i) {
    ++nonce[11];
    done(EVP_EncryptInit_ex2(record_.get(), nullptr, nullptr, nonce.data(), nullptr) == 1 &&
         EVP_EncryptUpdate(record_.get(), nullptr, &size, bytes_.data(), 13) == 1 &&
         EVP_EncryptUpdate(record_.get(), bytes_.data(), &size, bytes_.data(),
                           static_cast<int>(counts_.record_size)) == 1 &&
         EVP_EncryptFinal_ex(record_.get(), tag.data(), &size) == 1 &&
         EVP_CIPHER_CTX_ctrl(record_.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data()) == 1);
    if (counts_.mask_keys == 0) continue;
    done(EVP_EncryptUpdate(mask_.get(), mask.data(), &size, bytes_.data(), 16) == 1);
  }
}

void Primitives::run_one_side() {
  done(RAND_bytes(bytes_.data(), kRandomSize) == 1);
  if (counts_.group) exchange_keys();
  if (counts_.certificates) authenticate();
  derive_keys();
  hash_transcript();
  protect_records();
}

}  // namespace sluice::bench
