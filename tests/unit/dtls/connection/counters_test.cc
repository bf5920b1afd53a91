// How counts are stored.
#include "connection/counters.h"

#include <gtest/gtest.h>

namespace sluice::dtls::connection {
namespace {

constexpr std::uint64_t kDatagram = 65'535;

TEST(StoredCounters, TotalsAreExactAboveFourGigabytes) {
  Counters counters;
  constexpr std::uint64_t kDatagrams = 70'000;
  static_assert(kDatagrams * kDatagram > UINT32_MAX);
  for (std::uint64_t i = 0; i < kDatagrams; ++i) {
    counters.count_received(kDatagram);
    counters.count_sent(kDatagram - 1);
  }
  const Statistics statistics = counters.statistics();
  EXPECT_EQ(statistics.datagrams_received, kDatagrams);
  EXPECT_EQ(statistics.bytes_received, kDatagrams * kDatagram);
  EXPECT_EQ(statistics.datagrams_sent, kDatagrams);
  EXPECT_EQ(statistics.bytes_sent, kDatagrams * (kDatagram - 1));
}

TEST(StoredCounters, TotalsCarryAtTwoToThe32) {
  Counters counters;
  counters.count_records_sent(UINT32_MAX);
  EXPECT_EQ(counters.statistics().records_sent, std::uint64_t{UINT32_MAX});
  counters.count_records_sent(1);
  EXPECT_EQ(counters.statistics().records_sent, std::uint64_t{UINT32_MAX} + 1);
  counters.count_records_sent(std::size_t{1} << 34 | 5);
  EXPECT_EQ(counters.statistics().records_sent, (std::uint64_t{5} << 32) + 5);
}

TEST(StoredCounters, ATimeIsAbsentUntilItIsSet) {
  Counters counters;
  EXPECT_FALSE(counters.statistics().rtt);
  counters.set_rtt(Duration::zero());
  EXPECT_EQ(counters.statistics().rtt, Duration::zero());
  EXPECT_FALSE(counters.statistics().handshake_duration);
}

}  // namespace
}  // namespace sluice::dtls::connection
