// HKDF as TLS 1.3 uses it, with DTLS's label prefix (RFC 8446 section 7.1, RFC 9147 section 5.9).
#pragma once

#include <string_view>
#include <utility>

#include <sluice/dtls/secret.h>

#include "crypto/hmac.h"

namespace sluice::dtls::schedule {

// As long as the cipher suite's hash.
using HashSecret = Secret<48>;

// RFC 5869 section 2.2. An absent salt or input is `hash_size` zeros.
Result<HashSecret> hkdf_extract(crypto::Library& library, HashAlgorithm hash, Bytes salt,
                                Bytes input);

// A label with its prefix, "dtls13", has 255 bytes at most (RFC 8446 section 7.1).
inline constexpr std::size_t kMaxLabel = 255 - 6;
// What HKDF-Expand gives at most (RFC 5869 section 2.3).
constexpr std::size_t max_expansion(HashAlgorithm hash) { return 255 * crypto::hash_size(hash); }

// What is derived from one secret. As of Hmac, at most one of a hash lives at a time.
class HkdfExpansion {
 public:
  static Result<HkdfExpansion> of(crypto::Library& library, HashAlgorithm hash, Bytes secret);

  // HKDF-Expand-Label: fills `out`, at most max_expansion(). The label, at most kMaxLabel bytes,
  // goes without its prefix.
  Result<void> expand_label(std::string_view label, Bytes context, MutableBytes out);
  // Derive-Secret, with the transcript's hash.
  Result<HashSecret> derive_secret(std::string_view label, Bytes transcript_hash);

 private:
  HkdfExpansion(HashAlgorithm hash, crypto::Hmac hmac) : hash_(hash), hmac_(std::move(hmac)) {}

  HashAlgorithm hash_;
  crypto::Hmac hmac_;
};

// The same where one thing is derived.
Result<void> hkdf_expand_label(crypto::Library& library, HashAlgorithm hash, Bytes secret,
                               std::string_view label, Bytes context, MutableBytes out);
Result<HashSecret> derive_secret(crypto::Library& library, HashAlgorithm hash, Bytes secret,
                                 std::string_view label, Bytes transcript_hash);

}  // namespace sluice::dtls::schedule
