// The packets of RFC 9335 appendix A.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include <sluice/srtp/session.h>

#include "support/bytes.h"

namespace sluice::srtp {
namespace {

const nlohmann::json& cryptex_cases() {
  static const auto kDocument =
      nlohmann::json::parse(std::ifstream(SLUICE_TEST_DATA "/kat/srtp/cryptex_vectors.json"));
  return kDocument.at("cases");
}

// Both directions with one key, so that one session protects and unprotects the same packets.
Session session_of(const nlohmann::json& vector) {
  const auto master = test::from_hex(vector.at("master").get<std::string>());
  dtls::SrtpKeys keys{.profile = static_cast<dtls::SrtpProfile>(vector.at("profile")),
                      .local = dtls::SrtpMasterKey(dtls::Bytes(master)),
                      .remote = dtls::SrtpMasterKey(dtls::Bytes(master))};
  return Session::make(std::move(keys), {.cryptex = Cryptex::on}).value();
}

class CryptexVectors : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    if (!has_cryptex()) GTEST_SKIP() << "libsrtp has cryptex from 2.8.0 on";
  }
};

INSTANTIATE_TEST_SUITE_P(AppendixA, CryptexVectors, testing::Values(0, 1),
                         [](const auto& instance) { return instance.param == 0 ? "ctr" : "gcm"; });

TEST_P(CryptexVectors, Protect) {
  const auto& vector = cryptex_cases().at(GetParam());
  auto session = session_of(vector);
  for (const auto& sample : vector.at("packets")) {
    auto packet = test::from_hex(sample.at("plain").get<std::string>());
    const auto plain_size = packet.size();
    packet.resize(plain_size + kMaxTrailer);
    const auto size = session.protect_rtp(packet, plain_size);
    ASSERT_TRUE(size) << sample.at("name") << ": " << to_string(size.error());
    packet.resize(*size);
    EXPECT_EQ(test::to_hex(packet), sample.at("protected").get<std::string>()) << sample.at("name");
  }
}

TEST_P(CryptexVectors, Unprotect) {
  const auto& vector = cryptex_cases().at(GetParam());
  auto session = session_of(vector);
  for (const auto& sample : vector.at("packets")) {
    auto packet = test::from_hex(sample.at("protected").get<std::string>());
    const auto size = session.unprotect_rtp(packet);
    ASSERT_TRUE(size) << sample.at("name") << ": " << to_string(size.error());
    packet.resize(*size);
    EXPECT_EQ(test::to_hex(packet), sample.at("plain").get<std::string>()) << sample.at("name");
  }
}

TEST(CryptexVectorFile, HoldsAllOfTheAppendix) {
  ASSERT_EQ(cryptex_cases().size(), 2U);
  for (const auto& vector : cryptex_cases()) EXPECT_EQ(vector.at("packets").size(), 6U);
}

}  // namespace
}  // namespace sluice::srtp
