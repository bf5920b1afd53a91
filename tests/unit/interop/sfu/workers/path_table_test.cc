#include "sfu/workers/path_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;
using testing::Optional;

dtls::UdpPath path_of(std::uint16_t port) {
  return {.peer = {dtls::Ipv4Address{192, 0, 2, 1}, port},
          .own = {dtls::Ipv4Address{198, 51, 100, 1}, 443}};
}

class PathTableTest : public testing::Test {
 protected:
  dtls::Instant now_ = dtls::Instant(1h);
  PathTable table_{4};
};

TEST_F(PathTableTest, ACheckIsAGuess) {
  EXPECT_EQ(table_.worker_of(path_of(1)), std::nullopt);
  table_.note_check(path_of(1), 2, now_);
  EXPECT_THAT(table_.worker_of(path_of(1)), Optional(2));
  EXPECT_FALSE(table_.is_certain(path_of(1), 2));
  EXPECT_TRUE(table_.claim(path_of(1), 2, now_));
  EXPECT_TRUE(table_.is_certain(path_of(1), 2));
  EXPECT_FALSE(table_.is_certain(path_of(1), 1));
}

// Somebody else has sent a check with a ufrag of his own from this address.
TEST_F(PathTableTest, AGuessDisplacesNothing) {
  EXPECT_TRUE(table_.claim(path_of(1), 2, now_));
  table_.note_check(path_of(1), 0, now_);
  EXPECT_THAT(table_.worker_of(path_of(1)), Optional(2));
}

TEST_F(PathTableTest, APathInUseIsNotGivenAway) {
  EXPECT_TRUE(table_.claim(path_of(1), 2, now_));
  for (int i = 0; i < 10; ++i) {
    now_ += 6s;
    table_.note_check(path_of(1), 2, now_);
    EXPECT_FALSE(table_.claim(path_of(1), 0, now_));
    EXPECT_THAT(table_.worker_of(path_of(1)), Optional(2));
  }
  now_ += PathTable::kHold;
  EXPECT_TRUE(table_.claim(path_of(1), 0, now_));
  EXPECT_THAT(table_.worker_of(path_of(1)), Optional(0));
}

TEST_F(PathTableTest, APathWhoseSessionHasEndedIsFree) {
  EXPECT_TRUE(table_.claim(path_of(1), 2, now_));
  table_.forget(path_of(1), 1);
  EXPECT_THAT(table_.worker_of(path_of(1)), Optional(2));
  table_.forget(path_of(1), 2);
  EXPECT_EQ(table_.worker_of(path_of(1)), std::nullopt);
  EXPECT_TRUE(table_.claim(path_of(1), 0, now_));
}

TEST_F(PathTableTest, PathsWithoutChecksExpire) {
  EXPECT_TRUE(table_.claim(path_of(1), 2, now_));
  EXPECT_TRUE(table_.claim(path_of(2), 2, now_));
  now_ += 20s;
  table_.note_check(path_of(2), 2, now_);
  now_ += 20s;
  table_.note_check(path_of(3), 1, now_);
  EXPECT_EQ(table_.worker_of(path_of(1)), std::nullopt);
  EXPECT_THAT(table_.worker_of(path_of(2)), Optional(2));
  EXPECT_EQ(table_.size(), 2U);
}

TEST_F(PathTableTest, HasBounds) {
  for (std::uint16_t port = 1; port <= 5; ++port) {
    EXPECT_TRUE(table_.claim(path_of(port), 2, now_));
    now_ += 1ms;
  }
  EXPECT_EQ(table_.size(), 4U);
  EXPECT_EQ(table_.worker_of(path_of(1)), std::nullopt) << "the longest unchecked";
  for (std::size_t i = 0; i < 2 * PathTable::kMaxGuesses; ++i) {
    table_.note_check(path_of(static_cast<std::uint16_t>(1000 + i)), 1, now_);
  }
  EXPECT_EQ(table_.size(), 4 + PathTable::kMaxGuesses);
  EXPECT_THAT(table_.worker_of(path_of(5)), Optional(2)) << "guesses displace guesses alone";
}

}  // namespace
}  // namespace sluice::interop::sfu
