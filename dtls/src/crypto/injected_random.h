// A separate libcrypto library context whose random numbers come from a RandomSource.
#pragma once

#include <sluice/dtls/error.h>
#include <sluice/dtls/random_source.h>

#include "crypto/openssl_ptr.h"

namespace sluice::dtls::crypto {

// A library context with libcrypto's default provider, in which key generation, ECDSA nonces and
// RAND_bytes_ex all take their bytes from `source`.
class InjectedRandom {
 public:
  static Result<InjectedRandom> make(RandomSource& source);

  InjectedRandom(InjectedRandom&&) noexcept = default;
  InjectedRandom& operator=(InjectedRandom&&) noexcept = default;
  ~InjectedRandom();

  [[nodiscard]] OSSL_LIB_CTX* context() const { return context_.get(); }

 private:
  explicit InjectedRandom(LibCtxPtr context) : context_(std::move(context)) {}

  // The order matters: the providers must be unloaded before the context is freed.
  LibCtxPtr context_;
  ProviderPtr random_;
  ProviderPtr algorithms_;
};

}  // namespace sluice::dtls::crypto
