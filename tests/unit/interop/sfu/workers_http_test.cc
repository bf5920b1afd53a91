// HTTP to a server with several workers: each request reaches the one that has the session.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "http_fixture.h"

namespace sluice::interop::sfu {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr int kViewers = 40;

class WorkersHttpTest : public SfuHttpTest {
 protected:
  void SetUp() override { start({.threads = 3}, {}); }
};

// More than a worker may have before another one gets the next: so all of them have some.
TEST_F(WorkersHttpTest, SessionsAreOnAllWorkers) {
  ASSERT_EQ(post("/whip/room")->status, 201);
  for (int i = 0; i < kViewers; ++i) ASSERT_EQ(post("/whep/room")->status, 201);
  const auto json = sessions();
  ASSERT_THAT(json["sessions"], SizeIs(kViewers + 1));
  std::set<int> workers;
  for (const auto& session : json["sessions"]) workers.insert(session["worker"].get<int>());
  EXPECT_THAT(workers, SizeIs(3));
  EXPECT_EQ(json["rooms"][0]["publishers"], 1);
  EXPECT_EQ(json["rooms"][0]["viewers"], kViewers);
  EXPECT_EQ(json["counters"]["publishers"], 1);
  EXPECT_EQ(json["counters"]["viewers"], kViewers);
  EXPECT_EQ(json["counters"]["rooms"], 1);
  const auto metrics = client_->Get("/metrics")->body;
  EXPECT_THAT(metrics, HasSubstr("\nsluice_sfu_rooms 1\n"));
  EXPECT_THAT(metrics,
              HasSubstr("\nsluice_sfu_sessions{role=\"viewer\",state=\"connecting\"} 40\n"));
  for (const char* worker : {"0", "1", "2"}) {
    EXPECT_THAT(metrics, HasSubstr("sluice_sfu_media_thread_cpu_seconds_total{worker=\"" +
                                   std::string{worker} + "\"} "));
  }
}

TEST_F(WorkersHttpTest, EachSessionIsFoundAndEnds) {
  ASSERT_EQ(post("/whip/room")->status, 201);
  std::vector<std::string> locations;
  for (int i = 0; i < kViewers; ++i) {
    locations.push_back(post("/whep/room")->get_header_value("Location"));
  }
  for (const std::string& each : locations) {
    EXPECT_EQ(client_->Get(each + "/layer")->status, 200);
    EXPECT_EQ(client_->Delete(each)->status, 200);
    EXPECT_EQ(client_->Delete(each)->status, 404);
  }
  EXPECT_THAT(sessions()["sessions"], SizeIs(1));
  EXPECT_EQ(client_->Get("/healthz")->status, 200);
}

TEST_F(WorkersHttpTest, LimitsAreThoseOfAllWorkers) {
  start({.sfu = {.max_viewers = 12}, .threads = 3}, {});
  ASSERT_EQ(post("/whip/room")->status, 201);
  for (int i = 0; i < 12; ++i) ASSERT_EQ(post("/whep/room")->status, 201);
  EXPECT_EQ(post("/whep/room")->status, 503);
  EXPECT_EQ(post("/whep/other")->status, 409);
}

}  // namespace
}  // namespace sluice::interop::sfu
