// HKDF as TLS 1.3 uses it, with DTLS's label prefix (RFC 8446 section 7.1, RFC 9147 section 5.9).
#pragma once

#include <string_view>

#include <sluice/dtls/secret.h>

#include "crypto/hmac.h"

namespace sluice::dtls::schedule {

// As long as the cipher suite's hash.
using HashSecret = Secret<48>;

// RFC 5869 section 2.2. An absent salt or input is `hash_size` zeros.
Result<HashSecret> hkdf_extract(crypto::Library& library, HashAlgorithm hash, Bytes salt,
                                Bytes input);

// Fills `out`, at most 255 times the hash's size. The label goes without its prefix: "dtls13".
Result<void> hkdf_expand_label(crypto::Library& library, HashAlgorithm hash, Bytes secret,
                               std::string_view label, Bytes context, MutableBytes out);

// Derive-Secret, with the transcript's hash.
Result<HashSecret> derive_secret(crypto::Library& library, HashAlgorithm hash, Bytes secret,
                                 std::string_view label, Bytes transcript_hash);

}  // namespace sluice::dtls::schedule
