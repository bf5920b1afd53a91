#include "crypto/aead.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/failure.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {
namespace {

enum class Direction : int { open = 0, seal = 1 };

bool prepare_ccm(EVP_CIPHER_CTX* context, std::size_t tag_size) {
  std::size_t nonce_size = kAeadNonceSize;
  const std::array sizes{
      OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, &nonce_size),
      OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, nullptr, tag_size),
      OSSL_PARAM_construct_end()};
  return EVP_CIPHER_CTX_set_params(context, sizes.data()) == 1;
}

Result<KeyedCipher> keyed_cipher(Library& library, AeadAlgorithm aead, Bytes key,
                                 Direction direction) {
  const EVP_CIPHER* cipher = library.cipher(aead);
  KeyedCipher keyed{CipherContextPtr(EVP_CIPHER_CTX_new()), aead};
  EVP_CIPHER_CTX* context = keyed.context.get();
  const int way = static_cast<int>(direction);
  if (cipher == nullptr || context == nullptr || key.size() != key_size(aead) ||
      EVP_CipherInit_ex2(context, cipher, nullptr, nullptr, way, nullptr) != 1 ||
      (keyed.is_ccm() && !prepare_ccm(context, keyed.tag_size())) ||
      EVP_CipherInit_ex2(context, nullptr, octets(key), nullptr, way, nullptr) != 1) {
    return failure("AEAD key");
  }
  return keyed;
}

// CCM alone has to know the text's length first.
bool announce_length(const KeyedCipher& cipher, std::size_t length) {
  int size = 0;
  return !cipher.is_ccm() || EVP_CipherUpdate(cipher.context.get(), nullptr, &size, nullptr,
                                              static_cast<int>(length)) == 1;
}

// What EVP_CIPHER_CTX_ctrl would make of EVP_CTRL_AEAD_GET_TAG and SET_TAG, which takes a tenth of
// the time for a short record.
std::array<OSSL_PARAM, 2> tag_parameter(MutableBytes tag) {
  return {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag.data(), tag.size()),
          OSSL_PARAM_construct_end()};
}

// libcrypto takes a null pointer for an order of its own, even when the length is 0.
const unsigned char* text_octets(Bytes text) {
  static constexpr std::byte kNothing{};
  return octets(text.data() != nullptr ? text : Bytes(&kNothing, 0));
}

}  // namespace

Result<AeadSealer> AeadSealer::make(Library& library, AeadAlgorithm aead, Bytes key) {
  return keyed_cipher(library, aead, key, Direction::seal).map([](KeyedCipher cipher) {
    return AeadSealer(std::move(cipher));
  });
}

Result<void> AeadSealer::seal(const AeadNonce& nonce, Bytes associated_data, Bytes plaintext,
                              MutableBytes out) {
  EVP_CIPHER_CTX* context = cipher_.context.get();
  const MutableBytes tag = out.last(cipher_.tag_size());
  auto parameter = tag_parameter(tag);
  int size = 0;
  if (EVP_EncryptInit_ex2(context, nullptr, nullptr, octets(nonce), nullptr) != 1 ||
      !announce_length(cipher_, plaintext.size()) ||
      EVP_EncryptUpdate(context, nullptr, &size, text_octets(associated_data),
                        static_cast<int>(associated_data.size())) != 1 ||
      EVP_EncryptUpdate(context, octets(out), &size, text_octets(plaintext),
                        static_cast<int>(plaintext.size())) != 1 ||
      EVP_EncryptFinal_ex(context, octets(tag), &size) != 1 ||
      EVP_CIPHER_CTX_get_params(context, parameter.data()) != 1) {
    return failure("seal");
  }
  return {};
}

Result<AeadOpener> AeadOpener::make(Library& library, AeadAlgorithm aead, Bytes key) {
  return keyed_cipher(library, aead, key, Direction::open).map([](KeyedCipher cipher) {
    return AeadOpener(std::move(cipher));
  });
}

bool AeadOpener::open(const AeadNonce& nonce, Bytes associated_data, MutableBytes sealed) {
  if (sealed.size() < cipher_.tag_size()) return false;
  EVP_CIPHER_CTX* context = cipher_.context.get();
  const MutableBytes text = sealed.first(sealed.size() - cipher_.tag_size());
  const auto parameter = tag_parameter(sealed.last(cipher_.tag_size()));
  int size = 0;
  // CCM judges the tag with the text, the others at the end.
  const bool authentic =
      EVP_DecryptInit_ex2(context, nullptr, nullptr, octets(nonce), nullptr) == 1 &&
      EVP_CIPHER_CTX_set_params(context, parameter.data()) == 1 &&
      announce_length(cipher_, text.size()) &&
      EVP_DecryptUpdate(context, nullptr, &size, text_octets(associated_data),
                        static_cast<int>(associated_data.size())) == 1 &&
      EVP_DecryptUpdate(context, octets(text), &size, text_octets(text),
                        static_cast<int>(text.size())) == 1 &&
      (cipher_.is_ccm() || EVP_DecryptFinal_ex(context, octets(text), &size) == 1);
  if (!authentic) drain_error_queue();
  return authentic;
}

}  // namespace sluice::dtls::crypto
