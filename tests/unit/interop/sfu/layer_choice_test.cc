#include "sfu/forwarding/layer_choice.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLarge = 0;
constexpr std::size_t kSmall = 1;
constexpr std::size_t kMiddle = 2;

class Choice : public testing::Test {
 protected:
  // What the viewer gets after so long; it is asked as often as the server asks.
  std::size_t after(dtls::Duration duration) {
    for (const auto until = now_ + duration; now_ < until; now_ += 50ms) {
      current_ = choice_.choose(rates_, current_, others_, now_);
    }
    return *current_;
  }
  void takes(std::size_t layer, std::uint64_t bits_per_second) {
    rates_[layer].now = bits_per_second;
  }
  void estimate(std::uint64_t bits_per_second) { choice_.on_estimate(bits_per_second, now_); }

  LayerChoice choice_;
  std::vector<LayerRate> rates_ = {{1'500'000, 1'500'000}, {150'000, 150'000}, {500'000, 500'000}};
  std::uint64_t others_ = 0;
  std::optional<std::size_t> current_ = {};
  dtls::Instant now_{1h};
};

TEST_F(Choice, BeginsSmall) { EXPECT_EQ(after(50ms), kSmall); }

TEST_F(Choice, BeginsWithWhatWasAskedFor) {
  choice_.ask_for(kMiddle);
  EXPECT_EQ(after(50ms), kMiddle);
  EXPECT_EQ(after(60s), kMiddle) << "and stays there";
}

TEST_F(Choice, KeepsWhatItHasWhileNothingIsKnown) {
  for (LayerRate& rate : rates_) rate.now = 0;
  EXPECT_EQ(after(60s), 0U);
  choice_.ask_for(kMiddle);
  EXPECT_EQ(after(50ms), kMiddle);
  choice_.ask_for(std::nullopt);
  EXPECT_EQ(after(60s), kMiddle);
}

TEST_F(Choice, TriesOneLayerAfterTheOther) {
  EXPECT_EQ(after(LayerChoice::kFirstWait), kSmall);
  EXPECT_EQ(after(50ms), kMiddle);
  EXPECT_EQ(after(LayerChoice::kFirstWait - 50ms), kMiddle);
  EXPECT_EQ(after(50ms), kLarge);
  EXPECT_EQ(after(60s), kLarge);
}

TEST_F(Choice, GoesUpSoonWhereTheEstimateHasRoom) {
  after(50ms);
  for (int i = 0; i < 2; ++i) {
    estimate(600'000);
    after(1s);
  }
  EXPECT_EQ(after(50ms), kMiddle);
  others_ = 100'000;
  for (int i = 0; i < 3; ++i) {
    estimate(1'599'999);
    EXPECT_EQ(after(1s), kMiddle) << "no room beside the others";
  }
}

TEST_F(Choice, GoesDownWhenTheEstimateFalls) {
  current_ = kLarge;
  after(LayerChoice::kSettling);
  estimate(1'400'000);
  EXPECT_EQ(after(1s), kLarge) << "it has not fallen: the viewer is about to find out";
  estimate(1'300'000);
  EXPECT_EQ(after(50ms), kMiddle);
}

TEST_F(Choice, GoesDownToWhatFits) {
  current_ = kLarge;
  after(LayerChoice::kSettling);
  estimate(1'600'000);
  estimate(450'000);
  EXPECT_EQ(after(50ms), kSmall);
}

TEST_F(Choice, TheEstimateIsForAllStreams) {
  current_ = kLarge;
  others_ = 200'000;
  after(LayerChoice::kSettling);
  estimate(1'700'001);
  estimate(1'700'000);
  EXPECT_EQ(after(50ms), kLarge);
  estimate(1'699'999);
  EXPECT_EQ(after(50ms), kMiddle);
}

TEST_F(Choice, AnOldEstimateSaysNothing) {
  current_ = kSmall;
  estimate(2'000'000);
  now_ += LayerChoice::kEstimateLife + 50ms;
  EXPECT_EQ(after(50ms), kSmall);
  EXPECT_EQ(after(LayerChoice::kSettling), kSmall);
}

TEST_F(Choice, GoesDownOnLoss) {
  current_ = kLarge;
  after(LayerChoice::kSettling);
  choice_.on_loss(25);
  EXPECT_EQ(after(50ms), kLarge);
  choice_.on_loss(26);
  EXPECT_EQ(after(50ms), kMiddle) << "a tenth of 256";
  EXPECT_EQ(after(1s), kMiddle) << "once for a report";
}

TEST_F(Choice, AStepUpMaySettle) {
  after(LayerChoice::kFirstWait + 50ms);
  ASSERT_EQ(*current_, kMiddle);
  choice_.on_loss(255);
  EXPECT_EQ(after(LayerChoice::kSettling - 50ms), kMiddle);
  EXPECT_EQ(after(50ms), kSmall);
}

TEST_F(Choice, TrialsThatFailBecomeRare) {
  after(50ms);
  std::vector<dtls::Duration> waits;
  auto since = now_ - 50ms;
  while (waits.size() < 6) {
    if (after(50ms) == kSmall) continue;
    waits.push_back(now_ - since);
    choice_.on_loss(255);
    after(LayerChoice::kSettling + 50ms);
    ASSERT_EQ(*current_, kSmall);
    since = now_ - 50ms;
  }
  for (std::size_t i = 1; i < 5; ++i) EXPECT_GT(waits[i], waits[i - 1] * 3 / 2) << i;
  EXPECT_LE(waits[5], LayerChoice::kLongestWait + 100ms);
}

TEST_F(Choice, ATrialThatLastsWasRight) {
  rates_.resize(2);
  after(LayerChoice::kFirstWait + 50ms);
  choice_.on_loss(255);
  after(LayerChoice::kSettling + 50ms);
  ASSERT_EQ(*current_, kSmall);
  after(2 * LayerChoice::kFirstWait);
  ASSERT_EQ(*current_, kLarge);
  after(LayerChoice::kProof);
  choice_.on_loss(255);
  EXPECT_EQ(after(50ms), kSmall);
  EXPECT_EQ(after(LayerChoice::kFirstWait), kLarge) << "the wait is the first one again";
}

TEST_F(Choice, TheViewersWishIsDoneAtOnce) {
  after(1s);
  choice_.ask_for(kLarge);
  EXPECT_EQ(after(50ms), kLarge);
  choice_.ask_for(kSmall);
  EXPECT_EQ(after(50ms), kSmall);
  EXPECT_EQ(after(60s), kSmall);
  choice_.ask_for(std::nullopt);
  EXPECT_EQ(after(60s), kLarge);
}

// Each step may cost the publisher a key frame.
TEST_F(Choice, AViewerThatKeepsChangingItsWishHasToWait) {
  after(50ms);
  std::size_t steps = 0;
  const auto begin = now_;
  while (now_ < begin + 80s) {
    const auto before = current_;
    choice_.ask_for(*current_ == kLarge ? kSmall : kLarge);
    if (after(50ms) != before) ++steps;
  }
  EXPECT_LE(steps, 11 * LayerChoice::kMostWishes);
  EXPECT_GE(steps, 10 * LayerChoice::kMostWishes) << "and is served";
}

TEST_F(Choice, TheLatestWishIsDoneInTheEnd) {
  after(50ms);
  for (int i = 0; i < 20; ++i) {
    choice_.ask_for(i % 2 == 0 ? kLarge : kSmall);
    after(50ms);
  }
  choice_.ask_for(kMiddle);
  EXPECT_EQ(after(LayerChoice::kWishPeriod), kMiddle);
}

TEST_F(Choice, TheSameWishAgainCostsNothing) {
  after(50ms);
  for (int i = 0; i < 100; ++i) {
    choice_.ask_for(kMiddle);
    EXPECT_EQ(after(50ms), kMiddle);
  }
  choice_.ask_for(kLarge);
  EXPECT_EQ(after(50ms), kLarge);
}

TEST_F(Choice, AWishMayNotFit) {
  choice_.ask_for(kLarge);
  after(LayerChoice::kSettling + 50ms);
  choice_.on_loss(255);
  EXPECT_EQ(after(50ms), kMiddle);
  choice_.ask_for(kLarge);
  EXPECT_EQ(after(50ms), kLarge) << "the viewer insists";
}

TEST_F(Choice, ALayerThatEndsIsLeft) {
  current_ = kLarge;
  after(1s);
  takes(kLarge, 0);
  EXPECT_EQ(after(50ms), kSmall);
  EXPECT_EQ(after(60s), kMiddle) << "the largest that is left";
}

// A screen that is shared: while it does not change, the large layer may take the least.
TEST_F(Choice, AStillPictureDoesNotChangeTheOrder) {
  after(60s);
  ASSERT_EQ(*current_, kLarge);
  takes(kLarge, 5'000);
  takes(kMiddle, 20'000);
  takes(kSmall, 10'000);
  EXPECT_EQ(after(60s), kLarge);
  choice_.ask_for(kSmall);
  EXPECT_EQ(after(60s), kSmall);
  choice_.ask_for(std::nullopt);
  EXPECT_EQ(after(60s), kLarge);
}

TEST_F(Choice, AStillPictureBeginsSmall) {
  takes(kLarge, 5'000);
  EXPECT_EQ(after(50ms), kSmall);
}

TEST_F(Choice, AStillPictureThatIsTooMuchBecomesSmaller) {
  after(60s);
  takes(kLarge, 100'000);
  takes(kMiddle, 40'000);
  takes(kSmall, 60'000);
  estimate(90'000);
  estimate(50'000);
  EXPECT_EQ(after(50ms), kMiddle) << "the small one does not fit";
  takes(kMiddle, 55'000);
  after(LayerChoice::kSettling);
  estimate(49'000);
  EXPECT_EQ(after(50ms), kSmall) << "none fits, and this one is the smallest when something moves";
}

}  // namespace
}  // namespace sluice::interop::sfu
