// What a request waits for, and what is not done when it no longer waits.
#include "common/http/web_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>

namespace sluice::interop {
namespace {

class WebServerWait : public testing::Test {
 public:
  WebServer server{{.answer_timeout = std::chrono::milliseconds{0}}, 0};
  httplib::Response response;
  std::atomic_flag claim;
  std::promise<int> promise;
};

TEST_F(WebServerWait, TakesAnAnswerThatIsThere) {
  promise.set_value(7);
  EXPECT_EQ(server.wait(response, promise.get_future(), &claim), 7);
  EXPECT_EQ(response.body, "");
}

TEST_F(WebServerWait, WorkThatHasNotBegunIsGivenUp) {
  EXPECT_EQ(server.wait(response, promise.get_future(), &claim), std::nullopt);
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(claim.test()) << "it is not to begin";
}

TEST_F(WebServerWait, WorkThatHasBegunIsWaitedFor) {
  claim.test_and_set();
  // It is ready as soon as somebody waits without a limit.
  auto late = std::async(std::launch::deferred, [] { return 7; });
  EXPECT_EQ(server.wait(response, std::move(late), &claim), 7);
  EXPECT_EQ(response.body, "") << "no refusal";
}

// The thread of the sessions ends before the work: the library answers with 500.
TEST_F(WebServerWait, ABrokenPromiseEndsTheWait) {
  auto answer = promise.get_future();
  promise = {};
  EXPECT_THROW(server.wait(response, std::move(answer), &claim), std::future_error);
}

}  // namespace
}  // namespace sluice::interop
