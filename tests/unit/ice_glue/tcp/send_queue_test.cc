#include "send_queue.h"

#include <gtest/gtest.h>

#include "frame_batch.h"
#include "stream.h"

namespace sluice::tcp {
namespace {

TEST(SendQueue, LeavesInPiecesAndCountsWholeFrames) {
  SendQueue queue;
  queue.push(framed({"one"}));
  queue.push(framed({"second"}));
  EXPECT_EQ(queue.datagrams(), 2U);
  EXPECT_EQ(text_of(queue.bytes()), text_of(framed({"one", "second"})));
  EXPECT_EQ(queue.pop(4), 0U);
  EXPECT_EQ(queue.pop(1), 1U);
  EXPECT_EQ(queue.pop(7), 0U);
  queue.push(framed({"third"}));
  EXPECT_EQ(text_of(queue.bytes()), "d" + text_of(framed({"third"})));
  EXPECT_EQ(queue.pop(8), 2U);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.size(), 0U);
}

// What is left of a frame whose beginning has left already.
TEST(SendQueue, BeginsWithTheRestOfAFrame) {
  SendQueue queue;
  queue.push(std::as_bytes(std::span("rest", 4)));
  queue.push(framed({"next"}));
  EXPECT_EQ(queue.pop(4), 1U);
  EXPECT_EQ(queue.pop(6), 1U);
  EXPECT_TRUE(queue.empty());
}

TEST(FrameBatch, JoinsFramesOfOneConnection) {
  FrameBatch batch;
  const auto add = [&](std::uint64_t connection, const std::string& text) {
    return batch.add(ConnectionHandle{connection}, std::as_bytes(std::span(text)));
  };
  EXPECT_TRUE(add(1, "a") && add(1, "bc") && add(2, "d") && add(1, ""));
  ASSERT_EQ(batch.runs().size(), 3U);
  EXPECT_EQ(text_of(batch.runs()[0].frames), text_of(framed({"a", "bc"})));
  EXPECT_EQ(text_of(batch.runs()[1].frames), text_of(framed({"d"})));
  EXPECT_EQ(text_of(batch.runs()[2].frames), text_of(framed({""})));
  batch.clear();
  EXPECT_TRUE(batch.runs().empty());
  const std::string largest(kMaxFrame, 'x');
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(add(3, largest));
  EXPECT_FALSE(add(3, largest + "") && add(3, largest));
  batch.clear();
  for (std::uint64_t i = 0; i < FrameBatch::kMaxRuns; ++i) EXPECT_TRUE(add(i, "x"));
  EXPECT_FALSE(add(0, "x"));
}

}  // namespace
}  // namespace sluice::tcp
