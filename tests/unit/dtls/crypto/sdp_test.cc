#include <sluice/dtls/sdp.h>

#include <gtest/gtest.h>

namespace sluice::dtls {
namespace {

constexpr std::string_view kSha1 =
    "sha-1 A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D";

TEST(Sdp, FingerprintsAreFoundAmongOtherLines) {
  const std::string text =
      "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=fingerprint:" + std::string(kSha1) +
      "\r\na=setup:actpass\na=fingerprint:" + std::string(kSha1) + "\n";
  const auto found = fingerprints_in(text);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].to_sdp(), kSha1);
  EXPECT_EQ(found[1], found[0]);
}

TEST(Sdp, LinesThatCannotBeUsedAreSkipped) {
  const std::string text = "a=fingerprint:md2 00:11\r\na=fingerprint:sha-256\r\n" +
                           ("a=fingerprint:" + std::string(kSha1)) + "\r\n a=fingerprint:sha-1 00";
  EXPECT_EQ(fingerprints_in(text).size(), 1U);
  EXPECT_TRUE(fingerprints_in("").empty());
}

TEST(Sdp, AFingerprintIsOneTextOrTwo) {
  const auto one = Fingerprint::parse(kSha1);
  ASSERT_TRUE(one);
  EXPECT_EQ(*one, *Fingerprint::parse("sha-1", kSha1.substr(6)));
  EXPECT_EQ(Fingerprint::parse("sha-1").error().code, Errc::decode_error);
}

// RFC 8842 section 5: the active side is the client.
TEST(Sdp, SetupGivesTheRole) {
  EXPECT_EQ(role_by_setup("active"), Role::server);
  EXPECT_EQ(role_by_setup("passive"), Role::client);
  EXPECT_EQ(role_by_setup("actpass"), Role::client);
  EXPECT_EQ(role_by_setup("actpass", Role::server), Role::server);
  EXPECT_FALSE(role_by_setup("holdconn"));
  EXPECT_FALSE(role_by_setup("Active"));
}

}  // namespace
}  // namespace sluice::dtls
