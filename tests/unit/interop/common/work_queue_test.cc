#include "common/work_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

namespace sluice::interop::common {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

bool has_work(int descriptor) {
  pollfd watched{.fd = descriptor, .events = POLLIN, .revents = 0};
  return poll(&watched, 1, 0) == 1;
}

class WorkQueueTest : public testing::Test {
 protected:
  WorkQueue<int> queue_{WorkQueue<int>::open().value()};
};

TEST_F(WorkQueueTest, GivesWhatWasPostedInOrder) {
  EXPECT_FALSE(has_work(queue_.descriptor()));
  std::thread other([this] {
    EXPECT_TRUE(queue_.post(1));
    EXPECT_TRUE(queue_.post(2));
  });
  other.join();
  EXPECT_TRUE(has_work(queue_.descriptor()));
  EXPECT_THAT(queue_.take(), ElementsAre(1, 2));
  EXPECT_FALSE(has_work(queue_.descriptor()));
  EXPECT_THAT(queue_.take(), IsEmpty());
}

TEST_F(WorkQueueTest, HasABound) {
  for (std::size_t i = 0; i < WorkQueue<int>::kMaxPosted; ++i) EXPECT_TRUE(queue_.post(0));
  EXPECT_FALSE(queue_.post(0));
  queue_.take();
  EXPECT_TRUE(queue_.post(0));
}

TEST_F(WorkQueueTest, WakesWithoutWork) {
  queue_.wake();
  EXPECT_TRUE(has_work(queue_.descriptor()));
  EXPECT_THAT(queue_.take(), IsEmpty());
}

}  // namespace
}  // namespace sluice::interop::common
