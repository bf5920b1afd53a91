// AES_128_CBC with HMAC-SHA256, encrypt-then-MAC (RFC 7366 section 3). The MAC is checked before
// anything is decrypted, so that the padding is no oracle.
#pragma once

#include <memory>

#include <sluice/dtls/cipher_suite12.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/secret.h>

#include "crypto/aes_cbc.h"

namespace sluice::dtls::record {

class CbcProtection12 final : public RecordProtection12 {
 public:
  static constexpr std::size_t kMacSize = 32;
  // The IV precedes the plaintext; at most one block of padding and the MAC follow it.
  static constexpr RecordRoom12 kRoom{crypto::kAesBlockSize, crypto::kAesBlockSize + kMacSize};

  static Result<std::unique_ptr<CbcProtection12>> make(crypto::Library& library,
                                                       crypto::AesCbc::Direction direction,
                                                       const RecordKeys12& keys);

  std::optional<std::size_t> seal(RecordNumber12 number, AdditionalData12 additional_data,
                                  Bytes plaintext, MutableBytes out) override;
  std::optional<MutableBytes> open(RecordNumber12 number, AdditionalData12 additional_data,
                                   MutableBytes fragment) override;

 private:
  CbcProtection12(crypto::Library& library, crypto::AesCbc cipher, Bytes mac_key)
      : library_(&library), cipher_(std::move(cipher)), mac_key_(mac_key) {}

  crypto::Library* library_;
  crypto::AesCbc cipher_;
  Secret<kMacSize> mac_key_;
};

}  // namespace sluice::dtls::record
