// The nonces of routable connection IDs.
#include "crypto/nonce_counter.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "support/bytes.h"

namespace sluice::dtls::crypto {
namespace {

using test::from_hex;
using test::to_hex;

// All nonces that remain, of at most 2^16.
std::set<std::string> all(NonceCounter counter) {
  std::set<std::string> taken;
  for (Bytes nonce = counter.take(); !nonce.empty(); nonce = counter.take()) {
    EXPECT_TRUE(taken.insert(to_hex(nonce)).second) << to_hex(nonce);
  }
  return taken;
}

TEST(NonceCounter, ComesToEachNonceOnce) {
  const NonceCounter counter(from_hex("fffe"), 3);
  EXPECT_EQ(counter.remaining(), 1U << 11);
  EXPECT_EQ(all(counter).size(), 1U << 11);
}

TEST(NonceCounter, WorkersShareNoNonce) {
  std::set<std::string> together;
  for (std::uint8_t worker = 0; worker < 32; ++worker) {
    together.merge(all(NonceCounter(from_hex("1234"), worker)));
  }
  EXPECT_EQ(together.size(), 1U << 16);
}

TEST(NonceCounter, BeginsWhereTheRandomBytesSay) {
  NonceCounter counter(from_hex("07ffffffffff"), 0x1f);
  EXPECT_EQ(to_hex(counter.take()), "f80000000000");
  EXPECT_EQ(to_hex(counter.take()), "f80000000001");
  EXPECT_EQ(counter.remaining(), (std::uint64_t{1} << 43) - 2);
}

TEST(NonceCounter, LongOnesHaveACounterOf63BitsAndARandomStart) {
  NonceCounter counter(from_hex("ff0102030405060708097fffffffffffffff"), 1);
  EXPECT_EQ(counter.remaining(), std::uint64_t{1} << 63);
  EXPECT_EQ(to_hex(counter.take()), "0f0102030405060708090000000000000000");
}

TEST(NonceCounter, EndsAtItsLimit) {
  NonceCounter counter(from_hex("00000000"), 0);
  counter.limit(2);
  EXPECT_EQ(counter.remaining(), 2U);
  EXPECT_EQ(all(counter).size(), 2U);
  counter.limit(0);
  EXPECT_TRUE(counter.take().empty());
}

}  // namespace
}  // namespace sluice::dtls::crypto
