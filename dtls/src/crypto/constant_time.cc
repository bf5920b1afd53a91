#include "crypto/constant_time.h"

#include <openssl/crypto.h>

namespace sluice::dtls::crypto {

bool equal(Bytes a, Bytes b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace sluice::dtls::crypto
