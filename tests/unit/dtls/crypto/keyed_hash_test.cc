#include "crypto/keyed_hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "crypto/library.h"
#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::dtls::crypto {
namespace {

using test::counted;
using test::must;

// Gives all zeros, as a key among others.
class Zeros final : public RandomSource {
 public:
  void fill(MutableBytes out) override { std::ranges::fill(out, std::byte{}); }
};

TEST(KeyedHash, IsTheSameForTheSameBytesUnderOneKeyAlone) {
  const auto one = must(KeyedHash::make(test::environment().library()));
  const auto other = must(KeyedHash::make(test::environment().library()));
  const Buffer value = counted(42);
  EXPECT_EQ(one(value), one(value));
  EXPECT_NE(one(value), one(counted(41)));
  EXPECT_NE(one(value), other(value));
  EXPECT_NE(one({}), one(Buffer(1)));
}

// SipHash-2-4 with 8 bytes out, computed by `openssl mac -macopt size:8 SIPHASH`.
TEST(KeyedHash, IsSipHash) {
  Zeros zeros;
  auto environment = must(Environment::make({.random = &zeros}));
  const auto hash = must(KeyedHash::make(environment.library()));
  std::array<std::byte, 8> bytes{};
  const std::uint64_t value = hash(test::from_hex("00010203"));
  std::memcpy(bytes.data(), &value, bytes.size());
  EXPECT_EQ(test::copy_of(bytes), test::from_hex("c8be4ae23edf7bef"));
}

}  // namespace
}  // namespace sluice::dtls::crypto
