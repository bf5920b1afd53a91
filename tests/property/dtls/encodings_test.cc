// Whatever the sizes of its variable fields, a message or a stored form is encoded whole or not at
// all: nothing is truncated, and no length is written wrongly.
#include "support/encodings.h"

#include <gtest/gtest.h>

#include <iostream>
#include <string>

namespace sluice::test {
namespace {

using Combination = std::vector<std::uint64_t>;

std::string to_text(const Encoding& encoding, Sizes sizes) {
  std::string text = encoding.name;
  for (const std::uint64_t size : sizes) text += " " + std::to_string(size);
  return text;
}

// Every combination of the sizes 0, 1, the largest and one more.
std::vector<Combination> combinations_of(const std::vector<std::uint64_t>& maxima) {
  std::vector<Combination> all{{}};
  for (const std::uint64_t maximum : maxima) {
    std::vector<Combination> longer;
    for (const Combination& begun : all) {
      for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, maximum, maximum + 1}) {
        longer.push_back(begun);
        longer.back().push_back(size);
      }
    }
    all = std::move(longer);
  }
  return all;
}

struct Tally {
  std::size_t same = 0;
  std::size_t refused = 0;
};

Tally try_all(std::span<const Encoding> encodings) {
  Tally tally;
  for (const Encoding& encoding : encodings) {
    for (const Combination& sizes : combinations_of(encoding.maxima)) {
      const EncodingOutcome outcome = encoding.attempt(sizes);
      const auto expected = encoding.fits(sizes) ? EncodingOutcome::same : EncodingOutcome::refused;
      EXPECT_EQ(outcome, expected) << to_text(encoding, sizes);
      ++(outcome == EncodingOutcome::refused ? tally.refused : tally.same);
    }
  }
  std::cout << encodings.size() << " encodings, " << tally.same + tally.refused
            << " combinations of sizes: " << tally.same << " came back, " << tally.refused
            << " were refused\n";
  return tally;
}

TEST(Encodings, AMessageComesBackOrIsRefused) {
  const Tally tally = try_all(message_encodings());
  EXPECT_GT(tally.same, 0U);
  EXPECT_GT(tally.refused, 0U);
}

TEST(Encodings, AStoredFormComesBackOrIsRefused) {
  const Tally tally = try_all(stored_encodings());
  EXPECT_GT(tally.same, 0U);
  EXPECT_GT(tally.refused, 0U);
}

}  // namespace
}  // namespace sluice::test
