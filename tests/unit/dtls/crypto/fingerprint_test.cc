#include <openssl/sha.h>
#include <sluice/dtls/fingerprint.h>

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "crypto/fingerprint.h"
#include "crypto/library.h"
#include "unit/dtls/crypto/crypto_test.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::must;
using test::to_hex;

class FingerprintTest : public test::CryptoTest {
 protected:
  static Fingerprint of(std::string_view certificate, HashAlgorithm hash) {
    return must(Fingerprint::of(bytes_of(certificate), hash, test::environment()));
  }
  static bool is_announced(const std::vector<Fingerprint>& announced,
                           std::string_view certificate) {
    return must(matches(announced, bytes_of(certificate), test::environment()));
  }
  static std::string parse(std::string_view hash, std::string_view value) {
    const auto parsed = Fingerprint::parse(hash, value);
    return parsed ? parsed->to_sdp() : std::string(to_string(parsed.error().code));
  }
};

// "abc" by FIPS 180-4, in RFC 8122's form.
constexpr std::string_view kSha1OfAbc =
    "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D";
constexpr std::string_view kSha256OfAbc =
    "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:"
    "AD";

TEST_F(FingerprintTest, IsTheHashOfTheCertificate) {
  EXPECT_EQ(of("abc", HashAlgorithm::sha1).to_sdp(), "sha-1 " + std::string(kSha1OfAbc));
  EXPECT_EQ(of("abc", HashAlgorithm::sha256).to_sdp(), "sha-256 " + std::string(kSha256OfAbc));
  EXPECT_EQ(of("abc", HashAlgorithm::sha384).value.size(), 48U);
  EXPECT_EQ(of("abc", HashAlgorithm::sha512).value.size(), 64U);
}

TEST_F(FingerprintTest, WhatIsWrittenIsRead) {
  for (const auto hash :
       {HashAlgorithm::sha1, HashAlgorithm::sha256, HashAlgorithm::sha384, HashAlgorithm::sha512}) {
    const Fingerprint fingerprint = of("abc", hash);
    const std::string text = fingerprint.to_sdp();
    const auto space = text.find(' ');
    const auto parsed = Fingerprint::parse(text.substr(0, space), text.substr(space + 1));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, fingerprint);
    EXPECT_EQ(text.substr(0, space), to_string(hash));
  }
}

// RFC 8122 section 5: the hash's name in any case; hexadecimal is upper case, but some send lower.
TEST_F(FingerprintTest, IsReadInAnyCase) {
  std::string lower(kSha256OfAbc);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string expected = "sha-256 " + std::string(kSha256OfAbc);
  EXPECT_EQ(parse("sha-256", kSha256OfAbc), expected);
  EXPECT_EQ(parse("SHA-256", kSha256OfAbc), expected);
  EXPECT_EQ(parse("Sha-256", lower), expected);
}

TEST_F(FingerprintTest, UnknownHashesAreToldFromMalformedValues) {
  for (const auto* const hash : {"", "sha", "sha256", "sha-2", "sha-224", "md5", "sha-256 "}) {
    EXPECT_EQ(parse(hash, kSha256OfAbc), to_string(Errc::invalid_argument)) << hash;
  }
}

TEST_F(FingerprintTest, OtherFormsAreMalformed) {
  const std::string good(kSha256OfAbc);
  const auto malformed = [](const std::string& value) {
    return parse("sha-256", value) == to_string(Errc::decode_error);
  };
  EXPECT_TRUE(malformed(""));
  EXPECT_TRUE(malformed(good.substr(3))) << "a byte less";
  EXPECT_TRUE(malformed(good + ":00")) << "a byte more";
  EXPECT_TRUE(malformed(good + ":"));
  EXPECT_TRUE(malformed(" " + good));
  EXPECT_TRUE(malformed(good + "\r\n"));
  EXPECT_TRUE(malformed(std::string(kSha1OfAbc))) << "of another hash";
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char c : {'G', 'g', ' ', '-', '\0', '\xff'}) {
      std::string bad = good;
      bad[i] = c;
      EXPECT_TRUE(malformed(bad)) << i;
    }
  }
  std::string shifted = good;
  std::swap(shifted[1], shifted[2]);
  EXPECT_TRUE(malformed(shifted)) << "a colon inside a pair";
}

TEST_F(FingerprintTest, OneOfTheAnnouncedMustMatch) {
  const Fingerprint right = of("abc", HashAlgorithm::sha256);
  const Fingerprint wrong = of("other", HashAlgorithm::sha256);
  EXPECT_TRUE(is_announced({right}, "abc"));
  EXPECT_FALSE(is_announced({wrong}, "abc"));
  EXPECT_TRUE(is_announced({wrong, right}, "abc")) << "several certificates may be announced";
  EXPECT_FALSE(is_announced({}, "abc"));
}

// RFC 8122 section 5: of several hashes the strongest that is supported decides.
TEST_F(FingerprintTest, TheStrongestHashDecides) {
  const Fingerprint weak = of("abc", HashAlgorithm::sha1);
  const Fingerprint strong = of("abc", HashAlgorithm::sha512);
  const Fingerprint strong_of_another = of("other", HashAlgorithm::sha512);
  EXPECT_TRUE(is_announced({weak}, "abc"));
  EXPECT_TRUE(is_announced({weak, strong}, "abc"));
  EXPECT_TRUE(is_announced({of("other", HashAlgorithm::sha1), strong}, "abc"));
  EXPECT_FALSE(is_announced({weak, strong_of_another}, "abc"));
  EXPECT_FALSE(is_announced({strong_of_another, weak}, "abc"));
  EXPECT_FALSE(is_announced({of("abc", HashAlgorithm::sha256), strong_of_another}, "abc"));
}

TEST_F(FingerprintTest, AKnownHashIsNotComputedAgain) {
  const std::vector<Fingerprint> announced{of("abc", HashAlgorithm::sha256)};
  const auto match = [&](std::span<const Fingerprint> list, std::optional<crypto::Sha256> known) {
    return must(crypto::find_match(test::environment().library(), list, bytes_of("abc"), known));
  };
  crypto::Sha256 hash{};
  EXPECT_EQ(match(announced, {}), announced.data());
  EXPECT_EQ(match(announced, hash), nullptr) << "the known one counts";
  std::ranges::copy(announced.front().value, hash.begin());
  EXPECT_EQ(match(announced, hash), announced.data());
  EXPECT_EQ(match({}, hash), nullptr);
  const std::vector<Fingerprint> stronger{announced.front(), of("abc", HashAlgorithm::sha512)};
  EXPECT_EQ(match(stronger, hash), &stronger.back()) << "only a SHA-256 is known";
}

TEST_F(FingerprintTest, AnOddValueMatchesNothing) {
  const Fingerprint empty{HashAlgorithm::sha256, {}};
  EXPECT_FALSE(is_announced({empty}, "abc"));
  Fingerprint prefix = of("abc", HashAlgorithm::sha256);
  prefix.value.pop_back();
  EXPECT_FALSE(is_announced({prefix}, "abc"));
}

}  // namespace
}  // namespace sluice::dtls
