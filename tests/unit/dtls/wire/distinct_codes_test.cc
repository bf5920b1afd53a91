#include "wire/distinct_codes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace sluice::dtls::wire {
namespace {

constexpr std::size_t kMost = 128;

// Counts how often two are compared.
struct CountedCode {
  std::uint16_t value = 0;

  friend bool operator==(const CountedCode& a, const CountedCode& b) {
    ++comparisons;
    return a.value == b.value;
  }
  friend auto operator<=>(const CountedCode& a, const CountedCode& b) {
    ++comparisons;
    return a.value <=> b.value;
  }
  static inline std::size_t comparisons = 0;
};

bool are_distinct(const std::vector<std::uint16_t>& values) {
  DistinctCodes<CountedCode, kMost> codes;
  for (const std::uint16_t value : values) EXPECT_TRUE(codes.add({value}));
  return codes.are_distinct();
}

TEST(DistinctCodes, FindsACodeThatOccursTwiceWhereverItIs) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::vector<std::uint16_t> values(random() % (kMost + 1));
    for (auto& value : values) value = static_cast<std::uint16_t>(random() % 3000);
    const std::set<std::uint16_t> different(values.begin(), values.end());
    EXPECT_EQ(are_distinct(values), different.size() == values.size());
  }
}

TEST(DistinctCodes, TakesAsManyAsItsBound) {
  DistinctCodes<std::uint16_t, 3> codes;
  for (std::uint16_t value = 7; value < 10; ++value) EXPECT_TRUE(codes.add(value));
  EXPECT_FALSE(codes.add(10));
  EXPECT_TRUE(codes.are_distinct());
}

// A peer chooses the codes and their order.
TEST(DistinctCodes, ComparesNoMoreThanSortingDoes) {
  std::size_t most = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<std::uint16_t> values(kMost);
    for (std::size_t i = 0; i < kMost; ++i) {
      const std::array<std::size_t, 5> orders{i, kMost - i, i ^ 1U, std::min(i, kMost - i),
                                              random() % 60000};
      values[i] = static_cast<std::uint16_t>(orders[seed % orders.size()]);
    }
    CountedCode::comparisons = 0;
    static_cast<void>(are_distinct(values));
    most = std::max(most, CountedCode::comparisons);
  }
  RecordProperty("comparisons", static_cast<int>(most));
  // 128 log2(128) is 896; comparing each with each takes 8128.
  EXPECT_LT(most, 4 * kMost * std::bit_width(kMost));
}

}  // namespace
}  // namespace sluice::dtls::wire
