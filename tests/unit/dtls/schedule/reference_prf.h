// The TLS 1.2 PRF by libcrypto's own implementation of it, which the engine doesn't use.
#pragma once

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/bytes.h"

namespace sluice::test {

// PRF(secret, label, seed), in hexadecimal; `digest` is "SHA256" or "SHA384".
inline std::string reference_prf(std::string digest, dtls::Bytes secret, std::string_view label,
                                 dtls::Bytes seed, std::size_t size) {
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(
      EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr), EVP_KDF_free);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(
      EVP_KDF_CTX_new(kdf.get()), EVP_KDF_CTX_free);
  dtls::Buffer secret_bytes = copy_of(secret);
  dtls::Buffer label_and_seed = copy_of(bytes_of(label));
  label_and_seed.insert(label_and_seed.end(), seed.begin(), seed.end());
  const std::array params{OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
                          OSSL_PARAM_construct_octet_string(
                              OSSL_KDF_PARAM_SECRET, secret_bytes.data(), secret_bytes.size()),
                          OSSL_PARAM_construct_octet_string(
                              OSSL_KDF_PARAM_SEED, label_and_seed.data(), label_and_seed.size()),
                          OSSL_PARAM_construct_end()};
  dtls::Buffer out(size);
  if (EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(out.data()), out.size(),
                     params.data()) != 1) {
    throw std::runtime_error("TLS1-PRF");
  }
  return to_hex(out);
}

}  // namespace sluice::test
