// DTLS 1.2 records made once more, by nothing of the engine: plain EVP calls and RFC 5246.
#pragma once

#include <openssl/evp.h>
#include <sluice/dtls/bytes.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "support/bytes.h"

namespace sluice::test {

// Ciphertext and tag.
inline dtls::Buffer reference_seal(const std::string& cipher, dtls::Bytes key, dtls::Bytes nonce,
                                   dtls::Bytes associated_data, dtls::Bytes plaintext) {
  const auto octets = [](dtls::Bytes bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
  };
  const std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)> algorithm(
      EVP_CIPHER_fetch(nullptr, cipher.c_str(), nullptr), EVP_CIPHER_free);
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  dtls::Buffer out(plaintext.size() + 16);
  auto* at = reinterpret_cast<unsigned char*>(out.data());
  int size = 0;
  const bool sealed =
      EVP_EncryptInit_ex2(context.get(), algorithm.get(), octets(key), octets(nonce), nullptr) ==
          1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &size, octets(associated_data),
                        static_cast<int>(associated_data.size())) == 1 &&
      (plaintext.empty() || EVP_EncryptUpdate(context.get(), at, &size, octets(plaintext),
                                              static_cast<int>(plaintext.size())) == 1) &&
      EVP_EncryptFinal_ex(context.get(), at + plaintext.size(), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, at + plaintext.size()) == 1;
  if (!sealed) throw std::runtime_error("reference AEAD");
  return out;
}

// What a test gives a record besides its plaintext, in hexadecimal.
struct ReferenceRecord {
  std::string type = "17";
  std::string version = "fefd";
  std::string number = "0001 000000000000";  // epoch and sequence number
  std::string explicit_nonce = number;       // of GCM; may be anything that the sender likes
};

inline dtls::Buffer join(std::initializer_list<dtls::Bytes> parts) {
  dtls::Buffer all;
  for (const dtls::Bytes part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

inline dtls::Buffer length16(std::size_t length) {
  return {static_cast<std::byte>(length >> 8), static_cast<std::byte>(length & 0xff)};
}

// additional_data of RFC 5246 section 6.2.3.3, with RFC 6347's record number.
inline dtls::Buffer associated_data(const ReferenceRecord& record, std::size_t length) {
  return join({from_hex(record.number), from_hex(record.type + record.version), length16(length)});
}

// RFC 5288 section 3: salt and explicit nonce, which goes before the ciphertext.
inline dtls::Buffer reference_gcm(const std::string& cipher, dtls::Bytes key, dtls::Bytes salt,
                                  const ReferenceRecord& record, dtls::Bytes plaintext) {
  const dtls::Buffer explicit_nonce = from_hex(record.explicit_nonce);
  const dtls::Buffer sealed = reference_seal(cipher, key, join({salt, explicit_nonce}),
                                             associated_data(record, plaintext.size()), plaintext);
  return join({from_hex(record.type + record.version + record.number),
               length16(explicit_nonce.size() + sealed.size()), explicit_nonce, sealed});
}

// RFC 7905 section 2: the record number, padded on the left, exclusive-or the IV.
inline dtls::Buffer reference_chacha20(dtls::Bytes key, dtls::Bytes iv,
                                       const ReferenceRecord& record, dtls::Bytes plaintext) {
  dtls::Buffer nonce = join({from_hex("00000000"), from_hex(record.number)});
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] ^= iv[i];
  const dtls::Buffer sealed = reference_seal("ChaCha20-Poly1305", key, nonce,
                                             associated_data(record, plaintext.size()), plaintext);
  return join(
      {from_hex(record.type + record.version + record.number), length16(sealed.size()), sealed});
}

}  // namespace sluice::test
