// A cipher suite of one's own: AES-128-OCB (RFC 7253), which Sluice doesn't have.
#pragma once

#include <openssl/evp.h>
#include <sluice/dtls/cipher_suite12.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace dtls = sluice::dtls;

// One direction's records. The nonce is the record's number, behind four bytes of the key block; no
// number comes twice under a key.
class OcbRecords final : public dtls::RecordProtection12 {
 public:
  static constexpr std::size_t kTag = 16;

  explicit OcbRecords(const dtls::RecordKeys12& keys) {
    std::memcpy(key_.data(), keys.key.data(), key_.size());
    std::memcpy(nonce_.data(), keys.iv.data(), keys.iv.size());
  }

  std::optional<std::size_t> seal(const Header& header, dtls::Bytes plaintext,
                                  dtls::MutableBytes out) override {
    std::memmove(out.data(), plaintext.data(), plaintext.size());
    const auto text = out.first(plaintext.size());
    if (!start(header, text.size(), true) || !run(text) ||
        EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kTag, &out[text.size()]) != 1) {
      return std::nullopt;
    }
    return text.size() + kTag;
  }

  std::optional<dtls::MutableBytes> open(const Header& header,
                                         dtls::MutableBytes fragment) override {
    if (fragment.size() < kTag) return std::nullopt;
    const auto text = fragment.first(fragment.size() - kTag);
    std::byte* tag = text.data() + text.size();
    if (!start(header, text.size(), false) ||
        EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kTag, tag) != 1 || !run(text)) {
      return std::nullopt;
    }
    return text;
  }

 private:
  // Most significant byte first.
  static void put(unsigned char* at, std::size_t size, std::uint64_t value) {
    for (std::size_t i = 0; i < size; ++i) {
      at[i] = static_cast<unsigned char>(value >> (8 * (size - 1 - i)));
    }
  }

  // As RFC 5246 section 6.2.3.3 has it: number, type, version and length are authenticated.
  bool start(const Header& header, std::size_t size, bool seals) {
    put(&nonce_[4], 8, header.number);
    std::array<unsigned char, 13> data{};
    put(&data[0], 8, header.number);
    put(&data[8], 1, header.content_type);
    put(&data[9], 2, static_cast<std::uint16_t>(header.version));
    put(&data[11], 2, size);
    int done = 0;
    EVP_CIPHER_CTX_reset(context_.get());
    return EVP_CipherInit_ex(context_.get(), EVP_aes_128_ocb(), nullptr, key_.data(), nonce_.data(),
                             seals ? 1 : 0) == 1 &&
           EVP_CipherUpdate(context_.get(), nullptr, &done, data.data(),
                            static_cast<int>(data.size())) == 1;
  }

  // All of it at once, in place.
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
