#include "load/delay_histogram.h"

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::interop::load {
namespace {

using namespace std::chrono_literals;

TEST(DelayHistogram, IsEmptyAtFirst) {
  const DelayHistogram delays;
  EXPECT_EQ(delays.total(), 0U);
  EXPECT_EQ(delays.percentile(0.99), 0us);
  EXPECT_EQ(delays.most(), 0us);
}

TEST(DelayHistogram, SmallDelaysAreExact) {
  DelayHistogram delays;
  for (int i = 1; i <= 60; ++i) delays.add(std::chrono::microseconds{i});
  EXPECT_EQ(delays.percentile(0.5), 30us);
  EXPECT_EQ(delays.percentile(1), 60us);
}

// Of any size: never below the true value, and at most 1/32 above it.
TEST(DelayHistogram, PercentilesAreCloseAboveTheTruth) {
  for (std::int64_t delay = 1; delay < 60'000'000; delay += delay / 7 + 1) {
    DelayHistogram delays;
    delays.add(dtls::Duration(delay));
    delays.add(59s);  // so that the longest one does not bound the result
    const auto told = delays.percentile(0.5).count();
    EXPECT_GE(told, delay);
    EXPECT_LE(told, delay + delay / 32);
  }
}

TEST(DelayHistogram, TheTailCounts) {
  DelayHistogram delays;
  for (int i = 0; i < 989; ++i) delays.add(1ms);
  for (int i = 0; i < 11; ++i) delays.add(100ms);
  EXPECT_LT(delays.percentile(0.98), 2ms);
  EXPECT_EQ(delays.percentile(0.99), 100ms);
  EXPECT_EQ(delays.most(), 100ms);
}

TEST(DelayHistogram, WhatIsOutOfRangeCountsAsItsEnd) {
  DelayHistogram delays;
  delays.add(-5ms);
  EXPECT_EQ(delays.percentile(1), 0us);
  delays.add(2h);
  EXPECT_EQ(delays.percentile(1), 60s);
}

TEST(DelayHistogram, AddsUp) {
  DelayHistogram one;
  DelayHistogram other;
  one.add(1us);
  other.add(3us);
  other.add(5us);
  one.add(other);
  EXPECT_EQ(one.total(), 3U);
  EXPECT_EQ(one.percentile(0.5), 3us);
  EXPECT_EQ(one.most(), 5us);
}

}  // namespace
}  // namespace sluice::interop::load
