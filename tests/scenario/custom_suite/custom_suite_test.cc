// A cipher suite that a caller brings along: AES-128-OCB (RFC 7253), which the engine doesn't have.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <cstring>

#include "support/connections.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
using dtls::Bytes;
using dtls::CipherSuite;
using dtls::CipherSuite12;
using dtls::KeyExchange12;
using dtls::MutableBytes;
using dtls::RecordProtection12;

constexpr CipherSuite kId{0xff77};
constexpr std::size_t kTag = 16;

// The record's number is the nonce, under four bytes of the key block.
class Ocb final : public RecordProtection12 {
 public:
  explicit Ocb(const dtls::RecordKeys12& keys) {
    std::memcpy(key_.data(), keys.key.data(), key_.size());
    std::memcpy(nonce_.data(), keys.iv.data(), keys.iv.size());
  }

  std::optional<std::size_t> seal(const Header& header, Bytes plaintext,
                                  MutableBytes out) override {
    std::memmove(out.data(), plaintext.data(), plaintext.size());
    start(header, plaintext.size(), true);
    update(out.first(plaintext.size()));
    EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kTag, &out[plaintext.size()]);
    return plaintext.size() + kTag;
  }
  std::optional<MutableBytes> open(const Header& header, MutableBytes fragment) override {
    if (fragment.size() < kTag) return std::nullopt;
    const MutableBytes contents = fragment.first(fragment.size() - kTag);
    start(header, contents.size(), false);
    EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kTag, &fragment[contents.size()]);
    return update(contents) ? std::optional(contents) : std::nullopt;
  }

 private:
  void start(const Header& header, std::size_t size, bool encrypts) {
    std::memcpy(&nonce_[4], &header.number, sizeof header.number);
    EVP_CIPHER_CTX_reset(context_.get());
    EVP_CipherInit_ex(context_.get(), EVP_aes_128_ocb(), nullptr, key_.data(), nonce_.data(),
                      encrypts ? 1 : 0);
    std::array<unsigned char, 11> data{header.content_type};
    const auto version = static_cast<std::uint16_t>(header.version);
    std::memcpy(&data[1], &version, sizeof version);
    std::memcpy(&data[3], &size, sizeof size);
    int done = 0;
    EVP_CipherUpdate(context_.get(), nullptr, &done, data.data(), static_cast<int>(data.size()));
  }
  // All of it at once, in place.
  bool update(MutableBytes text) {
    auto* bytes = reinterpret_cast<unsigned char*>(text.data());
    int done = 0;
    int last = 0;
    EVP_CipherUpdate(context_.get(), bytes, &done, bytes, static_cast<int>(text.size()));
    return EVP_CipherFinal_ex(context_.get(), bytes + done, &last) == 1;
  }

  std::array<unsigned char, 16> key_{};
  std::array<unsigned char, 12> nonce_{};
  std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context_{EVP_CIPHER_CTX_new(),
                                                                           EVP_CIPHER_CTX_free};
};

class OcbSuite final : public CipherSuite12 {
 public:
  explicit OcbSuite(KeyExchange12 exchange) : exchange_(exchange) {}

  [[nodiscard]] CipherSuite id() const override { return kId; }
  [[nodiscard]] std::string_view name() const override { return "OUR_OWN_AES_128_OCB_SHA384"; }
  [[nodiscard]] KeyExchange12 key_exchange() const override { return exchange_; }
  [[nodiscard]] dtls::HashAlgorithm hash() const override { return dtls::HashAlgorithm::sha384; }
  [[nodiscard]] dtls::KeySizes12 key_sizes() const override { return {0, 16, 4}; }
  [[nodiscard]] dtls::RecordRoom12 room() const override { return {0, kTag}; }
  [[nodiscard]] std::unique_ptr<RecordProtection12> protect(
      const dtls::RecordKeys12& keys) const override {
    return std::make_unique<Ocb>(keys);
  }

 private:
  KeyExchange12 exchange_;
};

class CustomSuite : public testing::TestWithParam<KeyExchange12> {
 protected:
  static dtls::ConfigOptions options() {
    dtls::ConfigOptions chosen = options_for(dtls::ProtocolVersion::dtls12);
    chosen.cipher_suites = {kId};
    chosen.custom_cipher_suites = {std::make_shared<OcbSuite>(GetParam())};
    if (GetParam() == KeyExchange12::ecdhe_rsa) chosen.identities = {rsa_identity()};
    chosen.pre_shared_keys = {
        must(dtls::PreSharedKey::make(bytes_of("us"), Buffer(16, std::byte{1})))};
    return chosen;
  }
};

TEST_P(CustomSuite, ProtectsACall) {
  Pair pair = connected_pair(options());
  EXPECT_EQ(pair.client.connected->cipher_suite, kId);
  EXPECT_EQ(pair.server.connected->cipher_suite, kId);
  EXPECT_EQ(pair.client.connected->psk, uses_psk(GetParam()));
  EXPECT_TRUE(works(pair));
  // Replays and forgeries are the engine's care.
  const Buffer record = pair.client.seal(bytes_of("once"));
  Buffer forged = record;
  forged.back() ^= std::byte{1};
  pair.server.receive(forged, {});
  pair.server.receive(record, {});
  pair.server.receive(record, {});
  EXPECT_EQ(discards(pair.server, dtls::Discard::authentication_failed), 1U);
  EXPECT_EQ(discards(pair.server, dtls::Discard::replayed), 1U);
  EXPECT_EQ(pair.server.data.size(), 2U);
}

TEST_P(CustomSuite, IsNotThereForAPeerThatHasntIt) {
  dtls::ConfigOptions both = options();
  both.cipher_suites.push_back(CipherSuite::psk_with_aes_128_ccm_8);
  dtls::ConfigOptions usual = both;
  usual.custom_cipher_suites.clear();
  usual.cipher_suites = {CipherSuite::psk_with_aes_128_ccm_8};
  Pair pair(both);
  pair.server = make_server(make_config(usual));
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_EQ(pair.client.connected->cipher_suite, CipherSuite::psk_with_aes_128_ccm_8);
}

TEST_P(CustomSuite, ItsSessionsAreResumed) {
  dtls::ConfigOptions resuming = options();
  resuming.resumption = dtls::Resumption::tickets;
  resuming.ticket_keys = std::make_shared<dtls::TicketKeys>();
  const Pair first = connected_pair(resuming);
  ASSERT_EQ(first.client.sessions.size(), 1U);
  const auto meet = [&](const dtls::ConfigOptions& chosen) {
    Pair pair(chosen);
    pair.client = make_client(make_config(chosen), {}, first.client.sessions.at(0));
    pair.run();
    EXPECT_TRUE(works(pair));
    return pair.client.connected->resumed;
  };
  EXPECT_TRUE(meet(resuming));
  // Not without the suite.
  resuming.custom_cipher_suites.clear();
  resuming.cipher_suites = {CipherSuite::psk_with_aes_128_ccm_8};
  EXPECT_FALSE(meet(resuming));
}

INSTANTIATE_TEST_SUITE_P(KeyExchanges, CustomSuite,
                         testing::Values(KeyExchange12::ecdhe_ecdsa, KeyExchange12::ecdhe_rsa,
                                         KeyExchange12::psk, KeyExchange12::ecdhe_psk));

// Its number must be of private use, and its sizes within bounds.
TEST(CustomSuiteConfig, IsChecked) {
  class Wrong final : public CipherSuite12 {
   public:
    [[nodiscard]] CipherSuite id() const override { return CipherSuite{0xc0ff}; }
    [[nodiscard]] std::string_view name() const override { return ""; }
    [[nodiscard]] KeyExchange12 key_exchange() const override { return KeyExchange12::psk; }
    [[nodiscard]] dtls::HashAlgorithm hash() const override { return dtls::HashAlgorithm::sha256; }
    [[nodiscard]] dtls::KeySizes12 key_sizes() const override { return {}; }
    [[nodiscard]] dtls::RecordRoom12 room() const override { return {}; }
    [[nodiscard]] std::unique_ptr<RecordProtection12> protect(
        const dtls::RecordKeys12&) const override {
      return nullptr;
    }
  };
  dtls::ConfigOptions chosen = options();
  chosen.custom_cipher_suites = {std::make_shared<Wrong>()};
  const auto refused = dtls::Config::make(chosen);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().detail.starts_with("custom_cipher_suites"));
}

}  // namespace
}  // namespace sluice::test
