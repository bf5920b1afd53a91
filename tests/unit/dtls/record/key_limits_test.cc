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

}  // namespace
}  // namespace sluice::dtls::record
