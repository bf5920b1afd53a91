// A custom cipher suite: AES-128-OCB (RFC 7253), which Sluice does not implement.
#pragma once

#include <openssl/evp.h>
#include <sluice/dtls/cipher_suite12.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace dtls = sluice::dtls;

// Protects the records of one direction. The nonce is four bytes of the key block, then the record
// number, so a key never uses a nonce twice.
class OcbRecords final : public dtls::RecordProtection12 {
 public:
  static constexpr std::size_t kTag = 16;

  explicit OcbRecords(const dtls::RecordKeys12& keys) {
    std::memcpy(key_.data(), keys.key.data(), key_.size());
    std::memcpy(nonce_.data(), keys.iv.data(), keys.iv.size());
  }

  std::optional<std::size_t> seal(dtls::RecordNumber12 number,
                                  dtls::AdditionalData12 additional_data, dtls::Bytes plaintext,
                                  dtls::MutableBytes out) override {
    std::memmove(out.data(), plaintext.data(), plaintext.size());
    const auto text = out.first(plaintext.size());
    if (!start(number, additional_data.with_length(text.size()), true) || !run(text) ||
        EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kTag, &out[text.size()]) != 1) {
      return std::nullopt;
    }
    return text.size() + kTag;
  }

  std::optional<dtls::MutableBytes> open(dtls::RecordNumber12 number,
                                         dtls::AdditionalData12 additional_data,
                                         dtls::MutableBytes fragment) override {
    if (fragment.size() < kTag) return std::nullopt;
    const auto text = fragment.first(fragment.size() - kTag);
    std::byte* tag = text.data() + text.size();
    if (!start(number, additional_data.with_length(text.size()), false) ||
        EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kTag, tag) != 1 || !run(text)) {
      return std::nullopt;
    }
    return text;
  }

 private:
  bool start(dtls::RecordNumber12 number, dtls::Bytes additional_data, bool seals) {
    // The most significant byte first.
    for (std::size_t i = 0; i < 8; ++i) {
      nonce_[11 - i] =
          static_cast<unsigned char>(static_cast<std::uint64_t>(number) >> (8 * i) & 0xff);
    }
    int done = 0;
    EVP_CIPHER_CTX_reset(context_.get());
    return EVP_CipherInit_ex(context_.get(), EVP_aes_128_ocb(), nullptr, key_.data(), nonce_.data(),
                             seals ? 1 : 0) == 1 &&
           EVP_CipherUpdate(context_.get(), nullptr, &done,
                            reinterpret_cast<const unsigned char*>(additional_data.data()),
                            static_cast<int>(additional_data.size())) == 1;
  }

  // Processes the whole text in place.
  bool run(dtls::MutableBytes text) {
    auto* bytes = reinterpret_cast<unsigned char*>(text.data());
    int done = 0;
    int last = 0;
    return EVP_CipherUpdate(context_.get(), bytes, &done, bytes, static_cast<int>(text.size())) ==
               1 &&
           EVP_CipherFinal_ex(context_.get(), bytes + done, &last) == 1;
  }

  std::array<unsigned char, 16> key_{};
  std::array<unsigned char, 12> nonce_{};
  std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context_{EVP_CIPHER_CTX_new(),
                                                                           EVP_CIPHER_CTX_free};
};

class OcbSuite final : public dtls::CipherSuite12 {
 public:
  static constexpr dtls::CipherSuite kId{0xff77};  // of those for private use

  explicit OcbSuite(dtls::KeyExchange12 exchange) : exchange_(exchange) {}

  [[nodiscard]] dtls::CipherSuite id() const override { return kId; }
  [[nodiscard]] std::string_view name() const override { return "OUR_OWN_AES_128_OCB_SHA384"; }
  [[nodiscard]] dtls::KeyExchange12 key_exchange() const override { return exchange_; }
  [[nodiscard]] dtls::HashAlgorithm hash() const override { return dtls::HashAlgorithm::sha384; }
  [[nodiscard]] dtls::KeySizes12 key_sizes() const override { return {0, 16, 4}; }
  [[nodiscard]] dtls::RecordRoom12 room() const override { return {0, OcbRecords::kTag}; }
  [[nodiscard]] std::unique_ptr<dtls::RecordProtection12> protect(
      const dtls::RecordKeys12& keys) const override {
    return std::make_unique<OcbRecords>(keys);
  }

 private:
  dtls::KeyExchange12 exchange_;
};
