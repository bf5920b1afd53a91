#include "crypto/aead.h"

#include "crypto/failure.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {
namespace {

enum class Direction : int { open = 0, seal = 1 };

Result<CipherContextPtr> keyed_context(Library& library, AeadAlgorithm aead, Bytes key,
                                       Direction direction) {
  const EVP_CIPHER* cipher = library.cipher(aead);
  CipherContextPtr context(EVP_CIPHER_CTX_new());
  if (cipher == nullptr || !context || key.size() != key_size(aead) ||
      EVP_CipherInit_ex2(context.get(), cipher, octets(key), nullptr, static_cast<int>(direction),
                         nullptr) != 1) {
    return failure("AEAD key");
  }
  return context;
}

}  // namespace

Result<AeadSealer> AeadSealer::make(Library& library, AeadAlgorithm aead, Bytes key) {
  return keyed_context(library, aead, key, Direction::seal).map([](CipherContextPtr context) {
    return AeadSealer(std::move(context));
  });
}

Result<void> AeadSealer::seal(const AeadNonce& nonce, Bytes associated_data, Bytes plaintext,
                              MutableBytes out) {
  EVP_CIPHER_CTX* context = context_.get();
  const MutableBytes tag = out.last(kAeadTagSize);
  int size = 0;
  if (EVP_EncryptInit_ex2(context, nullptr, nullptr, octets(nonce), nullptr) != 1 ||
      EVP_EncryptUpdate(context, nullptr, &size, octets(associated_data),
                        static_cast<int>(associated_data.size())) != 1 ||
      EVP_EncryptUpdate(context, octets(out), &size, octets(plaintext),
                        static_cast<int>(plaintext.size())) != 1 ||
      EVP_EncryptFinal_ex(context, octets(tag), &size) != 1 ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag.size()),
                          octets(tag)) != 1) {
    return failure("seal");
  }
  return {};
}

Result<AeadOpener> AeadOpener::make(Library& library, AeadAlgorithm aead, Bytes key) {
  return keyed_context(library, aead, key, Direction::open).map([](CipherContextPtr context) {
    return AeadOpener(std::move(context));
  });
}

bool AeadOpener::open(const AeadNonce& nonce, Bytes associated_data, MutableBytes sealed) {
  if (sealed.size() < kAeadTagSize) return false;
  EVP_CIPHER_CTX* context = context_.get();
  const MutableBytes text = sealed.first(sealed.size() - kAeadTagSize);
  const MutableBytes tag = sealed.last(kAeadTagSize);
  int size = 0;
  const bool authentic =
      EVP_DecryptInit_ex2(context, nullptr, nullptr, octets(nonce), nullptr) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()),
                          octets(tag)) == 1 &&
      EVP_DecryptUpdate(context, nullptr, &size, octets(associated_data),
                        static_cast<int>(associated_data.size())) == 1 &&
      EVP_DecryptUpdate(context, octets(text), &size, octets(text),
                        static_cast<int>(text.size())) == 1 &&
      EVP_DecryptFinal_ex(context, octets(tag), &size) == 1;
  if (!authentic) drain_error_queue();
  return authentic;
}

}  // namespace sluice::dtls::crypto
