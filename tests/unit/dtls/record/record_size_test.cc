#include "record/record_size.h"

#include <gtest/gtest.h>

namespace sluice::dtls::record {
namespace {

constexpr std::size_t kNoLimit = SIZE_MAX;

// As AES-GCM has it in DTLS 1.2.
constexpr RecordRoom kGcm12{13 + 8, 16};
// As AES-GCM and AES-CCM-8 have it in DTLS 1.3.
constexpr RecordRoom kGcm13{5, 1 + 16, 0, true};
constexpr RecordRoom kCcm8{5, 1 + 8, 7, true};

TEST(RecordSize, OfPlaintextIsItsHeader) {
  const RecordSize size({}, 16384, 0);
  EXPECT_EQ(size.head(), 13U);
  EXPECT_EQ(size.overhead(), 13U);
  EXPECT_EQ(size.max_contents(), 16384U);
  EXPECT_EQ(size.unpadded(0), 13U);
  EXPECT_EQ(size.padded(10, kNoLimit), 23U);
}

TEST(RecordSize, CountsWhatIsBeforeAndAfterTheContents) {
  const RecordSize size(kGcm12, 512, 100);
  EXPECT_EQ(size.head(), 21U);
  EXPECT_EQ(size.overhead(), 37U);
  EXPECT_EQ(size.max_contents(), 512U);
  EXPECT_EQ(size.unpadded(63), 100U);
  EXPECT_EQ(size.padded(63, kNoLimit), 100U) << "no padding without an inner plaintext";
}

TEST(RecordSize, ShortContentsArePaddedWhereTheTagIsShort) {
  const RecordSize size(kCcm8, 16384, 0);
  for (std::size_t contents = 0; contents <= 7; ++contents) {
    EXPECT_EQ(size.unpadded(contents), 5U + 7 + 1 + 8) << contents;
  }
  EXPECT_EQ(size.unpadded(8), 5U + 8 + 1 + 8);
}

// RecordRoom12::tail is an upper bound where a suite has padding of its own.
TEST(RecordSize, TheShortestRecordMayHaveLessThanTheTail) {
  EXPECT_EQ(RecordSize(kGcm12, 16384, 0).shortest(), 37U);
  EXPECT_EQ(RecordSize(kCcm8, 16384, 0).shortest(), 5U + 7 + 1 + 8);
  EXPECT_EQ(RecordSize({13 + 16, 48, 0, false, false}, 16384, 0).shortest(), 29U);
}

// The inner plaintext, type included, becomes a multiple.
TEST(RecordSize, PadsToAMultiple) {
  const RecordSize size(kGcm13, 16384, 32);
  EXPECT_EQ(size.padded(0, kNoLimit), 5U + 32 + 16);
  EXPECT_EQ(size.padded(31, kNoLimit), 5U + 32 + 16);
  EXPECT_EQ(size.padded(32, kNoLimit), 5U + 64 + 16);
  EXPECT_EQ(size.unpadded(32), 5U + 32 + 1 + 16);
  EXPECT_EQ(RecordSize(kGcm13, 16384, 1).padded(32, kNoLimit), size.unpadded(32));
}

TEST(RecordSize, PaddingKeepsToALimit) {
  const RecordSize size(kGcm13, 16384, 1000);
  EXPECT_EQ(size.padded(10, 548), 548U);
  EXPECT_EQ(size.padded(10, 5 + 1000 + 16), 5U + 1000 + 16);
  EXPECT_EQ(size.padded(600, 548), 5U + 600 + 1 + 16) << "the limit is of the padding alone";
}

// RFC 8449 section 4 counts type and padding: contents of 100 leave 101.
TEST(RecordSize, PaddingKeepsToWhatThePeerTakes) {
  const RecordSize size(kGcm13, 100, 64);
  EXPECT_EQ(size.padded(63, kNoLimit), 5U + 64 + 16);
  EXPECT_EQ(size.padded(64, kNoLimit), 5U + 101 + 16);
  EXPECT_EQ(size.padded(100, kNoLimit), 5U + 101 + 16);
}

// With a connection ID of 255 bytes (RFC 9146) and a block cipher.
TEST(RecordSize, HeadsMayBeLong) {
  const RecordSize size({13 + 255 + 16, 48, 0, true}, 16384, 0);
  EXPECT_EQ(size.head(), 284U);
  EXPECT_EQ(size.overhead(), 332U);
}

}  // namespace
}  // namespace sluice::dtls::record
