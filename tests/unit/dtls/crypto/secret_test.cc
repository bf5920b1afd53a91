#include <gtest/gtest.h>

#include <sluice/dtls/secret.h>
#include <cstring>
#include <new>
#include <utility>

#include "support/bytes.h"

namespace sluice::dtls {
namespace {

using test::counted;
using test::to_hex;

TEST(Secret, HoldsItsBytes) {
  const Secret<8> secret(Bytes(counted(5)));
  EXPECT_EQ(to_hex(secret.bytes()), "0001020304");
  EXPECT_EQ(secret.size(), 5U);
  EXPECT_FALSE(secret.empty());
  EXPECT_TRUE(Secret<8>().empty());
  EXPECT_EQ(to_hex(secret.clone().bytes()), "0001020304");
}

// A truncated secret would be another one.
TEST(Secret, RefusesWhatItCannotHold) {
  EXPECT_EQ(Secret<4>(Bytes(counted(4))).size(), 4U);
  EXPECT_TRUE(Secret<4>(Bytes(counted(5))).empty());
  EXPECT_TRUE(Secret<4>(std::size_t{1000}).empty());
  // A size that the narrower member would wrap.
  EXPECT_TRUE(Secret<4>(std::size_t{256}).empty());
  EXPECT_TRUE(Secret<4>(std::size_t{257}).empty());
}

TEST(Secret, MovingWipesTheSource) {
  static_assert(!std::is_copy_constructible_v<Secret<4>> && !std::is_copy_assignable_v<Secret<4>>);
  Secret<4> from(Bytes(counted(4)));
  const std::byte* const place = std::as_const(from).bytes().data();
  const Secret<4> to(std::move(from));
  EXPECT_EQ(to_hex(to.bytes()), "00010203");
  EXPECT_EQ(to_hex(Bytes(place, 4)), "00000000");

  Secret<4> again = to.clone();
  const std::byte* const other_place = std::as_const(again).bytes().data();
  Secret<4> assigned(Bytes(counted(3)));
  assigned = std::move(again);
  EXPECT_EQ(to_hex(std::as_const(assigned).bytes()), "00010203");
  EXPECT_EQ(to_hex(Bytes(other_place, 4)), "00000000");
}

TEST(Secret, TheEndWipes) {
  alignas(Secret<16>) std::array<std::byte, sizeof(Secret<16>)> memory{};
  auto* secret = new (memory.data()) Secret<16>(Bytes(Buffer(16, std::byte{0xa5})));
  secret->~Secret();
  // Volatile, or the compiler may take what is left of an object that has ended for anything.
  const volatile std::byte* const left = memory.data();
  for (std::size_t i = 0; i < memory.size(); ++i)
    EXPECT_NE(std::byte{left[i]}, std::byte{0xa5}) << i;
}

}  // namespace
}  // namespace sluice::dtls
