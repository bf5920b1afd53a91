// SlotIndex against std::unordered_multimap, with few hashes and many. A failure prints its seed.
#include "table/slot_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace sluice::dtls::table {
namespace {

constexpr int kIndexRuns = 60;
constexpr int kIndexSteps = 3000;

class IndexModel {
 public:
  IndexModel(std::uint64_t seed, std::uint64_t hashes) : random_(seed), hashes_(hashes) {}

  void step() {
    const std::uint64_t hash = random_() % hashes_;
    if (random_() % 5 < 3) {
      index_.insert(hash, next_);
      known_.emplace(next_++, hash);
    } else if (!known_.empty()) {
      auto some = known_.lower_bound(static_cast<SlotNumber>(random_() % next_));
      if (some == known_.end()) some = known_.begin();
      index_.erase(some->second, some->first);
      EXPECT_EQ(find(some->second, some->first), kNoSlot);
      known_.erase(some);
    }
    ASSERT_EQ(index_.size(), known_.size());
  }

  void check_all() const {
    for (const auto& [slot, hash] : known_) ASSERT_EQ(find(hash, slot), slot);
    EXPECT_EQ(find(hashes_, 0), kNoSlot);
  }

 private:
  [[nodiscard]] SlotNumber find(std::uint64_t hash, SlotNumber wanted) const {
    return index_.find(hash, [&](SlotNumber slot) { return slot == wanted; });
  }

  std::mt19937_64 random_;
  std::uint64_t hashes_;
  SlotIndex index_;
  std::map<SlotNumber, std::uint64_t> known_;
  SlotNumber next_ = 0;
};

TEST(SlotIndex, DoesAsAMapDoes) {
  for (std::uint64_t seed = 0; seed < kIndexRuns; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    // From all in one place to none in the place of another; some wrap around the table's end.
    IndexModel model(seed, seed % 3 == 0 ? 3 : seed % 3 == 1 ? 500 : UINT64_MAX);
    for (int i = 0; i < kIndexSteps; ++i) {
      model.step();
      if (i % 500 == 0) model.check_all();
    }
    model.check_all();
    if (HasFailure()) return;
  }
}

TEST(SlotIndex, AnEmptyOneFindsNothing) {
  SlotIndex index;
  EXPECT_EQ(index.find(1, [](SlotNumber) { return true; }), kNoSlot);
  index.erase(1, 2);
  EXPECT_EQ(index.size(), 0U);
}

TEST(SlotIndex, ASlotMayHaveSeveralKeys) {
  // Neighbours in the table, and keys that share one place.
  for (const std::uint64_t distance : {1U, 1024U}) {
    SlotIndex index;
    const auto has = [&](std::uint64_t hash) {
      return index.find(hash, [](SlotNumber slot) { return slot == 5; }) == 5;
    };
    for (std::uint64_t i = 0; i < 10; ++i) index.insert(i * distance, 5);
    index.erase(4 * distance, 5);
    index.erase(4 * distance, 5);
    EXPECT_EQ(index.size(), 9U);
    for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(has(i * distance), i != 4) << i;
  }
}

TEST(SlotIndex, AsksOnlyForSlotsOfTheHash) {
  SlotIndex index;
  for (SlotNumber slot = 0; slot < 1000; ++slot) index.insert(slot * 0x9e3779b9ULL, slot);
  int asked = 0;
  EXPECT_EQ(index.find(7 * 0x9e3779b9ULL,
                       [&](SlotNumber slot) {
                         ++asked;
                         return slot == 7;
                       }),
            7U);
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace sluice::dtls::table
