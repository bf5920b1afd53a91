// Publishers and viewers on different workers of a server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenario/sfu/worker_worlds.h"

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// As RFC 7741 section 4: the beginning of a key frame.
constexpr std::string_view kKeyFrame{"\x10\x00\x00\x00\x9d\x01\x2a", 7};

class SfuWorkers : public testing::Test {
 protected:
  // Packets of video from `first` on, one frame each.
  void send_video(Peer& publisher, std::uint16_t first, std::uint16_t count) {
    for (std::uint16_t i = 0; i < count; ++i) {
      const auto number = static_cast<std::uint16_t>(first + i);
      worlds_.first.send(publisher, {.number = number, .timestamp = number * 3000U});
    }
    worlds_.settle();
  }
  Peer& publisher() {
    Peer& made = worlds_.first.publisher();
    worlds_.run_for(10ms);
    return made;
  }
  Peer& viewer() {
    Peer& made = worlds_.second.viewer();
    worlds_.run_for(10ms);
    return made;
  }
  std::vector<rtp::Packet> video_of(const Peer& viewer) {
    return SfuWorld::packets(viewer, kVideo);
  }
  // Of the peer's server.
  void nack(Peer& viewer, rtp::SequenceNumber lost) {
    const rtp::NackEntry entry{.lost = lost, .following = 0};
    worlds_.second.send_rtcp(viewer, [&](rtp::CompoundWriter& writer) {
      ASSERT_TRUE(writer.add(rtp::GenericNack{
          .sender = rtp::Ssrc{1}, .media = viewer.ssrc(kVideo), .entries = std::span(&entry, 1)}));
    });
    worlds_.settle();
  }

  WorkerWorlds<SfuWorld> worlds_;
};

TEST_F(SfuWorkers, AViewerGetsAPublisherOfAnotherWorker) {
  Peer& from = publisher();
  const Peer& to = viewer();
  send_video(from, 100, 3);
  ASSERT_THAT(video_of(to), SizeIs(3));
  EXPECT_EQ(rtp::distance(video_of(to)[0].sequence_number, video_of(to)[2].sequence_number), 2);
  EXPECT_EQ(video_of(to)[0].payload.size(), std::string_view("payload").size());
  EXPECT_EQ(worlds_.second.counters().rtp_received, 0U) << "it counts where it is received";
  EXPECT_EQ(worlds_.first.counters().rtp_received, 3U);
  EXPECT_EQ(worlds_.second.counters().forwarded.packets, 3U);
  EXPECT_EQ(worlds_.exchange->dropped().packets, 0U);
}

// That each worker has a mirror of the publisher puts no room on all of them.
TEST_F(SfuWorkers, ASmallRoomStaysOnTheWorkerThatHasIt) {
  publisher();
  ASSERT_EQ(worlds_.second.sfu.rooms().size(), 1U) << "the mirror's";
  EXPECT_EQ(worlds_.directory.place_for("room"), 0U);
  EXPECT_EQ(worlds_.directory.place_for("other"), 1U);
}

// The publisher is announced before the answer of WHIP is sent.
TEST_F(SfuWorkers, WatchesAtOnce) {
  ASSERT_TRUE(worlds_.first.publish(SfuWorld::publisher_offer()));
  EXPECT_TRUE(worlds_.second.watch(SfuWorld::viewer_offer()));
}

TEST_F(SfuWorkers, NothingCrossesWithoutViewers) {
  Peer& from = publisher();
  send_video(from, 100, 3);
  EXPECT_FALSE(worlds_.exchange->between(0, 1).has_next());
  Peer& to = viewer();
  ASSERT_TRUE(worlds_.second.sfu.remove(to.id, worlds_.second.now));
  worlds_.run_for(10ms);
  worlds_.first.send(from, {.number = 200});
  EXPECT_FALSE(worlds_.exchange->between(0, 1).has_next());
}

TEST_F(SfuWorkers, AKeyFrameIsAskedOfThePublisher) {
  Peer& from = publisher();
  send_video(from, 100, 1);
  Peer& to = viewer();
  // The viewer has come in the middle of the stream.
  EXPECT_THAT(SfuWorld::received<rtp::PictureLossIndication>(from), SizeIs(1));
  worlds_.run_for(1s);
  send_video(from, 101, 1);
  worlds_.second.send_rtcp(to, [&](rtp::CompoundWriter& writer) {
    ASSERT_TRUE(
        writer.add(rtp::PictureLossIndication{.sender = rtp::Ssrc{1}, .media = to.ssrc(kVideo)}));
  });
  worlds_.settle();
  const auto asked = SfuWorld::received<rtp::PictureLossIndication>(from);
  ASSERT_THAT(asked, SizeIs(2));
  EXPECT_EQ(asked.back().media, rtp::Ssrc{kSources[kVideo]});
  EXPECT_EQ(worlds_.first.counters().key_frames_asked, 2U);
  EXPECT_EQ(worlds_.second.counters().key_frames_asked, 0U) << "it is sent by the other one";
  EXPECT_EQ(worlds_.second.counters().key_frames_needed, 2U);
  EXPECT_EQ(worlds_.first.counters().key_frames_needed, 0U);
}

TEST_F(SfuWorkers, AMirrorAnswersNacks) {
  Peer& from = publisher();
  Peer& to = viewer();
  send_video(from, 100, 1);
  to.loses = 1;
  send_video(from, 101, 2);
  ASSERT_THAT(video_of(to), SizeIs(2));
  const auto number = video_of(to)[0].sequence_number + 1;
  nack(to, number);
  ASSERT_THAT(video_of(to), SizeIs(3));
  EXPECT_EQ(video_of(to)[2].sequence_number, number);
  EXPECT_EQ(worlds_.second.counters().repeated, 1U);
  EXPECT_EQ(worlds_.first.counters().nacked, 0U);
}

// A mirror must not ask for what is missing: its original does.
TEST_F(SfuWorkers, MissingPacketsAreAskedForOnce) {
  Peer& from = worlds_.first.publisher(SfuWorld::simulcast_offer());
  worlds_.run_for(10ms);
  viewer();
  for (const int number : {100, 101, 103, 104, 105, 106}) {
    worlds_.first.send(from, {.number = static_cast<std::uint16_t>(number), .rid = "h"});
  }
  worlds_.run_for(30ms);
  EXPECT_THAT(SfuWorld::received<rtp::GenericNack>(from), SizeIs(1));
  EXPECT_EQ(worlds_.second.counters().nacks_sent, 0U);
}

TEST_F(SfuWorkers, ClocksCross) {
  Peer& from = publisher();
  const Peer& to = viewer();
  send_video(from, 100, 1);
  constexpr rtp::NtpTime kTime{0x1234'5678'0000'0000};
  worlds_.first.send_rtcp(from, [&](rtp::CompoundWriter& writer) {
    ASSERT_TRUE(writer.add(rtp::SenderReport{.sender = rtp::Ssrc{kSources[kVideo]},
                                             .ntp_time = kTime,
                                             .rtp_timestamp = rtp::Timestamp{300'000}}));
  });
  worlds_.run_for(10s);
  const auto reports = SfuWorld::received<rtp::SenderReport>(to);
  ASSERT_THAT(reports, testing::Not(IsEmpty()));
  EXPECT_EQ(static_cast<std::uint64_t>(reports.front().ntp_time) >> 40,
            static_cast<std::uint64_t>(kTime) >> 40);
}

// Whoever comes later knows the clock and the rates from the state that crosses first.
TEST_F(SfuWorkers, AMirrorBeginsWithTheStateOfItsOriginal) {
  Peer& from = publisher();
  for (std::uint16_t i = 0; i < 250; ++i) {
    worlds_.first.send(from, {.number = i, .timestamp = i * 900U});
    worlds_.run_for(10ms);
  }
  viewer();
  const auto& mirror = worlds_.second.sfu.rooms().at("room")->all_publishers().front()->tracks();
  const Layer& layer = mirror.at(kVideo).layers().front();
  EXPECT_EQ(layer.source(), rtp::Ssrc{kSources[kVideo]});
  EXPECT_GT(layer.rate().bits_per_second(worlds_.second.now), 0U);
}

TEST_F(SfuWorkers, SimulcastLayersAreChosenAtTheMirror) {
  Peer& from = worlds_.first.publisher(SfuWorld::simulcast_offer());
  worlds_.run_for(10ms);
  Peer& to = viewer();
  const auto send = [&](std::uint16_t number, std::string_view payload) {
    for (const std::uint32_t layer : {0U, 1U, 2U}) {
      constexpr std::array<std::string_view, 3> kRids = {"h", "m", "l"};
      worlds_.first.send(from, {.number = number,
                                .timestamp = number * 3000U,
                                .ssrc = 0x100 + layer,
                                .payload = payload,
                                .rid = kRids.at(layer)});
    }
    worlds_.settle();
  };
  send(1, kKeyFrame);
  ASSERT_TRUE(worlds_.second.sfu.ask_for_layer(to.id, "1", "m"));
  worlds_.run_for(100ms);
  send(2, "payload");
  send(3, kKeyFrame);
  const auto& streams = worlds_.second.sfu.find(to.id)->viewer->streams();
  ASSERT_NE(streams.at(kVideo).subscription.shown, nullptr);
  EXPECT_EQ(streams.at(kVideo).subscription.shown->rid(), "m");
  const auto asked = SfuWorld::received<rtp::PictureLossIndication>(from);
  ASSERT_THAT(asked, testing::Not(IsEmpty()));
  EXPECT_EQ(asked.back().media, rtp::Ssrc{0x101});
}

// An offer of the server that nobody has answered yet is no viewer.
TEST_F(SfuWorkers, NothingCrossesForACounterOffer) {
  Peer& from = publisher();
  const auto refused = worlds_.second.watch(SfuWorld::publisher_offer("H264"));
  ASSERT_FALSE(refused);
  ASSERT_TRUE(refused.error().counter_offer);
  worlds_.run_for(10ms);
  worlds_.first.send(from, {.number = 100});
  EXPECT_FALSE(worlds_.exchange->between(0, 1).has_next());
}

TEST_F(SfuWorkers, ARoomEndsOnAllWorkers) {
  Peer& from = publisher();
  const Peer& to = viewer();
  ASSERT_TRUE(worlds_.first.sfu.remove(from.id, worlds_.first.now));
  worlds_.run_for(4s);
  EXPECT_NE(worlds_.second.sfu.find(to.id), nullptr) << "a publisher may come back";
  worlds_.run_for(2s);
  EXPECT_EQ(worlds_.second.sfu.find(to.id), nullptr);
  EXPECT_EQ(worlds_.second.count(End::room_ended), 1U);
  EXPECT_THAT(worlds_.first.sfu.rooms(), IsEmpty());
  EXPECT_THAT(worlds_.second.sfu.rooms(), IsEmpty());
}

TEST_F(SfuWorkers, APublisherThatComesBackIsSeenOnTheSameStreams) {
  Peer& from = publisher();
  const Peer& to = viewer();
  send_video(from, 100, 2);
  ASSERT_TRUE(worlds_.first.sfu.remove(from.id, worlds_.first.now));
  worlds_.run_for(1s);
  Peer& again = publisher();
  send_video(again, 7000, 2);
  const auto packets = video_of(to);
  ASSERT_THAT(packets, SizeIs(4));
  EXPECT_EQ(rtp::distance(packets[1].sequence_number, packets[2].sequence_number), 1);
}

TEST(SfuWorkersLimits, AreThoseOfAllTogether) {
  WorkerWorlds<SfuWorld> worlds({.max_publishers = 1, .max_viewers = 2});
  worlds.first.publisher();
  worlds.run_for(10ms);
  const auto refused = worlds.second.publish(SfuWorld::publisher_offer());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, Refusal::too_many_publishers);
  worlds.first.viewer();
  worlds.second.viewer();
  const auto third = worlds.second.watch(SfuWorld::viewer_offer());
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().why, Refusal::too_many_viewers);
}

// A worker without viewers gets no packets. The numbers of what comes afterwards say nothing about
// how late it is.
TEST_F(SfuWorkers, LayersChangeAlsoWhereTheyWereNotWatchedForLong) {
  Peer& from = worlds_.first.publisher(SfuWorld::simulcast_offer());
  worlds_.run_for(10ms);
  // Twenty frames a second, all of them key frames.
  const auto send = [&](std::uint16_t first, std::uint16_t count) {
    for (std::uint16_t i = 0; i < count; ++i) {
      const auto number = static_cast<std::uint16_t>(first + i);
      std::uint32_t ssrc = 0;
      for (const auto& [rid, size] :
           {std::pair{"h", 900U}, std::pair{"m", 400U}, std::pair{"l", 100U}}) {
        const std::string frame = std::string(kKeyFrame) + std::string(size, *rid);
        worlds_.first.send(from, {.number = number,
                                  .timestamp = number * 4500U,
                                  .ssrc = ++ssrc,
                                  .payload = frame,
                                  .rid = rid});
      }
      worlds_.run_for(50ms);
    }
  };
  Peer& before = viewer();
  send(100, 1);
  ASSERT_TRUE(worlds_.second.sfu.remove(before.id, worlds_.second.now));
  worlds_.run_for(10ms);
  // In steps that count as losses (RFC 3550 appendix A.1).
  for (std::uint16_t number = 2'600; number <= 40'100; number += 2'500) send(number, 1);
  Peer& again = viewer();
  send(40'101, 100);
  const auto& stream = worlds_.second.sfu.find(again.id)->viewer->streams().at(kVideo);
  std::uint16_t number = 40'201;
  for (const char* rid : {"m", "l"}) {
    ASSERT_TRUE(worlds_.second.sfu.ask_for_layer(again.id, {}, rid));
    send(number, 100);
    number += 100;
    ASSERT_NE(stream.subscription.shown, nullptr);
    EXPECT_EQ(stream.subscription.shown->rid(), rid);
  }
}

}  // namespace
}  // namespace sluice::interop::sfu
