#include "sfu/workers/record_queue.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <thread>
#include <vector>

#include <sluice/dtls/bytes.h>

#include "sfu/workers/wake_up.h"

namespace sluice::interop::sfu {
namespace {

struct TestHeader {
  std::uint64_t number;
  std::uint8_t kind;
};
using TestQueue = RecordQueue<TestHeader>;

constexpr std::size_t kSmallQueue = std::size_t{1} << 18;

dtls::Buffer bytes_of(std::uint64_t number, std::size_t size) {
  return {size, static_cast<std::byte>(number)};
}

void expect_record(TestQueue& queue, std::uint64_t number, std::size_t size) {
  const auto record = queue.next();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->header.number, number);
  EXPECT_EQ(record->header.kind, number % 7);
  ASSERT_EQ(record->bytes.size(), size);
  EXPECT_TRUE(std::ranges::equal(record->bytes, bytes_of(number, size)));
}

bool push(TestQueue& queue, std::uint64_t number, std::size_t size) {
  return queue.push({.number = number, .kind = static_cast<std::uint8_t>(number % 7)},
                    bytes_of(number, size));
}

TEST(RecordQueue, GivesRecordsInOrder) {
  TestQueue queue(kSmallQueue);
  EXPECT_FALSE(queue.has_next());
  EXPECT_FALSE(queue.next());
  EXPECT_TRUE(push(queue, 1, 1200));
  EXPECT_TRUE(push(queue, 2, 0));
  EXPECT_TRUE(push(queue, 3, TestQueue::kMaxBytes));
  EXPECT_TRUE(queue.has_next());
  expect_record(queue, 1, 1200);
  expect_record(queue, 2, 0);
  expect_record(queue, 3, TestQueue::kMaxBytes);
  EXPECT_FALSE(queue.has_next());
  EXPECT_EQ(queue.dropped(), 0U);
}

// Sizes that divide no ring, so that records come to lie at its end in all ways.
TEST(RecordQueue, GoesRound) {
  TestQueue queue(kSmallQueue);
  std::uint64_t read = 0;
  const auto size_of = [](std::uint64_t number) { return number * 7919 % 3001; };
  for (std::uint64_t written = 0; written < 5'000; ++written) {
    ASSERT_TRUE(push(queue, written, size_of(written)));
    if (written % 50 != 49) continue;
    for (; read <= written; ++read) expect_record(queue, read, size_of(read));
    queue.release();
  }
}

TEST(RecordQueue, DropsWhatHasNoRoom) {
  TestQueue queue(kSmallQueue);
  std::uint64_t written = 0;
  while (push(queue, written, 1200)) ++written;
  EXPECT_GT(written, kSmallQueue / 1300);
  EXPECT_EQ(queue.dropped(), 1U);
  // Records that were read stay in place until they are released.
  expect_record(queue, 0, 1200);
  EXPECT_FALSE(push(queue, written, 1200));
  queue.release();
  EXPECT_TRUE(push(queue, written, 1200));
  for (std::uint64_t read = 1; read <= written; ++read) expect_record(queue, read, 1200);
  EXPECT_EQ(queue.dropped(), 2U);
}

TEST(RecordQueue, RefusesTooLongRecords) {
  TestQueue queue;
  EXPECT_FALSE(push(queue, 1, TestQueue::kMaxBytes + 1));
  EXPECT_FALSE(queue.has_next());
}

// One thread writes as fast as it can, the other sleeps whenever there is nothing to read: a
// record that does not wake it would let the test wait for ever.
TEST(RecordQueue, CarriesRecordsBetweenThreads) {
  constexpr std::uint64_t kRecords = 50'000;
  TestQueue queue(kSmallQueue);
  WakeUp wake_up(WakeUp::open().value());
  const auto size_of = [](std::uint64_t number) { return number * 31 % 1400; };
  std::thread writer([&] {
    for (std::uint64_t number = 0; number < kRecords;) {
      if (push(queue, number, size_of(number))) {
        ++number;
      } else {
        std::this_thread::yield();
      }
      wake_up.notify();
    }
  });
  for (std::uint64_t read = 0; read < kRecords;) {
    wake_up.prepare_wait();
    pollfd watched{.fd = wake_up.descriptor(), .events = POLLIN, .revents = 0};
    if (!queue.has_next()) poll(&watched, 1, -1);
    wake_up.finish_wait(watched.revents != 0);
    for (; queue.has_next(); ++read) expect_record(queue, read, size_of(read));
    queue.release();
  }
  writer.join();
  EXPECT_FALSE(queue.has_next());
}

TEST(WakeUp, NotifiesAThreadThatWaitsAlone) {
  WakeUp wake_up(WakeUp::open().value());
  const auto rings = [&] {
    pollfd watched{.fd = wake_up.descriptor(), .events = POLLIN, .revents = 0};
    return poll(&watched, 1, 0) == 1;
  };
  wake_up.notify();
  EXPECT_FALSE(rings());
  wake_up.prepare_wait();
  EXPECT_FALSE(rings());
  wake_up.notify();
  wake_up.notify();
  EXPECT_TRUE(rings());
  wake_up.finish_wait(true);
  EXPECT_FALSE(rings());
}

}  // namespace
}  // namespace sluice::interop::sfu
