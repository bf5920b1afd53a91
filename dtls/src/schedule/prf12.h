// The pseudorandom function of TLS 1.2 (RFC 5246 section 5).
#pragma once

#include <string_view>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

#include "crypto/hmac.h"

namespace sluice::dtls::schedule {

// Fills `out` with PRF(secret, label, seed).
Result<void> prf12(crypto::Library& library, HashAlgorithm hash, Bytes secret,
                   std::string_view label, Bytes seed, MutableBytes out);

}  // namespace sluice::dtls::schedule
