#include "crypto/record_mask.h"

#include "crypto/failure.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {

Result<RecordMask> RecordMask::make(Library& library, AeadAlgorithm aead, Bytes key) {
  const EVP_CIPHER* cipher = library.mask_cipher(aead);
  CipherContextPtr context(EVP_CIPHER_CTX_new());
  if (cipher == nullptr || !context || key.size() != key_size(aead) ||
      EVP_EncryptInit_ex2(context.get(), cipher, octets(key), nullptr, nullptr) != 1) {
    return failure("record number key");
  }
  return RecordMask(aead, std::move(context));
}

std::optional<RecordMask::Mask> RecordMask::compute(
    std::span<const std::byte, kSampleSize> sample) {
  static constexpr std::array<std::byte, kSampleSize> kZeros{};
  std::array<std::byte, kSampleSize> block{};
  // With AES the mask is the encrypted sample. With ChaCha20 the sample is the block counter and
  // the nonce, and the mask is the key stream.
  const bool is_aes = aead_ != AeadAlgorithm::chacha20_poly1305;
  const Bytes iv = is_aes ? Bytes{} : Bytes(sample);
  const Bytes input = is_aes ? Bytes(sample) : Bytes(kZeros);
  int size = 0;
  if ((!is_aes &&
       EVP_EncryptInit_ex2(context_.get(), nullptr, nullptr, octets(iv), nullptr) != 1) ||
      EVP_EncryptUpdate(context_.get(), octets(MutableBytes(block)), &size, octets(input),
                        static_cast<int>(input.size())) != 1) {
    drain_error_queue();
    return std::nullopt;
  }
  return Mask{block[0], block[1]};
}

}  // namespace sluice::dtls::crypto
