// Comparison of secrets.
#pragma once

#include <sluice/dtls/bytes.h>

namespace sluice::dtls::crypto {

// In a time that depends on the sizes alone.
bool equal(Bytes a, Bytes b);

}  // namespace sluice::dtls::crypto
