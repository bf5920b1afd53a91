#include "crypto/aes_cbc.h"

#include "crypto/failure.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {

Result<AesCbc> AesCbc::make(Library& library, Direction direction, Bytes key) {
  CipherContextPtr context(EVP_CIPHER_CTX_new());
  const int encrypts = direction == Direction::encrypt ? 1 : 0;
  if (!context || key.size() != kAesCbcKeySize ||
      EVP_CipherInit_ex2(context.get(), library.cbc_cipher(), octets(key), nullptr, encrypts,
                         nullptr) != 1 ||
      EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1) {
    return failure("AES-CBC key");
  }
  return AesCbc(std::move(context));
}

bool AesCbc::process(Bytes iv, MutableBytes blocks) {
  int size = 0;
  if (iv.size() == kAesBlockSize &&
      EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, octets(iv), -1, nullptr) == 1 &&
      EVP_CipherUpdate(context_.get(), octets(blocks), &size, octets(Bytes(blocks)),
                       static_cast<int>(blocks.size())) == 1 &&
      static_cast<std::size_t>(size) == blocks.size()) {
    return true;
  }
  drain_error_queue();
  return false;
}

}  // namespace sluice::dtls::crypto
