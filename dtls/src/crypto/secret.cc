#include <openssl/crypto.h>

#include <sluice/dtls/secret.h>

namespace sluice::dtls {

void cleanse(MutableBytes secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

}  // namespace sluice::dtls
