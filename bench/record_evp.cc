// What an AEAD costs in libcrypto alone: the context keyed once, a nonce, additional data and the
// data a record.
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <stdexcept>

#include "record.h"
#include "record_batch.h"

namespace sluice::bench {
namespace {

constexpr std::array<unsigned char, 32> kRecordKey{1};

struct EvpNames {
  const char* aead;
  const char* mask;  // of DTLS 1.3's record numbers (RFC 9147 section 4.2.3)
  int tag;
  bool is_ccm;
};

EvpNames names_of(RecordAead aead) {
  switch (aead) {
    case RecordAead::aes_128_gcm:
      return {"AES-128-GCM", "AES-128-ECB", 16, false};
    case RecordAead::aes_256_gcm:
      return {"AES-256-GCM", "AES-256-ECB", 16, false};
    case RecordAead::chacha20_poly1305:
      return {"ChaCha20-Poly1305", "ChaCha20", 16, false};
    case RecordAead::aes_128_ccm:
      return {"AES-128-CCM", "AES-128-ECB", 16, true};
    case RecordAead::aes_128_ccm_8:
      return {"AES-128-CCM", "AES-128-ECB", 8, true};
  }
  throw std::logic_error("AEAD");
}

void evp(int result) {
  if (result != 1) throw std::runtime_error("libcrypto");
}

// One direction.
class RawCipher {
 public:
  RawCipher(const RecordKind& kind, bool seals)
      : names_(names_of(kind.aead)),
        is_13_(kind.is_13()),
        // 1.2: the sequence number, the type, the version, the length; 1.3: the unified header.
        header_size_(is_13_ ? 5 : 13) {
    const Cipher cipher(EVP_CIPHER_fetch(nullptr, names_.aead, nullptr), EVP_CIPHER_free);
    const Cipher mask(EVP_CIPHER_fetch(nullptr, names_.mask, nullptr), EVP_CIPHER_free);
    evp(EVP_CipherInit_ex2(context_.get(), cipher.get(), nullptr, nullptr, seals ? 1 : 0, nullptr));
    if (names_.is_ccm) {
      evp(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_IVLEN, 12, nullptr));
      evp(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, names_.tag, nullptr));
    }
    evp(EVP_CipherInit_ex2(context_.get(), nullptr, kRecordKey.data(), nullptr, seals ? 1 : 0,
                           nullptr));
    evp(EVP_EncryptInit_ex2(mask_.get(), mask.get(), kRecordKey.data(), nullptr, nullptr));
    is_chacha_ = kind.aead == RecordAead::chacha20_poly1305;
  }

  std::size_t seal(dtls::Bytes data, dtls::MutableBytes out) {
    auto* text = reinterpret_cast<unsigned char*>(out.data());
    const int length = static_cast<int>(data.size());
    int size = 0;
    next_nonce();
    evp(EVP_EncryptInit_ex2(context_.get(), nullptr, nullptr, nonce_.data(), nullptr));
    if (names_.is_ccm) evp(EVP_EncryptUpdate(context_.get(), nullptr, &size, nullptr, length));
    evp(EVP_EncryptUpdate(context_.get(), nullptr, &size, header_.data(), header_size_));
    evp(EVP_EncryptUpdate(context_.get(), text, &size,
                          reinterpret_cast<const unsigned char*>(data.data()), length));
    evp(EVP_EncryptFinal_ex(context_.get(), text + length, &size));
    evp(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, names_.tag, text + length));
    if (is_13_) mask(text);
    return data.size() + static_cast<std::size_t>(names_.tag);
  }

  void open(dtls::MutableBytes record) {
    auto* text = reinterpret_cast<unsigned char*>(record.data());
    const int length = static_cast<int>(record.size()) - names_.tag;
    int size = 0;
    if (is_13_) mask(text);
    next_nonce();
    evp(EVP_DecryptInit_ex2(context_.get(), nullptr, nullptr, nonce_.data(), nullptr));
    evp(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, names_.tag, text + length));
    if (names_.is_ccm) evp(EVP_DecryptUpdate(context_.get(), nullptr, &size, nullptr, length));
    evp(EVP_DecryptUpdate(context_.get(), nullptr, &size, header_.data(), header_size_));
    evp(EVP_DecryptUpdate(context_.get(), text, &size, text, length));
    if (!names_.is_ccm) evp(EVP_DecryptFinal_ex(context_.get(), text + length, &size));
  }

 private:
  using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
  using Cipher = std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)>;

  void next_nonce() {
    // Of the record number two bytes are enough here: no round has more records.
    ++nonce_[11];
    if (nonce_[11] == 0) ++nonce_[10];
  }

  void mask(const unsigned char* sample) {
    static constexpr std::array<unsigned char, 16> kZeros{};
    int size = 0;
    if (is_chacha_) evp(EVP_EncryptInit_ex2(mask_.get(), nullptr, nullptr, sample, nullptr));
    evp(EVP_EncryptUpdate(mask_.get(), mask_block_.data(), &size,
                          is_chacha_ ? kZeros.data() : sample, 16));
    benchmark::DoNotOptimize(mask_block_);
  }

  EvpNames names_;
  bool is_13_;
  int header_size_;
  bool is_chacha_ = false;
  Context context_{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
  Context mask_{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
  std::array<unsigned char, 12> nonce_{};
  std::array<unsigned char, 13> header_{};
  std::array<unsigned char, 32> mask_block_{};
};

}  // namespace

void run_evp_records(benchmark::State& state, const RecordKind& kind) {
  RawCipher sealer(kind, true);
  RawCipher opener(kind, false);
  // The ciphertext lies where a record has it: behind the header and, for AES in DTLS 1.2, the
  // explicit nonce. That no cipher's loads and stores are aligned then is the protocol's doing.
  const bool has_explicit_nonce = !kind.is_13() && kind.aead != RecordAead::chacha20_poly1305;
  const std::size_t offset = kind.is_13() ? 5 : has_explicit_nonce ? 13 + 8 : 13;
  // DTLS 1.3 encrypts the type with the data.
  const dtls::Buffer data(kind.size + (kind.is_13() ? 1 : 0), std::byte{0x42});
  run_record_work(
      state, kind.work,
      [&](dtls::MutableBytes room) { return offset + sealer.seal(data, room.subspan(offset)); },
      [&](dtls::MutableBytes record) { opener.open(record.subspan(offset)); });
}

}  // namespace sluice::bench
