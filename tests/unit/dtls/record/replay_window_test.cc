#include "record/replay_window.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace sluice::dtls::record {
namespace {

constexpr std::uint64_t kSize = ReplayWindow::kDefaultSize;

using wire::SequenceNumber;

bool fresh(const ReplayWindow& window, std::uint64_t number) {
  return window.is_fresh(SequenceNumber{number});
}
void mark(ReplayWindow& window, std::uint64_t number) { window.mark(SequenceNumber{number}); }

TEST(ReplayWindow, ANewOneTakesAnything) {
  const ReplayWindow window;
  EXPECT_TRUE(fresh(window, 0));
  EXPECT_TRUE(fresh(window, 1));
  EXPECT_TRUE(fresh(window, wire::kMaxSequenceNumber));
}

TEST(ReplayWindow, ANumberCountsOnce) {
  ReplayWindow window;
  for (const std::uint64_t number : {0U, 1U, 5U, 3U}) {
    EXPECT_TRUE(fresh(window, number));
    mark(window, number);
    EXPECT_FALSE(fresh(window, number));
  }
  EXPECT_TRUE(fresh(window, 2));
  EXPECT_TRUE(fresh(window, 4));
  EXPECT_TRUE(fresh(window, 6));
}

// Handshake records of DTLS 1.2 are taken again, however old they are.
TEST(ReplayWindow, ANumberBelowItMarksNothing) {
  ReplayWindow window;
  mark(window, 1000);
  mark(window, 999 - kSize);
  EXPECT_TRUE(fresh(window, 999));
}

// RFC 6347 section 4.1.2.6: asking moves nothing; only a record that has authenticated does.
TEST(ReplayWindow, AskingChangesNothing) {
  ReplayWindow window;
  mark(window, 10);
  EXPECT_TRUE(fresh(window, wire::kMaxSequenceNumber));
  EXPECT_TRUE(fresh(window, 9));
  EXPECT_TRUE(fresh(window, 9));
}

TEST(ReplayWindow, ItsLeftEdgeIsAtItsSize) {
  static_assert(ReplayWindow::kUnit >= 32, "RFC 6347 section 4.1.2.6: a minimum of 32");
  ReplayWindow window;
  const std::uint64_t highest = 1000;
  mark(window, highest);
  EXPECT_TRUE(fresh(window, highest - (kSize - 1)));  // its last
  EXPECT_FALSE(fresh(window, highest - kSize));       // beyond it
  EXPECT_FALSE(fresh(window, 0));
  mark(window, highest - (kSize - 1));
  EXPECT_FALSE(fresh(window, highest - (kSize - 1)));
  // A step to the right drops the oldest, which stays refused.
  mark(window, highest + 1);
  EXPECT_FALSE(fresh(window, highest - (kSize - 1)));
  EXPECT_TRUE(fresh(window, highest - (kSize - 2)));
}

TEST(ReplayWindow, AJumpKeepsWhatIsStillInside) {
  ReplayWindow window;
  mark(window, 7);
  mark(window, 7 + (kSize - 1));
  EXPECT_FALSE(fresh(window, 7)) << "at the edge, and seen";
  EXPECT_TRUE(fresh(window, 8));
  ReplayWindow other;
  mark(other, 7);
  mark(other, 7 + kSize);
  EXPECT_FALSE(fresh(other, 7)) << "outside";
  EXPECT_TRUE(fresh(other, 8));
}

TEST(ReplayWindow, AFarJumpForgetsAll) {
  ReplayWindow window;
  for (std::uint64_t i = 0; i < 300; ++i) mark(window, i);
  const std::uint64_t far = std::uint64_t{1} << 40;
  mark(window, far);
  EXPECT_FALSE(fresh(window, far));
  EXPECT_TRUE(fresh(window, far - 1));
  EXPECT_TRUE(fresh(window, far - (kSize - 1)));
  EXPECT_FALSE(fresh(window, 299));
}

TEST(ReplayWindow, TakesTheHighestNumberThereIs) {
  ReplayWindow window;
  mark(window, wire::kMaxSequenceNumber);
  EXPECT_FALSE(fresh(window, wire::kMaxSequenceNumber));
  EXPECT_TRUE(fresh(window, wire::kMaxSequenceNumber - 1));
  EXPECT_TRUE(fresh(window, wire::kMaxSequenceNumber - (kSize - 1)));
  EXPECT_FALSE(fresh(window, wire::kMaxSequenceNumber - kSize));
}

TEST(ReplayWindow, IsWhatASetWouldSay) {
  constexpr std::uint64_t kSeed = 20260711;
  for (const std::uint64_t size : {64U, 192U, 256U, 320U, 1024U}) {
    std::mt19937_64 random(kSeed);
    ReplayWindow window(size);
    std::set<std::uint64_t> seen;
    std::uint64_t centre = 500;
    for (int i = 0; i < 20000; ++i) {
      centre += random() % 3;
      if (random() % 1000 == 0) centre += random() % (2 * size);
      const std::uint64_t number = centre - std::min(centre, random() % (2 * size)) + random() % 4;
      const std::uint64_t highest = seen.empty() ? 0 : *seen.rbegin();
      const bool inside = seen.empty() || number + size > highest;
      ASSERT_EQ(fresh(window, number), inside && !seen.contains(number))
          << "seed " << kSeed << ", size " << size << ", step " << i << ", number " << number;
      if (inside) {
        mark(window, number);
        seen.insert(number);
      }
    }
  }
}

TEST(ReplayWindow, MovesWithWhatItKnows) {
  for (const std::size_t size : {64U, 1024U}) {
    ReplayWindow from(size);
    mark(from, 100);
    ReplayWindow window(std::move(from));
    EXPECT_FALSE(fresh(window, 100));
    ReplayWindow other(size == 64 ? 1024 : 64);
    other = std::move(window);
    EXPECT_FALSE(fresh(other, 100));
    mark(other, 100 + size);
    EXPECT_FALSE(fresh(other, 100));
    EXPECT_TRUE(fresh(other, 101));
  }
}

// ---- windows that move to another connection

// Any numbers, then a window of any size: it takes no number that the former did not take.
TEST(ReplayWindow, ARestoredOneTakesNothingAgain) {
  constexpr std::uint64_t kSeed = 7;
  std::mt19937_64 random(kSeed);
  for (const std::size_t from_size : {64U, 128U, 1024U}) {
    for (const std::size_t to_size : {64U, 128U, 1024U}) {
      for (const std::uint64_t start : {0U, 5U, 100U, 100'000U}) {
        ReplayWindow from(from_size);
        std::set<std::uint64_t> seen;
        for (int i = 0; i < 200; ++i) {
          const std::uint64_t number = start + random() % (2 * from_size);
          if (!fresh(from, number)) continue;
          mark(from, number);
          seen.insert(number);
        }
        const Buffer received = from.received();
        EXPECT_TRUE(ReplayWindow::is_sound(from.next(), received));
        EXPECT_LE(received.size(), from_size / 8);
        ReplayWindow to(to_size);
        to.restore(from.next(), received);
        EXPECT_EQ(to.next(), from.next());
        for (std::uint64_t number = 0; number < start + 2 * from_size + 10; ++number) {
          const bool is_near = number + to_size >= from.next();
          EXPECT_EQ(fresh(to, number), fresh(from, number) && (is_near || number >= from.next()))
              << "seed " << kSeed << ", " << from_size << " to " << to_size << ", " << number;
        }
      }
    }
  }
}

TEST(ReplayWindow, WithoutGapsItsFormIsEmpty) {
  ReplayWindow window;
  EXPECT_TRUE(window.received().empty());
  for (std::uint64_t number = 0; number < 300; ++number) {
    mark(window, number);
    EXPECT_TRUE(window.received().empty()) << number;
  }
  mark(window, 301);
  EXPECT_EQ(window.received(), Buffer{std::byte{0xfd}});
}

TEST(ReplayWindow, FormsThatNoneHasAreNotSound) {
  const auto is_sound = [](std::uint64_t next, std::initializer_list<int> bytes) {
    Buffer received;
    for (const int byte : bytes) received.push_back(static_cast<std::byte>(byte));
    return ReplayWindow::is_sound(next, received);
  };
  EXPECT_TRUE(is_sound(0, {}));
  EXPECT_TRUE(is_sound(100, {0xfd}));
  EXPECT_FALSE(is_sound(100, {0xfe})) << "the newest number was not received";
  EXPECT_FALSE(is_sound(100, {0xfd, 0xff})) << "a byte too many";
  EXPECT_TRUE(is_sound(2, {0xfd}));
  EXPECT_FALSE(is_sound(2, {0xf9})) << "there is no number -1";
  EXPECT_FALSE(is_sound(0, {0xfd}));
  EXPECT_TRUE(is_sound(wire::kMaxSequenceNumber + 1, {}));
  EXPECT_FALSE(is_sound(wire::kMaxSequenceNumber + 2, {}));
}

// A window that isn't larger than it was costs no more.
TEST(ReplayWindow, LiesInPlaceUnlessItIsLarger) {
  static_assert(sizeof(ReplayWindow) <= sizeof(std::uint64_t) + kSize / 8);
}

}  // namespace
}  // namespace sluice::dtls::record
