#include <sluice/udp/send_batch.h>

#include <gtest/gtest.h>

#include <string>

namespace sluice::udp {
namespace {

constexpr dtls::UdpPath kHere{.peer = {dtls::Ipv4Address{192, 0, 2, 1}, 1}};
constexpr dtls::UdpPath kThere{.peer = {dtls::Ipv4Address{192, 0, 2, 1}, 2}};

void put(SendBatch& batch, std::size_t size, const dtls::UdpPath& path) {
  ASSERT_GE(batch.room(size).size(), size);
  batch.commit(size, path);
}

// "datagrams x segment size = bytes" of each run.
std::string runs(const SendBatch& batch) {
  std::string text;
  for (const SendRun& run : batch.runs()) {
    text += std::to_string(run.datagrams) + "x" + std::to_string(run.segment_size) + "=" +
            std::to_string(run.bytes.size()) + " ";
  }
  return text;
}

TEST(SendBatch, DatagramsOfOneSizeToOnePathAreOneRun) {
  SendBatch batch;
  for (int i = 0; i < 3; ++i) put(batch, 1200, kHere);
  EXPECT_EQ(runs(batch), "3x1200=3600 ");
  EXPECT_EQ(batch.datagrams(), 3U);
}

TEST(SendBatch, AShorterOneEndsARun) {
  SendBatch batch;
  for (const std::size_t size : {1200U, 1200U, 700U, 700U, 1200U}) put(batch, size, kHere);
  EXPECT_EQ(runs(batch), "3x1200=3100 1x700=700 1x1200=1200 ");
}

TEST(SendBatch, ALargerOneBeginsARun) {
  SendBatch batch;
  for (const std::size_t size : {700U, 701U}) put(batch, size, kHere);
  EXPECT_EQ(runs(batch), "1x700=700 1x701=701 ");
}

TEST(SendBatch, AnotherPathBeginsARun) {
  SendBatch batch;
  put(batch, 100, kHere);
  put(batch, 100, kThere);
  put(batch, 100, kHere);
  EXPECT_EQ(runs(batch), "1x100=100 1x100=100 1x100=100 ");
  auto of_another_address = kHere;
  of_another_address.own = {dtls::Ipv4Address{198, 51, 100, 1}, 0};
  put(batch, 100, of_another_address);
  EXPECT_EQ(batch.runs().size(), 4U);
}

// UDP_SEGMENT divides nothing into empty datagrams.
TEST(SendBatch, AnEmptyDatagramIsARunByItself) {
  SendBatch batch;
  for (const std::size_t size : {100U, 0U, 0U, 100U}) put(batch, size, kHere);
  EXPECT_EQ(runs(batch), "1x100=100 1x0=0 1x0=0 1x100=100 ");
}

TEST(SendBatch, ARunIsWhatTheKernelTakesAtOnce) {
  SendBatch of_small;
  for (std::size_t i = 0; i < SendBatch::kMaxSegments + 1; ++i) put(of_small, 10, kHere);
  EXPECT_EQ(runs(of_small), "64x10=640 1x10=10 ");
  SendBatch of_large;
  for (int i = 0; i < 9; ++i) put(of_large, 8000, kHere);
  EXPECT_EQ(runs(of_large), "8x8000=64000 1x8000=8000 ");
}

TEST(SendBatch, IsFullWhereARunOrADatagramMoreDoesNotFit) {
  SendBatch of_runs;
  for (std::size_t i = 1; i <= SendBatch::kMaxRuns; ++i) put(of_runs, i, kHere);
  EXPECT_TRUE(of_runs.room(1).empty());
  SendBatch of_bytes(SendBatch::kMaxRunSize);
  put(of_bytes, SendBatch::kMaxRunSize - 1, kHere);
  EXPECT_TRUE(of_bytes.room(2).empty());
  EXPECT_EQ(of_bytes.room(1).size(), 1U);
  of_bytes.clear();
  EXPECT_TRUE(of_bytes.empty());
  EXPECT_EQ(of_bytes.datagrams(), 0U);
  EXPECT_EQ(of_bytes.room(1).size(), SendBatch::kMaxRunSize);
}

TEST(SendBatch, KeepsWhatWasWritten) {
  SendBatch batch;
  batch.room(2)[0] = std::byte{1};
  batch.commit(1, kHere);
  batch.room(2)[0] = std::byte{2};
  batch.commit(1, kHere);
  ASSERT_EQ(batch.runs().size(), 1U);
  EXPECT_EQ(batch.runs()[0].bytes[0], std::byte{1});
  EXPECT_EQ(batch.runs()[0].bytes[1], std::byte{2});
}

}  // namespace
}  // namespace sluice::udp
