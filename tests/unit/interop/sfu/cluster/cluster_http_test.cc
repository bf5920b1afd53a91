// Viewers of a node of a cluster, over HTTP.
#include <gtest/gtest.h>

#include <optional>

#include "sfu/cluster/cluster.h"
#include "unit/interop/sfu/http_fixture.h"
#include "unit/session_stores/redis_server.h"

namespace sluice::interop::sfu {
namespace {

class ClusterHttp : public SfuHttpTest {
 protected:
  void SetUp() override {
    LoopOptions options;
    options.pulls = true;
    start(options, {});
    server_.reset();
    cluster_.emplace(
        ClusterOptions{.redis = {.address = {.host = "127.0.0.1", .port = redis_.port()}}}, *loop_);
    server_ = SfuHttp::start({.cluster = &*cluster_}, *loop_).value();
    client_.emplace("127.0.0.1", server_->port());
  }
  // Requests end first.
  void TearDown() override {
    server_.reset();
    cluster_.reset();
  }
  int refused() { return sessions()["counters"]["refused"]["no_publisher"]; }

  session_stores::test::RedisServer redis_;
  std::optional<Cluster> cluster_;
};

TEST_F(ClusterHttp, AViewerOfARoomThatIsNowhereIsRefusedOnce) {
  cluster_->begin(server_->url());
  EXPECT_EQ(post("/whep/room")->status, 409);
  EXPECT_EQ(refused(), 1);
}

TEST_F(ClusterHttp, ARoomIsNotCountedAsEmptyWhereTheClusterCanNotSay) {
  EXPECT_EQ(post("/whep/room")->status, 503) << "the cluster has not begun";
  EXPECT_EQ(refused(), 0);
}

}  // namespace
}  // namespace sluice::interop::sfu
