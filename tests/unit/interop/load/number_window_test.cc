#include "load/number_window.h"

#include <gtest/gtest.h>

namespace sluice::interop::load {
namespace {

TEST(NumberWindow, CountsWhatIsMissing) {
  NumberWindow window(100);
  EXPECT_EQ(window.add(100), Coming::next);
  EXPECT_EQ(window.add(101), Coming::next);
  EXPECT_EQ(window.add(104), Coming::next);
  EXPECT_EQ(window.lost(), 2U);
  EXPECT_EQ(window.add(103), Coming::late);
  EXPECT_EQ(window.add(103), Coming::duplicate);
  EXPECT_EQ(window.add(104), Coming::duplicate);
  EXPECT_EQ(window.lost(), 1U);
  EXPECT_EQ(window.received(), 4U);
}

TEST(NumberWindow, WhatCameBeforeTheFirstDoesNotCount) {
  NumberWindow window(5);
  window.add(5);
  EXPECT_EQ(window.add(4), Coming::too_late);
  EXPECT_EQ(window.lost(), 0U);
  EXPECT_EQ(window.received(), 1U);
}

// A place of the window is used again for the number one window later.
TEST(NumberWindow, ForgetsWhatIsTooOld) {
  NumberWindow window(0);
  window.add(0);
  window.add(NumberWindow::kSize + 1);
  EXPECT_EQ(window.add(1), Coming::too_late);
  EXPECT_EQ(window.add(2), Coming::late);
  EXPECT_EQ(window.lost(), NumberWindow::kSize - 1);
  window.add(2 * NumberWindow::kSize + 2);
  EXPECT_EQ(window.add(NumberWindow::kSize + 2), Coming::too_late);
  EXPECT_EQ(window.add(NumberWindow::kSize + 3), Coming::late);
}

TEST(NumberWindow, JumpsOfAnySize) {
  NumberWindow window(0);
  window.add(0);
  window.add(1'000'000'000'000);
  EXPECT_EQ(window.lost(), 999'999'999'999U);
  EXPECT_EQ(window.add(999'999'999'999), Coming::late);
  EXPECT_EQ(window.add(1'000'000'000'000), Coming::duplicate);
}

TEST(NumberWindow, WhatWasSentAfterTheLastThatCame) {
  NumberWindow window(10);
  window.add(10);
  window.add(11);
  EXPECT_EQ(window.lost_of(12), 0U);
  EXPECT_EQ(window.lost_of(15), 3U);
  EXPECT_EQ(window.lost_of(0), 0U) << "the sender is not known";
}

}  // namespace
}  // namespace sluice::interop::load
