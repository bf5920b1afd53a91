// Whole packets against what another implementation makes of them, and against browsers' own.
// make_vectors.py says where vectors.json comes from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <sluice/srtp/session.h>

namespace sluice::srtp {
namespace {

using Packet = std::vector<std::byte>;

Packet from_hex(const std::string& hex) {
  Packet bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

const nlohmann::json& vectors() {
  static const auto kDocument =
      nlohmann::json::parse(std::ifstream(SLUICE_TEST_DATA "/kat/srtp/vectors.json"));
  return kDocument.at("cases");
}

// Both directions with one key, so that one session protects and unprotects the same vectors.
Session make_session(const nlohmann::json& vector) {
  const auto master = from_hex(vector.at("master"));
  dtls::SrtpKeys keys{.profile = static_cast<dtls::SrtpProfile>(vector.at("profile")),
                      .local = dtls::SrtpMasterKey(dtls::Bytes(master)),
                      .remote = dtls::SrtpMasterKey(dtls::Bytes(master))};
  return Session::make(std::move(keys)).value();
}

struct Sample {
  bool rtcp;
  Packet plain;
  Packet sealed;
};

std::vector<Sample> samples(const nlohmann::json& vector) {
  std::vector<Sample> all;
  for (const auto& packet : vector.at("packets")) {
    all.push_back({.rtcp = packet.at("kind") == "rtcp",
                   .plain = from_hex(packet.at("plain")),
                   .sealed = from_hex(packet.at("protected"))});
  }
  return all;
}

class SrtpVectors : public testing::TestWithParam<std::string> {
 protected:
  static const nlohmann::json& vector() {
    for (const auto& candidate : vectors()) {
      if (candidate.at("name") == GetParam()) return candidate;
    }
    throw std::runtime_error("no such case");
  }
  static bool from_browser() { return GetParam().starts_with("browser"); }
};

INSTANTIATE_TEST_SUITE_P(Cases, SrtpVectors,
                         testing::Values("aes128_cm_hmac_sha1_80", "aes128_cm_hmac_sha1_32",
                                         "aead_aes_128_gcm", "aead_aes_256_gcm", "browser_client",
                                         "browser_server"),
                         [](const auto& instance) { return instance.param; });

TEST_P(SrtpVectors, Unprotect) {
  auto session = make_session(vector());
  for (const auto& sample : samples(vector())) {
    EXPECT_EQ(is_rtcp(sample.sealed), sample.rtcp);
    auto packet = sample.sealed;
    const auto size = sample.rtcp ? session.unprotect_rtcp(packet) : session.unprotect_rtp(packet);
    ASSERT_TRUE(size) << to_string(size.error());
    packet.resize(*size);
    EXPECT_EQ(packet, sample.plain);
  }
}

TEST_P(SrtpVectors, Protect) {
  auto session = make_session(vector());
  for (const auto& sample : samples(vector())) {
    // A browser's first SRTCP index is its own affair.
    if (sample.rtcp && from_browser()) continue;
    auto packet = sample.plain;
    packet.resize(sample.plain.size() + kMaxTrailer);
    const auto size = sample.rtcp ? session.protect_rtcp(packet, sample.plain.size())
                                  : session.protect_rtp(packet, sample.plain.size());
    ASSERT_TRUE(size) << to_string(size.error());
    packet.resize(*size);
    EXPECT_EQ(packet, sample.sealed);
  }
}

TEST(SrtpVectorFile, HoldsNothingThatIsNotTested) {
  std::size_t packets = 0;
  for (const auto& vector : vectors()) packets += vector.at("packets").size();
  EXPECT_EQ(vectors().size(), 6U);
  EXPECT_EQ(packets, 4 * 6 + 40U);
}

}  // namespace
}  // namespace sluice::srtp
