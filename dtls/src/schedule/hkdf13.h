// HKDF of TLS 1.3, with the label prefix of DTLS (RFC 8446 section 7.1, RFC 9147 section 5.9).
#pragma once

#include <string_view>
#include <utility>

#include <sluice/dtls/secret.h>

#include "crypto/hmac.h"

namespace sluice::dtls::schedule {

// Has the size of the cipher suite's hash.
using HashSecret = Secret<48>;

// HKDF-Extract (RFC 5869 section 2.2). An absent salt or input means `hash_size` zeros.
Result<HashSecret> hkdf_extract(crypto::Library& library, HashAlgorithm hash, Bytes salt,
                                Bytes input);

// A label, with the prefix "dtls13", has at most 255 bytes (RFC 8446 section 7.1).
inline constexpr std::size_t kMaxLabel = 255 - 6;
// The largest output of HKDF-Expand (RFC 5869 section 2.3).
constexpr std::size_t max_expansion(HashAlgorithm hash) { return 255 * crypto::hash_size(hash); }

// Derives values from one secret. It contains an Hmac, so at most one per hash may exist at a time.
class HkdfExpansion {
 public:
  static Result<HkdfExpansion> of(crypto::Library& library, HashAlgorithm hash, Bytes secret);

  // HKDF-Expand-Label: fills `out`, at most max_expansion() bytes. `label` has no prefix and at
  // most kMaxLabel bytes.
  Result<void> expand_label(std::string_view label, Bytes context, MutableBytes out);
  // Derive-Secret, given the hash of the transcript.
  Result<HashSecret> derive_secret(std::string_view label, Bytes transcript_hash);

 private:
  HkdfExpansion(HashAlgorithm hash, crypto::Hmac hmac) : hash_(hash), hmac_(std::move(hmac)) {}

  HashAlgorithm hash_;
  crypto::Hmac hmac_;
};

// The same functions for a secret from which only one value is derived.
Result<void> hkdf_expand_label(crypto::Library& library, HashAlgorithm hash, Bytes secret,
                               std::string_view label, Bytes context, MutableBytes out);
Result<HashSecret> derive_secret(crypto::Library& library, HashAlgorithm hash, Bytes secret,
                                 std::string_view label, Bytes transcript_hash);

}  // namespace sluice::dtls::schedule
