// The record numbers that an ACK lists (RFC 9147 section 7).
#include "flight/received_records.h"

#include <gtest/gtest.h>

namespace sluice::dtls::flight {
namespace {

message::RecordNumber number(std::uint64_t sequence) {
  return {wire::kHandshakeEpoch13, wire::SequenceNumber{sequence}};
}

TEST(ReceivedRecords, AreTheNewestOnceAndInOrder) {
  ReceivedRecords records;
  for (const std::uint64_t sequence : {1U, 7U, 3U, 7U, 2U}) records.add(number(sequence));
  const message::RecordNumbers all{number(1), number(2), number(3), number(7)};
  EXPECT_EQ(records.newest(10), all);
  const message::RecordNumbers last{number(2), number(3)};
  EXPECT_EQ(records.newest(2), last);
}

TEST(ReceivedRecords, HaveABound) {
  ReceivedRecords records;
  constexpr std::size_t kMore = ReceivedRecords::kMax + 10;
  for (std::uint64_t sequence = 0; sequence < kMore; ++sequence) records.add(number(sequence));
  const auto kept = records.newest(kMore);
  ASSERT_EQ(kept.size(), ReceivedRecords::kMax);
  EXPECT_EQ(kept.front(), number(10));
}

}  // namespace
}  // namespace sluice::dtls::flight
