// Whole runs against a media server on loopback.
#include "load/load_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/eventfd.h>

#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include <sluice/udp/descriptor.h>

#include "sfu/http/sfu_http.h"

namespace sluice::interop::load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class LoadRun : public testing::Test {
 protected:
  LoadRun() { options_.duration = 0.3; }

  void serve(const sfu::SfuHttpOptions& http = {}) {
    loop_ = sfu::start_media({.sfu = {}, .lite = {.addresses = {"127.0.0.1"}}}).value();
    http_ = sfu::SfuHttp::start(http, *loop_).value();
    options_.publish = http_->url() + "whip/room";
    options_.watch = http_->url() + "whep/room";
  }
  nlohmann::json server_json() {
    return nlohmann::json::parse(
        httplib::Client("127.0.0.1", http_->port()).Get("/sessions")->body);
  }
  LoadReport run() {
    auto report = run_load(options_);
    EXPECT_TRUE(report) << (report ? "" : report.error());
    return report.value_or(LoadReport{});
  }

  LoadOptions options_;
  std::unique_ptr<sfu::MediaThreads> loop_;
  std::unique_ptr<sfu::SfuHttp> http_;
};

TEST_F(LoadRun, EachViewerGetsEachPacket) {
  serve();
  options_.viewers = 4;
  options_.threads = 2;
  options_.has_audio = true;
  const auto report = run();
  EXPECT_THAT(violations(report, {.loss = 0, .corrupt = 0, .duplicates = 0, .breaks = 0}),
              IsEmpty());
  EXPECT_EQ(report.publishers_connected, 1U);
  EXPECT_EQ(report.viewers_with_media, 4U);
  EXPECT_EQ(report.answered.total(), 5U);
  EXPECT_GT(report.packets_meanwhile, 4 * 30U);
  EXPECT_GE(report.key_frames_asked, 1U) << "a viewer that joins needs one";
  EXPECT_GT(report.received.key_frames, 0U);
}

TEST_F(LoadRun, TokensAreSent) {
  serve({.publish_token = "pub", .watch_token = "view"});
  options_.publish_token = "pub";
  options_.watch_token = "wrong";
  const auto report = run();
  EXPECT_THAT(report.failures,
              ElementsAre(Pair("the server answers 401: A valid bearer token is needed.", 1)));
  EXPECT_EQ(report.publishers_connected, 1U);
  EXPECT_EQ(report.viewers, 1U);
  EXPECT_EQ(report.viewers_connected, 0U);
}

TEST_F(LoadRun, ViewersComeAndGo) {
  serve();
  options_.viewers = 3;
  options_.churn = 20;
  const auto report = run();
  EXPECT_THAT(violations(report, {.loss = 0, .corrupt = 0}), IsEmpty());
  EXPECT_GE(report.viewers, 6U);
  EXPECT_GE(report.viewers_with_media, 3U) << "those of the end";
}

// The server takes no offer with so many sections, and offers one of each kind.
TEST_F(LoadRun, ViewersTakeACounterOffer) {
  serve();
  options_.viewers = 2;
  options_.has_audio = true;
  options_.seats = 17;
  const auto report = run();
  EXPECT_THAT(violations(report, {.loss = 0, .corrupt = 0, .breaks = 0}), IsEmpty());
  EXPECT_EQ(report.viewers_with_media, 2U);
  EXPECT_EQ(report.answered.total(), 3U);
  EXPECT_GT(report.received.key_frames, 0U);
  const auto json = server_json();
  EXPECT_EQ(json["counters"]["counter_offers"], 2);
  EXPECT_EQ(json["counters"]["ended"]["deleted"], 3);
}

// What is dropped on purpose is seen, also by viewers that do not know what was sent. They are
// many: the loss may delay the handshake of any beyond the end.
TEST_F(LoadRun, LossIsSeen) {
  serve();
  const udp::Descriptor stop(eventfd(0, EFD_CLOEXEC));
  LoadOptions publishing = options_;
  publishing.watch = "";
  publishing.duration = 3600;
  publishing.stop_descriptor = stop.number();
  std::promise<void> is_running;
  publishing.log = [&](const std::string& line) {
    if (line == "running") is_running.set_value();
  };
  std::thread publisher([&] { EXPECT_TRUE(run_load(publishing)); });
  is_running.get_future().wait();

  options_.publish = "";
  options_.viewers = 8;
  options_.loss = 10;
  const auto report = run();
  EXPECT_GT(loss_percent(report.received), 2) << to_table(report);
  EXPECT_LT(loss_percent(report.received), 30) << to_table(report);
  EXPECT_EQ(report.received.corrupt, 0U);
  EXPECT_EQ(report.publishers, 0U);
  eventfd_write(stop.number(), 1);
  publisher.join();
}

TEST_F(LoadRun, StopsWhenItIsTold) {
  serve();
  const udp::Descriptor stop(eventfd(0, EFD_CLOEXEC));
  options_.stop_descriptor = stop.number();
  options_.duration = 3600;
  options_.log = [&](const std::string& line) {
    if (line == "running") eventfd_write(stop.number(), 1);
  };
  EXPECT_EQ(run().viewers_connected, 1U);
  // It ends its sessions all the same.
  const auto json = server_json();
  EXPECT_EQ(json["sessions"].size(), 0U);
  EXPECT_EQ(json["counters"]["ended"]["deleted"], 2);
  // Before the first client.
  EXPECT_EQ(run().publishers, 0U);
}

TEST_F(LoadRun, ClientsMayVanish) {
  serve();
  options_.vanishes = true;
  EXPECT_THAT(violations(run(), {}), IsEmpty());
  const auto json = server_json();
  EXPECT_EQ(json["sessions"].size(), 2U);
  EXPECT_EQ(json["sessions"][0]["state"], "connected");
}

TEST(LoadRunOptions, BadOnesAreNamed) {
  const auto error = [](const LoadOptions& options) { return run_load(options).error(); };
  const std::string url = "http://127.0.0.1:1/whip";
  EXPECT_THAT(error({}), HasSubstr("neither"));
  EXPECT_THAT(error({.publish = "room"}), HasSubstr("no URL"));
  EXPECT_THAT(error({.watch = "room"}), HasSubstr("no URL"));
  EXPECT_THAT(error({.publish = url, .rooms = 2}), HasSubstr("{n}"));
  EXPECT_THAT(error({.publish = url, .video = {.frames = 0}}), HasSubstr("video: "));
  EXPECT_THAT(error({.publish = url,
                     .has_audio = true,
                     .audio = {.kind = SectionKind::audio, .bitrate = 1, .frames = 50}}),
              HasSubstr("audio: "));
  EXPECT_THAT(error({.publish = url, .bind = "nowhere"}), HasSubstr("nowhere"));
  EXPECT_THAT(error({.publish = url, .publishers = 2'000'000'000}), HasSubstr("ulimit -n"));
}

}  // namespace
}  // namespace sluice::interop::load
