#include "wire/variable_integer.h"

#include <gtest/gtest.h>

#include "support/bytes.h"

namespace sluice::dtls::wire {
namespace {

std::optional<std::uint64_t> decoded(std::string_view hex) {
  const Buffer bytes = test::from_hex(hex);
  Reader reader(bytes);
  const std::uint64_t number = take_variable(reader);
  return reader.complete() ? std::optional(number) : std::nullopt;
}

// RFC 9000 appendix A.1.
TEST(VariableInteger, HasTheExamplesOfTheRfc) {
  EXPECT_EQ(decoded("c2197c5eff14e88c"), 151'288'809'941'952'652U);
  EXPECT_EQ(decoded("9d7f3e7d"), 494'878'333U);
  EXPECT_EQ(decoded("7bbd"), 15'293U);
  EXPECT_EQ(decoded("25"), 37U);
  EXPECT_FALSE(decoded("4025")) << "one byte is enough";
}

TEST(VariableInteger, ComesBackInTheFewestBytes) {
  const std::pair<std::uint64_t, std::size_t> sizes[]{
      {0, 1},        {63, 1},          {64, 2}, {16'383, 2}, {16'384, 4}, {(1U << 30) - 1, 4},
      {1U << 30, 8}, {kMaxVariable, 8}};
  for (const auto& [number, size] : sizes) {
    EXPECT_EQ(variable_size(number), size) << number;
    const auto bytes = encoded([&](Writer& out) { put_variable(out, number); });
    ASSERT_TRUE(bytes) << number;
    EXPECT_EQ(bytes->size(), size) << number;
    Reader reader(*bytes);
    EXPECT_EQ(take_variable(reader), number);
    EXPECT_TRUE(reader.complete());
  }
  EXPECT_FALSE(encoded([](Writer& out) { put_variable(out, kMaxVariable + 1); }));
}

TEST(VariableInteger, MoreBytesThanNeededAreRefused) {
  for (const auto* const hex : {"4000", "403f", "80000000", "80003fff", "c000000000000000",
                                "c00000003fffffff", "40", "8000", "c0000000000000", ""}) {
    EXPECT_FALSE(decoded(hex)) << hex;
  }
}

}  // namespace
}  // namespace sluice::dtls::wire
