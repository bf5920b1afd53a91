// However a stream is divided, the same datagrams come out.
#include <sluice/tcp/framing.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "support/bytes.h"

namespace sluice::tcp {
namespace {

constexpr std::size_t kMax = 300;

struct Outcome {
  std::vector<dtls::Buffer> datagrams;
  std::uint64_t null_frames = 0;
  bool has_failed = false;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// `ends`: of the pieces, in rising order.
Outcome deframe(dtls::Bytes stream, const std::vector<std::size_t>& ends) {
  Deframer deframer(kMax);
  Outcome outcome;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    dtls::Buffer piece = dtls::Buffer(stream.begin() + static_cast<std::ptrdiff_t>(begin),
                                      stream.begin() + static_cast<std::ptrdiff_t>(end));
    begin = end;
    for (dtls::MutableBytes rest = piece;;) {
      const auto datagram = deframer.next(rest);
      outcome.has_failed = !datagram.has_value();
      if (!datagram || !*datagram) break;
      outcome.datagrams.emplace_back((*datagram)->begin(), (*datagram)->end());
      // A user decrypts in place.
      std::ranges::fill(**datagram, std::byte{0xee});
    }
    EXPECT_LE(deframer.capacity(), kLengthSize + kMax);
  }
  outcome.null_frames = deframer.null_frames();
  return outcome;
}

dtls::Buffer stream_of(const std::vector<std::size_t>& sizes, std::mt19937& random) {
  dtls::Buffer stream;
  for (const std::size_t size : sizes) {
    const auto header = frame_header(static_cast<std::uint16_t>(size));
    stream.insert(stream.end(), header.begin(), header.end());
    for (std::size_t i = 0; i < size; ++i) {
      stream.push_back(static_cast<std::byte>(random() & 0xff));
    }
  }
  return stream;
}

TEST(FramingProperty, EveryDivisionIntoThreeGivesTheSame) {
  std::mt19937 random(4571);
  const auto stream = stream_of({3, 0, 1, 20, 0, 0, 7, 2, kMax / 5}, random);
  const auto whole = deframe(stream, {stream.size()});
  ASSERT_EQ(whole.datagrams.size(), 6U);
  ASSERT_EQ(whole.null_frames, 3U);
  for (std::size_t first = 0; first <= stream.size(); ++first) {
    for (std::size_t second = first; second <= stream.size(); ++second) {
      ASSERT_EQ(deframe(stream, {first, second, stream.size()}), whole) << first << ' ' << second;
    }
  }
}

TEST(FramingProperty, SingleBytesGiveTheSame) {
  std::mt19937 random(6544);
  const auto stream = stream_of({kMax, 0, 1, kMax, 5}, random);
  std::vector<std::size_t> ends;
  for (std::size_t end = 1; end <= stream.size(); ++end) ends.push_back(end);
  EXPECT_EQ(deframe(stream, ends), deframe(stream, {stream.size()}));
}

// With a frame that is too large at the end, and bytes behind it.
TEST(FramingProperty, ARefusedLengthIsFoundWhereverItIsDivided) {
  std::mt19937 random(1);
  const auto stream = stream_of({4, 0, 9, kMax + 1}, random);
  const auto whole = deframe(stream, {stream.size()});
  ASSERT_TRUE(whole.has_failed);
  ASSERT_EQ(whole.datagrams.size(), 2U);
  for (std::size_t first = 0; first < stream.size(); ++first) {
    ASSERT_EQ(deframe(stream, {first, stream.size()}), whole) << first;
  }
}

TEST(FramingProperty, RandomStreamsInRandomPieces) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    std::vector<std::size_t> sizes(random() % 30);
    for (auto& size : sizes) size = random() % 4 == 0 ? 0 : random() % (kMax + 1);
    const auto stream = stream_of(sizes, random);
    std::vector<std::size_t> ends(random() % 20);
    for (auto& end : ends) end = random() % (stream.size() + 1);
    ends.push_back(stream.size());
    std::ranges::sort(ends);
    ASSERT_EQ(deframe(stream, ends), deframe(stream, {stream.size()}));
  }
}

}  // namespace
}  // namespace sluice::tcp
