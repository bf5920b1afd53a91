// How many records a key may seal, and which of them are for data (RFC 9147 section 4.5.3).
#include "record/key_limits.h"

#include <gtest/gtest.h>

#include "record/record_layer.h"
#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::dtls::record {
namespace {

constexpr std::uint64_t kLimitOfKey = 64;

RecordLayer limited_layer() {
  RecordLayer records;
  const Buffer key = test::counted(16);
  const Buffer salt = test::counted(4);
  records.add_writer12(test::must(Sealer12::make(test::environment().library(),
                                                 {crypto::AeadAlgorithm::aes_128_gcm, key, salt})),
                       {.records = kLimitOfKey});
  records.start_encrypting();
  return records;
}

bool seal_one(RecordLayer& records) {
  Buffer out(100);
  return records
      .seal(records.write_epoch(), wire::ContentType::application_data, test::counted(10), out)
      .has_value();
}

// Without numbers left a key could not be changed any more, and the connection not be closed.
TEST(KeyLimits, TheLastEighthOfAKeysRecordsIsNotForData) {
  RecordLayer records = limited_layer();
  for (std::uint64_t sealed = 0; sealed < kLimitOfKey; ++sealed) {
    EXPECT_EQ(records.takes_data(), sealed < kLimitOfKey * 7 / 8) << sealed;
    EXPECT_FALSE(records.exhausted(records.write_epoch())) << sealed;
    EXPECT_TRUE(seal_one(records)) << sealed;
  }
  EXPECT_TRUE(records.exhausted(records.write_epoch()));
  EXPECT_FALSE(seal_one(records));
}

TEST(KeyLimits, AnUpdateIsDueWhenHalfOfTheRecordsAreSealed) {
  RecordLayer records = limited_layer();
  for (std::uint64_t sealed = 0; sealed < kLimitOfKey; ++sealed) {
    EXPECT_EQ(records.should_update_keys(), sealed >= kLimitOfKey / 2) << sealed;
    ASSERT_TRUE(seal_one(records));
  }
}

// RFC 9147 section 4.5.3 and appendix B.
TEST(KeyLimits, OfDtls13AreThoseOfTheCipher) {
  using enum crypto::AeadAlgorithm;
  const auto are = [](crypto::AeadAlgorithm aead, std::uint64_t sealed, std::uint64_t forgeries) {
    const ConfigOptions options;
    const KeyLimits limits = key_limits13(aead, options);
    return limits.records == sealed && limits.forgeries == forgeries;
  };
  EXPECT_TRUE(are(aes_128_gcm, 23'726'566, std::uint64_t{1} << 36));
  EXPECT_TRUE(are(chacha20_poly1305, UINT64_MAX, std::uint64_t{1} << 36));
  EXPECT_TRUE(are(aes_128_ccm, 8'388'608, 11'863'283));
}

}  // namespace
}  // namespace sluice::dtls::record
