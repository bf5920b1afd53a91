// Comparison of secrets.
#pragma once

#include <sluice/dtls/bytes.h>

namespace sluice::dtls::crypto {

// Takes a time that depends on the sizes only.
bool equal(Bytes a, Bytes b);

}  // namespace sluice::dtls::crypto
