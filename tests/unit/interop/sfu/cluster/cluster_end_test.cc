// A Cluster on threads of media that take no work.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "sfu/cluster/cluster.h"
#include "sfu/cluster/pulled_streams.h"
#include "support/endpoints.h"

namespace sluice::interop::sfu {
namespace {

// So much waits for it already.
class BusyMedia final : public MediaThreads {
 public:
  [[nodiscard]] std::size_t workers() const override { return 1; }
  bool post(std::size_t /*worker*/, Work /*work*/) override { return false; }
  [[nodiscard]] std::size_t place_for(const std::string& /*room*/) const override { return 0; }
  [[nodiscard]] std::optional<std::size_t> worker_of(const std::string& /*id*/) const override {
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::size_t> worker_of_stream(
      const std::string& /*room*/, const std::string& /*stream*/) const override {
    return std::nullopt;
  }
  [[nodiscard]] PulledStreams* pulled(std::size_t /*worker*/) override { return &pulled_; }
  [[nodiscard]] std::optional<Exchange::Dropped> dropped() const override { return std::nullopt; }
  MovedSfu move_out() override { return {}; }
  [[nodiscard]] AdoptedSockets sockets() override { return {}; }

 private:
  PulledStreams pulled_ =
      PulledStreams::make({}, test::environment(), {.dtls = test::make_config()}).value();
};

TEST(ClusterEnd, NeedsNoWorker) {
  BusyMedia media;
  {
    // Nobody listens there.
    Cluster cluster({.redis = {.address = {.host = "127.0.0.1", .port = 1}}}, media);
    cluster.begin("http://127.0.0.1:2");
    EXPECT_TRUE(cluster.has_begun());
  }
  EXPECT_EQ(media.pulled(0)->streams().size(), 0U);
}

}  // namespace
}  // namespace sluice::interop::sfu
