#include "primitives.h"

#include <openssl/ec.h>

#include <array>
#include <stdexcept>

namespace sluice::bench {
namespace {

// What a hash over a handshake's messages takes is left out: a signature covers a few hundred
// bytes.
constexpr std::array<unsigned char, 130> kSigned{};

void must(bool done) {
  if (!done) throw std::runtime_error("libcrypto");
}

EVP_PKEY_CTX* make_generator(dtls::NamedGroup group) {
  const bool is_x25519 = group == dtls::NamedGroup::x25519;
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, is_x25519 ? "X25519" : "EC", nullptr);
  must(EVP_PKEY_keygen_init(context) == 1);
  if (!is_x25519) must(EVP_PKEY_CTX_set_group_name(context, "P-256") == 1);
  return context;
}

EVP_PKEY* generate(EVP_PKEY_CTX* generator) {
  EVP_PKEY* key = nullptr;
  must(EVP_PKEY_generate(generator, &key) == 1);
  return key;
}

}  // namespace

Primitives::Primitives(dtls::NamedGroup group)
    : generator_(make_generator(group), EVP_PKEY_CTX_free),
      peer_(generate(generator_.get()), EVP_PKEY_free),
      signing_(EVP_EC_gen("P-256"), EVP_PKEY_free),
      signature_(sign()) {}

std::vector<unsigned char> Primitives::sign() const {
  std::vector<unsigned char> signature(80);
  std::size_t size = signature.size();
  must(EVP_DigestSignInit_ex(digest_.get(), nullptr, "SHA256", nullptr, nullptr, signing_.get(),
                             nullptr) == 1 &&
       EVP_DigestSign(digest_.get(), signature.data(), &size, kSigned.data(), kSigned.size()) == 1);
  signature.resize(size);
  return signature;
}

void Primitives::run_one_side() const {
  const Key own(generate(generator_.get()), EVP_PKEY_free);
  std::array<unsigned char, 32> secret{};
  std::size_t size = secret.size();
  const KeyContext derivation(EVP_PKEY_CTX_new(own.get(), nullptr), EVP_PKEY_CTX_free);
  must(EVP_PKEY_derive_init(derivation.get()) == 1 &&
       EVP_PKEY_derive_set_peer_ex(derivation.get(), peer_.get(), 0) == 1 &&
       EVP_PKEY_derive(derivation.get(), secret.data(), &size) == 1);
  static_cast<void>(sign());
  must(EVP_DigestVerifyInit_ex(digest_.get(), nullptr, "SHA256", nullptr, nullptr, signing_.get(),
                               nullptr) == 1 &&
       EVP_DigestVerify(digest_.get(), signature_.data(), signature_.size(), kSigned.data(),
                        kSigned.size()) == 1);
}

}  // namespace sluice::bench
