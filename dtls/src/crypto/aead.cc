#include "crypto/aead.h"

#include <algorithm>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/failure.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {
namespace {

// Constants and macros replace OSSL_PARAM_construct_octet_string() and its like, because each of
// those is a call into libcrypto.
constexpr OSSL_PARAM kEndOfParameters = OSSL_PARAM_END;

enum class Direction : int { open = 0, seal = 1 };

// CCM's sizes must be set before its key.
bool prepare_ccm(const KeyedCipher& keyed, const EVP_CIPHER* cipher, int way) {
  std::size_t nonce_size = kAeadNonceSize;
  const std::array sizes{
      OSSL_PARAM OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, &nonce_size),
      OSSL_PARAM OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, nullptr, keyed.tag_size()),
      kEndOfParameters};
  return EVP_CipherInit_ex2(keyed.context.get(), cipher, nullptr, nullptr, way, sizes.data()) == 1;
}

// `sized`: a sized_context(), or null.
bool set_key(const KeyedCipher& keyed, const EVP_CIPHER* cipher, const EVP_CIPHER_CTX* sized,
             Bytes key, Direction direction) {
  EVP_CIPHER_CTX* context = keyed.context.get();
  const int way = static_cast<int>(direction);
  if (cipher == nullptr || context == nullptr || key.size() != key_size(keyed.aead)) return false;
  if (sized != nullptr) {
    if (EVP_CIPHER_CTX_copy(context, sized) != 1) return false;
  } else if (keyed.is_ccm() && !prepare_ccm(keyed, cipher, way)) {
    return false;
  }
  const EVP_CIPHER* const present = nullptr;
  return EVP_CipherInit_ex2(context, keyed.is_ccm() ? present : cipher, octets(key), nullptr, way,
                            nullptr) == 1;
}

Result<KeyedCipher> keyed_cipher(Library& library, AeadAlgorithm aead, Bytes key,
                                 Direction direction) {
  KeyedCipher keyed{CipherContextPtr(EVP_CIPHER_CTX_new()), aead, library.has_tls_parameters(aead)};
  const EVP_CIPHER_CTX* const sized = library.sized_context(aead);
  if (!set_key(keyed, library.cipher(aead), sized, key, direction)) return failure("AEAD key");
  return keyed;
}

// CCM needs the length of the text first (RFC 3610).
bool announce_length(const KeyedCipher& cipher, std::size_t length) {
  int size = 0;
  return !cipher.is_ccm() || EVP_CipherUpdate(cipher.context.get(), nullptr, &size, nullptr,
                                              static_cast<int>(length)) == 1;
}

// The parameter that EVP_CIPHER_CTX_ctrl makes for EVP_CTRL_AEAD_GET_TAG and SET_TAG. That call
// takes a tenth of the time for a short record.
OSSL_PARAM tag_parameter(MutableBytes tag) {
  return OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag.data(), tag.size());
}

// The parameter that EVP_CIPHER_CTX_ctrl makes for EVP_CTRL_AEAD_SET_IV_FIXED. For GCM the length
// -1 means that it sets the whole nonce. CCM takes the fixed part only, and the rest from the
// record.
OSSL_PARAM nonce_parameter(const AeadNonce& nonce, AeadAlgorithm aead) {
  return OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_IV_FIXED,
                                 const_cast<std::byte*>(nonce.data()),
                                 is_ccm(aead) ? kFixedNonceSize : static_cast<std::size_t>(-1));
}

// Starts a message. To open one, pass the `tag` to verify.
bool start(const KeyedCipher& cipher, const AeadNonce& nonce,
           const OSSL_PARAM& tag = kEndOfParameters) {
  EVP_CIPHER_CTX* context = cipher.context.get();
  if (cipher.has_nonce_parameter()) {
    const std::array parameters{nonce_parameter(nonce, cipher.aead), tag, kEndOfParameters};
    return EVP_CIPHER_CTX_set_params(context, parameters.data()) == 1;
  }
  const std::array parameters{tag, kEndOfParameters};
  return EVP_CipherInit_ex2(context, nullptr, nullptr, octets(nonce), -1, parameters.data()) == 1;
}

// A pointer that is not null, even if the text is empty: libcrypto gives a null pointer another
// meaning.
const unsigned char* text_octets(Bytes text) {
  static constexpr std::byte kNothing{};
  return octets(text.data() != nullptr ? text : Bytes(&kNothing, 0));
}

bool seal(const KeyedCipher& cipher, const AeadNonce& nonce, Bytes associated_data, Bytes plaintext,
          MutableBytes out) {
  EVP_CIPHER_CTX* context = cipher.context.get();
  const MutableBytes tag = out.last(cipher.tag_size());
  std::array parameters{tag_parameter(tag), kEndOfParameters};
  int size = 0;
  return start(cipher, nonce) && announce_length(cipher, plaintext.size()) &&
         EVP_EncryptUpdate(context, nullptr, &size, text_octets(associated_data),
                           static_cast<int>(associated_data.size())) == 1 &&
         EVP_EncryptUpdate(context, octets(out), &size, text_octets(plaintext),
                           static_cast<int>(plaintext.size())) == 1 &&
         EVP_EncryptFinal_ex(context, octets(tag), &size) == 1 &&
         EVP_CIPHER_CTX_get_params(context, parameters.data()) == 1;
}

// Implements AeadSealer::seal_record12() and AeadOpener::open_record12().
bool process_record12(const KeyedCipher& cipher, const AeadNonce& nonce,
                      std::span<const std::byte, kAssociatedDataSize12> given,
                      MutableBytes record) {
  AssociatedData12 data{};
  std::ranges::copy(given, data.begin());
  EVP_CIPHER_CTX* context = cipher.context.get();
  // libcrypto expects the length with the explicit nonce, and with the tag when it opens. It
  // subtracts both itself.
  const bool seals = EVP_CIPHER_CTX_is_encrypting(context) == 1;
  const std::size_t length = record.size() - (seals ? cipher.tag_size() : 0);
  data[data.size() - 2] = static_cast<std::byte>(length >> 8);
  data[data.size() - 1] = static_cast<std::byte>(length & 0xff);
  const std::array parameters{
      nonce_parameter(nonce, cipher.aead),
      OSSL_PARAM OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_AAD, data.data(), data.size()),
      kEndOfParameters};
  int size = 0;
  return EVP_CIPHER_CTX_set_params(context, parameters.data()) == 1 &&
         EVP_CipherUpdate(context, octets(record), &size, octets(record),
                          static_cast<int>(record.size())) == 1;
}

// ---- tests of libcrypto, with empty messages

constexpr std::array<std::byte, kMaxAeadKeySize> kTestKey{};

bool seals_to(const KeyedCipher& cipher, const AeadNonce& nonce, Bytes data, Bytes tag) {
  std::array<std::byte, kMaxAeadTagSize> sealed{};
  const MutableBytes out = MutableBytes(sealed).first(tag.size());
  return seal(cipher, nonce, data, {}, out) && std::ranges::equal(out, tag);
}

bool processes_to(const KeyedCipher& sealer, const KeyedCipher& opener, const AeadNonce& nonce,
                  const AssociatedData12& data, Bytes expected) {
  std::array<std::byte, kExplicitNonceSize + kMaxAeadTagSize> sealed{};
  const MutableBytes record = MutableBytes(sealed).first(expected.size());
  return process_record12(sealer, nonce, data, record) && std::ranges::equal(record, expected) &&
         process_record12(opener, nonce, data, record);
}

}  // namespace

bool has_tls_parameters(const EVP_CIPHER* cipher, AeadAlgorithm aead) {
  if (!is_gcm(aead) && !is_ccm(aead)) return false;
  const KeyedCipher slow{CipherContextPtr(EVP_CIPHER_CTX_new()), aead, false};
  const KeyedCipher fast{CipherContextPtr(EVP_CIPHER_CTX_new()), aead, true};
  const KeyedCipher opener{CipherContextPtr(EVP_CIPHER_CTX_new()), aead, true};
  const Bytes key = Bytes(kTestKey).first(key_size(aead));
  bool is_same = set_key(slow, cipher, nullptr, key, Direction::seal) &&
                 set_key(fast, cipher, nullptr, key, Direction::seal) &&
                 set_key(opener, cipher, nullptr, key, Direction::open);
  for (std::uint8_t i = 1; is_same && i < 4; ++i) {
    const AeadNonce nonce{std::byte{i}, std::byte{}, std::byte{}, std::byte{}, std::byte{i}};
    const Bytes explicit_part = Bytes(nonce).last(kExplicitNonceSize);
    AssociatedData12 data{};
    std::ranges::copy(explicit_part, data.begin());
    std::array<std::byte, kExplicitNonceSize + kMaxAeadTagSize> longest{};
    const MutableBytes expected = MutableBytes(longest).first(kExplicitNonceSize + tag_size(aead));
    std::ranges::copy(explicit_part, expected.begin());
    const MutableBytes tag = expected.subspan(kExplicitNonceSize);
    is_same = seal(slow, nonce, data, {}, tag) &&
              (is_ccm(aead) || seals_to(fast, nonce, data, tag)) &&
              processes_to(fast, opener, nonce, data, expected);
  }
  drain_error_queue();
  return is_same;
}

CipherContextPtr sized_context(const EVP_CIPHER* cipher, AeadAlgorithm aead) {
  if (!is_ccm(aead)) return nullptr;
  KeyedCipher sized{CipherContextPtr(EVP_CIPHER_CTX_new()), aead, false};
  const KeyedCipher made{CipherContextPtr(EVP_CIPHER_CTX_new()), aead, false};
  const KeyedCipher copied{CipherContextPtr(EVP_CIPHER_CTX_new()), aead, false};
  const Bytes key = Bytes(kTestKey).first(key_size(aead));
  std::array<std::byte, kMaxAeadTagSize> longest{};
  const MutableBytes tag = MutableBytes(longest).first(tag_size(aead));
  const bool works = sized.context && cipher != nullptr &&
                     prepare_ccm(sized, cipher, static_cast<int>(Direction::seal)) &&
                     set_key(made, cipher, nullptr, key, Direction::seal) &&
                     set_key(copied, cipher, sized.context.get(), key, Direction::seal) &&
                     seal(made, {}, {}, {}, tag) && seals_to(copied, {}, {}, tag);
  drain_error_queue();
  return works ? std::move(sized.context) : nullptr;
}

Result<AeadSealer> AeadSealer::make(Library& library, AeadAlgorithm aead, Bytes key) {
  return keyed_cipher(library, aead, key, Direction::seal).map([](KeyedCipher cipher) {
    return AeadSealer(std::move(cipher));
  });
}

Result<void> AeadSealer::seal(const AeadNonce& nonce, Bytes associated_data, Bytes plaintext,
                              MutableBytes out) {
  if (!crypto::seal(cipher_, nonce, associated_data, plaintext, out)) return failure("seal");
  return {};
}

Result<void> AeadSealer::seal_record12(const AeadNonce& nonce,
                                       std::span<const std::byte, kAssociatedDataSize12> data,
                                       MutableBytes record) {
  if (!process_record12(cipher_, nonce, data, record)) return failure("seal");
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
  const OSSL_PARAM tag = tag_parameter(sealed.last(cipher_.tag_size()));
  int size = 0;
  // CCM verifies the tag together with the text, other ciphers at the end.
  const bool authentic =
      start(cipher_, nonce, tag) && announce_length(cipher_, text.size()) &&
      EVP_DecryptUpdate(context, nullptr, &size, text_octets(associated_data),
                        static_cast<int>(associated_data.size())) == 1 &&
      EVP_DecryptUpdate(context, octets(text), &size, text_octets(text),
                        static_cast<int>(text.size())) == 1 &&
      (cipher_.is_ccm() || EVP_DecryptFinal_ex(context, octets(text), &size) == 1);
  if (!authentic) drain_error_queue();
  return authentic;
}

bool AeadOpener::open_record12(const AeadNonce& nonce,
                               std::span<const std::byte, kAssociatedDataSize12> data,
                               MutableBytes record) {
  const bool authentic = process_record12(cipher_, nonce, data, record);
  if (!authentic) drain_error_queue();
  return authentic;
}

}  // namespace sluice::dtls::crypto
