#include "crypto/random_reserve.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <set>

#include "unit/dtls/crypto/crypto_test.h"

namespace sluice::dtls::crypto {
namespace {

using test::must;
using Value = std::array<std::byte, 32>;

// Counts up, so that bytes given twice are seen.
class Source {
 public:
  Result<void> operator()(MutableBytes out) {
    ++calls;
    last = out;
    for (auto at = out.begin(); at != out.end(); at += sizeof(std::uint32_t)) {
      ++next_;
      std::memcpy(&*at, &next_, sizeof next_);
    }
    return {};
  }

  int calls = 0;
  MutableBytes last;  // the memory of the reserve

 private:
  std::uint32_t next_ = 0;
};

Value take(RandomReserve& reserve, Source& source) {
  Value value{};
  must(reserve.take(value, source));
  return value;
}

// What `draw` gives in a child process.
template <class Draw>
Value in_child(Draw draw) {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe(ends.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    const Value value = draw();
    _exit(write(ends[1], value.data(), value.size()) == std::ssize(value) ? 0 : 1);
  }
  Value value{};
  EXPECT_EQ(read(ends[0], value.data(), value.size()), std::ssize(value));
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  close(ends[0]);
  close(ends[1]);
  return value;
}

using RandomReserveTest = test::CryptoTest;

TEST_F(RandomReserveTest, OneFillingServesManyAndGivesNoByteTwice) {
  RandomReserve reserve;
  if (!reserve.exists()) GTEST_SKIP() << "the kernel has no MADV_WIPEONFORK";
  Source source;
  constexpr std::size_t kServed = RandomReserve::kSize / sizeof(Value);
  std::set<Value> seen;
  for (std::size_t i = 0; i < kServed; ++i) seen.insert(take(reserve, source));
  EXPECT_EQ(source.calls, 1);
  seen.insert(take(reserve, source));
  EXPECT_EQ(source.calls, 2);
  EXPECT_EQ(seen.size(), kServed + 1);
  EXPECT_FALSE(seen.contains(Value{}));
}

// What is left but too short is not used together with new bytes.
TEST_F(RandomReserveTest, FillsAnewWhereTooLittleIsLeft) {
  RandomReserve reserve;
  if (!reserve.exists()) GTEST_SKIP() << "the kernel has no MADV_WIPEONFORK";
  Source source;
  Buffer most(RandomReserve::kSize - sizeof(Value) + 1);
  must(reserve.take(most, source));
  EXPECT_EQ(source.calls, 1);
  take(reserve, source);
  EXPECT_EQ(source.calls, 2);
  Buffer all(RandomReserve::kSize);
  must(reserve.take(all, source));
  EXPECT_EQ(source.calls, 3);
}

TEST_F(RandomReserveTest, WhatIsTakenIsWiped) {
  RandomReserve reserve;
  if (!reserve.exists()) GTEST_SKIP() << "the kernel has no MADV_WIPEONFORK";
  Source source;
  const Value value = take(reserve, source);
  EXPECT_EQ(std::ranges::search(source.last, value).size(), 0U);
  EXPECT_EQ(std::ranges::count(source.last, std::byte{}),
            std::ranges::count(source.last.first(source.last.size() - value.size()), std::byte{}) +
                std::ssize(value));
}

TEST_F(RandomReserveTest, AFailedFillingGivesNothing) {
  RandomReserve reserve;
  if (!reserve.exists()) GTEST_SKIP() << "the kernel has no MADV_WIPEONFORK";
  Source source;
  take(reserve, source);
  Buffer all(RandomReserve::kSize);
  const auto failed = reserve.take(all, [](MutableBytes) -> Result<void> {
    return tl::unexpected(Error{Errc::libcrypto_failure});
  });
  EXPECT_FALSE(failed);
  take(reserve, source);
  EXPECT_EQ(source.calls, 2) << "nothing is left of the first filling";
}

// Or two servers that fork from one process would send the same randoms.
TEST_F(RandomReserveTest, AChildFillsItsOwn) {
  RandomReserve reserve;
  if (!reserve.exists()) GTEST_SKIP() << "the kernel has no MADV_WIPEONFORK";
  Source source;
  take(reserve, source);
  const Value childs = in_child([&] {
    take(reserve, source);
    return Value{std::byte(source.calls)};
  });
  EXPECT_EQ(childs.front(), std::byte{2});
  take(reserve, source);
  EXPECT_EQ(source.calls, 1) << "the parent's remains";
}

TEST_F(RandomReserveTest, ParentAndChildrenDrawOtherBytes) {
  const auto draw = [] {
    Value value{};
    must(library().public_random(value));
    return value;
  };
  std::set<Value> seen{draw()};
  for (int i = 0; i < 3; ++i) {
    seen.insert(in_child(draw));
    seen.insert(in_child([&] { return in_child(draw); }));
    seen.insert(draw());
  }
  EXPECT_EQ(seen.size(), 10U);
}

TEST_F(RandomReserveTest, ALibraryGivesAnyNumberOfBytes) {
  for (const std::size_t size : {std::size_t{1}, RandomReserve::kSize, RandomReserve::kSize + 1}) {
    Buffer first(size);
    must(library().public_random(first));
    if (size == 1) continue;
    Buffer second(size);
    must(library().public_random(second));
    EXPECT_NE(first, second);
    EXPECT_LT(std::ranges::count(first, std::byte{}), std::ssize(first) / 8)
        << "the whole is filled";
  }
}

// A recorded source repeats a handshake only if nothing is drawn ahead.
TEST_F(RandomReserveTest, ARandomSourceIsAskedForWhatIsNeeded) {
  class Counting : public test::SeededRandom {
   public:
    using test::SeededRandom::SeededRandom;
    void fill(MutableBytes out) override {
      bytes += out.size();
      SeededRandom::fill(out);
    }
    std::size_t bytes = 0;
  };
  Counting random(1);
  auto environment = must(Environment::make({.random = &random}));
  const std::size_t before = random.bytes;
  Value value{};
  must(environment.library().public_random(value));
  EXPECT_EQ(random.bytes - before, value.size());
}

}  // namespace
}  // namespace sluice::dtls::crypto
