#include <gtest/gtest.h>
#include <sluice/nice/glib_thread.h>

#include <array>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

namespace sluice::nice {
namespace {

TEST(GlibThread, RunsWhatIsPostedInOrderAndOnItself) {
  GlibThread thread;
  std::vector<int> order;  // touched by the thread alone
  for (int i = 0; i < 100; ++i) {
    thread.post([&, i] { order.push_back(thread.on_thread() ? i : -1); });
  }
  std::vector<int> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(thread.call([&] { return order; }), expected);
  EXPECT_FALSE(thread.on_thread());
}

TEST(GlibThread, TakesPostsFromManyThreads) {
  GlibThread thread;
  int count = 0;
  {
    std::array<std::jthread, 4> posters;
    for (auto& poster : posters) {
      poster = std::jthread([&] {
        for (int n = 0; n < 250; ++n) thread.post([&count] { ++count; });
      });
    }
  }
  EXPECT_EQ(thread.call([&] { return count; }), 1000);
}

TEST(GlibThread, CallsFromItselfRunAtOnceAndPostsLater) {
  GlibThread thread;
  std::vector<int> order;
  thread.call([&] {
    thread.post([&] { order.push_back(2); });
    order.push_back(thread.call([] { return 1; }));
  });
  EXPECT_EQ(thread.call([&] { return order; }), (std::vector{1, 2}));
}

TEST(GlibThread, HandsAnExceptionToTheCaller) {
  GlibThread thread;
  EXPECT_THROW(thread.call([] { throw std::runtime_error("no"); }), std::runtime_error);
}

TEST(GlibThread, RunsWhatWasPostedBeforeItEnds) {
  int count = 0;
  {
    GlibThread thread;
    for (int i = 0; i < 10; ++i) thread.post([&count] { ++count; });
  }
  EXPECT_EQ(count, 10);
}

}  // namespace
}  // namespace sluice::nice
