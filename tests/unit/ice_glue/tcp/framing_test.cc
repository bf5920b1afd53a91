// RFC 4571: datagrams in a stream of bytes.
#include <sluice/tcp/framing.h>

#include <gmock/gmock.h>

#include <algorithm>

#include "stream.h"

namespace sluice::tcp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t kMax = 100;

class Framing : public testing::Test {
 protected:
  // The datagrams of this piece; an error ends them.
  std::vector<std::string> take(dtls::Buffer piece) {
    std::vector<std::string> taken;
    dtls::MutableBytes rest = piece;
    while (true) {
      const auto datagram = deframer_.next(rest);
      has_failed_ = !datagram.has_value();
      if (has_failed_ || !*datagram) return taken;
      taken.push_back(text_of(**datagram));
    }
  }

  Deframer deframer_ = Deframer(kMax);
  bool has_failed_ = false;
};

TEST_F(Framing, AHeaderIsTheLengthInNetworkByteOrder) {
  EXPECT_THAT(frame_header(0x1234), ElementsAre(std::byte{0x12}, std::byte{0x34}));
  EXPECT_THAT(frame_header(0), ElementsAre(std::byte{0}, std::byte{0}));
}

TEST_F(Framing, AWholeFrameIsNotCopied) {
  auto piece = framed({"one", "two"});
  dtls::MutableBytes rest = piece;
  const auto first = deframer_.next(rest);
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->data(), piece.data() + kLengthSize);
  EXPECT_FALSE(deframer_.has_given());
  EXPECT_EQ(rest.size(), kLengthSize + 3);
  EXPECT_EQ(deframer_.capacity(), 0U);
}

TEST_F(Framing, AFrameInPiecesIsPutTogether) {
  const auto whole = framed({"datagram"});
  EXPECT_THAT(take({whole.begin(), whole.begin() + 5}), IsEmpty());
  EXPECT_EQ(deframer_.pending(), 5U);
  EXPECT_THAT(take({whole.begin() + 5, whole.end()}), ElementsAre("datagram"));
  EXPECT_EQ(deframer_.pending(), 0U);
}

TEST_F(Framing, NullPacketsAreCountedAndSkipped) {
  EXPECT_THAT(take(framed({"", "one", "", "", "two", ""})), ElementsAre("one", "two"));
  EXPECT_EQ(deframer_.null_frames(), 4U);
}

TEST_F(Framing, TheLargestFrameIsTakenAndALargerOneEndsTheStream) {
  const std::string largest(kMax, 'x');
  EXPECT_THAT(take(framed({largest})), ElementsAre(largest));
  EXPECT_FALSE(has_failed_);
  EXPECT_THAT(take(framed({"before", largest + "x", "behind"})), ElementsAre("before"));
  EXPECT_TRUE(has_failed_);
  EXPECT_THAT(take(framed({"later"})), IsEmpty());
  EXPECT_TRUE(has_failed_);
}

// The length alone is enough to refuse it, before any of it has come.
TEST_F(Framing, ALengthThatLiesTakesNoMemory) {
  EXPECT_THAT(take({std::byte{0xff}}), IsEmpty());
  EXPECT_FALSE(has_failed_);
  EXPECT_THAT(take({std::byte{0xff}}), IsEmpty());
  EXPECT_TRUE(has_failed_);
  EXPECT_LE(deframer_.capacity(), 64U);
}

TEST(FramingMemory, FollowsWhatHasCome) {
  Deframer deframer(kMaxFrame);
  dtls::Buffer claimed{std::byte{0xff}, std::byte{0xff}, std::byte{1}};
  dtls::MutableBytes rest = claimed;
  EXPECT_FALSE(*deframer.next(rest));
  EXPECT_LE(deframer.capacity(), 64U);
  dtls::Buffer more(10'000);
  rest = more;
  EXPECT_FALSE(*deframer.next(rest));
  EXPECT_LE(deframer.capacity(), 20'000U);
  dtls::Buffer last(kMaxFrame - 10'001);
  rest = last;
  const auto whole = deframer.next(rest);
  ASSERT_TRUE(whole && *whole);
  EXPECT_EQ((*whole)->size(), kMaxFrame);
  EXPECT_EQ(deframer.capacity(), kLengthSize + kMaxFrame);
}

}  // namespace
}  // namespace sluice::tcp
