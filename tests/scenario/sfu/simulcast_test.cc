// Layers of simulcast, and the feedback that a publisher gets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <sluice/rtp/extension.h>

#include "scenario/sfu/sfu_world.h"
#include "support/bytes.h"

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// The payload of VP8: the end of its first bytes says which packet it is.
constexpr std::string_view kKey{"\x10\x50"};
constexpr std::string_view kDelta{"\x10\x51"};
constexpr std::uint32_t kHigh = 0x100;
constexpr std::uint32_t kMiddle = 0x200;
constexpr std::uint32_t kLow = 0x300;

class SfuSimulcast : public testing::Test {
 protected:
  struct Sent {
    std::string_view rid;
    std::uint32_t ssrc;
    std::size_t size;  // of a packet
    std::uint16_t number = 0;
  };

  // A packet of a layer, which is its letter many times behind the payload's first bytes.
  void send(Sent& layer, std::string_view begin = kDelta) {
    const std::string payload = std::string(begin) + std::string(layer.size, layer.rid.front());
    const auto number = ++layer.number;
    world_.send(publisher_, {.number = number,
                             .timestamp = layer.ssrc * 1000 + number * 3000U,
                             .ssrc = layer.ssrc,
                             .payload = payload,
                             .rid = number == 1 ? layer.rid : std::string_view{}});
  }
  // All layers send for so long.
  void send_for(dtls::Duration duration) {
    for (const auto until = world_.now + duration; world_.now < until; world_.run_for(50ms)) {
      for (Sent* layer : {&high_, &middle_, &low_}) send(*layer);
    }
  }
  static std::set<char> letters(Peer& viewer) { return SfuWorld::letters(viewer); }
  std::set<std::uint32_t> asked() { return SfuWorld::sources_asked(publisher_); }
  bool ask_for(const Peer& viewer, const std::string& rid, std::string_view mid = {}) {
    return world_.sfu.ask_for_layer(viewer.id, mid, rid);
  }
  static void expect_no_gap(const std::vector<rtp::Packet>& packets) {
    for (std::size_t i = 1; i < packets.size(); ++i) {
      EXPECT_EQ(packets[i].sequence_number, packets[i - 1].sequence_number + 1) << i;
      const auto passed = rtp::number(packets[i].timestamp) - rtp::number(packets[i - 1].timestamp);
      EXPECT_GE(static_cast<std::int32_t>(passed), 0) << i;
    }
  }

  SfuWorld world_;
  Peer& publisher_ = world_.publisher(SfuWorld::simulcast_offer());
  Sent high_{"h", kHigh, 900};
  Sent middle_{"m", kMiddle, 400};
  Sent low_{"l", kLow, 100};
};

TEST_F(SfuSimulcast, IsAnswered) {
  const auto& video = publisher_.answer.media.at(kVideo).attributes;
  EXPECT_THAT(video.all("rid"), ElementsAre("h recv", "m recv", "l recv"));
  EXPECT_EQ(video.find("simulcast"), "recv h;m;l");
  EXPECT_FALSE(publisher_.answer.media.at(kAudio).attributes.has("simulcast"));
}

TEST_F(SfuSimulcast, AViewerGetsOneLayerFromItsKeyFrameOn) {
  send_for(2s);
  Peer& viewer = world_.viewer();
  send_for(1s);
  EXPECT_THAT(letters(viewer), ElementsAre('l')) << "the smallest";
  asked();

  ASSERT_TRUE(ask_for(viewer, "h"));
  send_for(500ms);
  EXPECT_THAT(asked(), ElementsAre(kHigh));
  EXPECT_THAT(letters(viewer), ElementsAre('l')) << "what it has, until the key frame";
  send(high_, kKey);
  send_for(500ms);
  EXPECT_THAT(letters(viewer), ElementsAre('h'));
}

TEST_F(SfuSimulcast, NumbersAndTimeGoOnOverLayers) {
  send_for(2s);
  const Peer& viewer = world_.viewer();
  for (Sent* layer : {&middle_, &high_, &low_, &high_}) {
    ASSERT_TRUE(ask_for(viewer, std::string{layer->rid}));
    world_.run_for(50ms);
    send(*layer, kKey);
    send_for(200ms);
  }
  const auto packets = SfuWorld::packets(viewer, kVideo);
  EXPECT_GT(packets.size(), 16U);
  expect_no_gap(packets);
}

TEST_F(SfuSimulcast, AKeyFrameThatWasLostIsAskedForAgain) {
  send_for(2s);
  const Peer& viewer = world_.viewer();
  world_.run_for(1s);
  asked();
  ASSERT_TRUE(ask_for(viewer, "h"));
  std::size_t requests = 0;
  for (int i = 0; i < 5; ++i) {
    send_for(500ms);
    requests += asked().count(kHigh);
  }
  EXPECT_GE(requests, 4U);
  send(high_, kKey);
  asked();
  send_for(2s);
  EXPECT_THAT(asked(), IsEmpty());
}

// The publisher was asked for its first packet again.
TEST_F(SfuSimulcast, AKeyFrameWhoseBeginningComesLateIsSeenWhole) {
  send_for(2s);
  Peer& viewer = world_.viewer();
  ASSERT_TRUE(ask_for(viewer, "h"));
  world_.run_for(50ms);
  const auto first = static_cast<std::uint16_t>(high_.number + 1);
  const auto send_as = [&](int ahead, std::string_view begin) {
    high_.number = static_cast<std::uint16_t>(first + ahead - 1);
    send(high_, begin);
  };
  letters(viewer);
  for (const int ahead : {1, 2, 3}) send_as(ahead, kDelta);
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), IsEmpty());
  send_as(0, kKey);
  send_as(4, kDelta);
  const auto packets = SfuWorld::packets(viewer, kVideo);
  ASSERT_THAT(packets, SizeIs(5));
  expect_no_gap(packets);
  EXPECT_EQ(packets[0].payload[1], std::byte{0x50}) << "first the key frame";
}

// Who waits would get all the packets behind it at once.
TEST_F(SfuSimulcast, AKeyFrameThatComesTooLateIsNone) {
  send_for(2s);
  Peer& viewer = world_.viewer();
  ASSERT_TRUE(ask_for(viewer, "h"));
  world_.run_for(50ms);
  const auto first = ++high_.number;
  for (int i = 0; i <= Layer::kMostBehind; ++i) send(high_);
  letters(viewer);
  const auto newest = std::exchange(high_.number, static_cast<std::uint16_t>(first - 1));
  send(high_, kKey);
  high_.number = newest;
  send(high_);
  EXPECT_THAT(letters(viewer), IsEmpty());
  asked();
  send_for(600ms);
  EXPECT_THAT(asked(), testing::Contains(kHigh)) << "it is asked for another one";
}

// Their first packets do not come in the same moment, and so neither do their rates.
TEST_F(SfuSimulcast, ALayerIsKeptOverAPauseOfAll) {
  send_for(2s);
  Peer& viewer = world_.viewer();
  ASSERT_TRUE(ask_for(viewer, "h"));
  world_.run_for(50ms);
  send(high_, kKey);
  send_for(1s);
  world_.run_for(20s);
  asked();
  letters(viewer);
  for (int i = 0; i < 40; ++i) {
    for (Sent* layer : {&low_, &middle_, &high_}) {
      send(*layer);
      world_.run_for(60ms);
    }
  }
  EXPECT_THAT(asked(), IsEmpty());
  EXPECT_THAT(letters(viewer), ElementsAre('h'));
}

TEST_F(SfuSimulcast, ViewersHaveLayersOfTheirOwn) {
  send_for(2s);
  Peer& one = world_.viewer();
  Peer& other = world_.viewer();
  ASSERT_TRUE(ask_for(one, "m"));
  ASSERT_TRUE(ask_for(other, "h"));
  world_.run_for(50ms);
  send(middle_, kKey);
  send(high_, kKey);
  letters(one), letters(other);
  send_for(500ms);
  EXPECT_THAT(letters(one), ElementsAre('m'));
  EXPECT_THAT(letters(other), ElementsAre('h'));
}

TEST_F(SfuSimulcast, AWishThatNobodyCanMeetIsRefused) {
  const Peer& viewer = world_.viewer();
  EXPECT_FALSE(ask_for(viewer, "x"));
  EXPECT_FALSE(ask_for(viewer, "h", "0")) << "the audio section";
  EXPECT_FALSE(ask_for(viewer, "h", "9"));
  EXPECT_FALSE(ask_for(publisher_, "h"));
  EXPECT_FALSE(world_.sfu.ask_for_layer("nobody", {}, "h"));
  EXPECT_TRUE(ask_for(viewer, "h", "1"));
  EXPECT_TRUE(ask_for(viewer, ""));
}

// Each layer may be asked for twice a second, but not by one viewer.
TEST_F(SfuSimulcast, AViewerThatKeepsChangingItsWishGetsFewKeyFrames) {
  send_for(2s);
  Peer& viewer = world_.viewer();
  std::array layers = {&high_, &middle_, &low_};
  const auto before = world_.counters().key_frames_asked;
  for (std::size_t i = 0; i < 320; ++i) {  // 16 s
    ASSERT_TRUE(ask_for(viewer, std::string{layers.at(i % layers.size())->rid}));
    send_for(50ms);
    for (const std::uint32_t source : asked()) {
      send(source == kHigh ? high_ : source == kMiddle ? middle_ : low_, kKey);
    }
  }
  EXPECT_LE(world_.counters().key_frames_asked - before, 3 * LayerChoice::kMostWishes);
}

TEST_F(SfuSimulcast, AViewerThatDoesWellGetsMore) {
  send_for(2s);
  Peer& viewer = world_.viewer();
  send_for(LayerChoice::kFirstWait + 100ms);
  EXPECT_THAT(asked(), testing::Contains(kMiddle));
  send(middle_, kKey);
  letters(viewer);
  send_for(500ms);
  EXPECT_THAT(letters(viewer), ElementsAre('m'));
}

TEST_F(SfuSimulcast, AViewerWhoseEstimateFallsGetsLess) {
  send_for(2s);
  Peer& viewer = world_.viewer();
  ASSERT_TRUE(ask_for(viewer, "h"));
  world_.run_for(50ms);
  send(high_, kKey);
  send_for(LayerChoice::kSettling + 100ms);
  for (const std::uint64_t estimate : {1'000'000U, 40'000U}) {
    const rtp::Ssrc media = viewer.ssrc(kVideo);
    world_.send_rtcp(viewer, [&](rtp::CompoundWriter& writer) {
      ASSERT_TRUE(writer.add(rtp::MaximumBitrate{
          .sender = rtp::Ssrc{1}, .bits_per_second = estimate, .media = std::span(&media, 1)}));
    });
  }
  asked();
  send_for(200ms);
  EXPECT_THAT(asked(), testing::Contains(kLow));
  send(low_, kKey);
  letters(viewer);
  send_for(500ms);
  EXPECT_THAT(letters(viewer), ElementsAre('l'));
}

TEST_F(SfuSimulcast, PacketsOfALayerThatWasLeftAreSentAgain) {
  send_for(2s);
  Peer& viewer = world_.viewer();
  send(low_);
  const auto number = SfuWorld::packets(viewer, kVideo).back().sequence_number + 1;
  viewer.loses = 1;
  send(low_);
  ASSERT_TRUE(ask_for(viewer, "h"));
  world_.run_for(50ms);
  send(high_, kKey);
  letters(viewer);
  const rtp::NackEntry entry{.lost = number};
  world_.send_rtcp(viewer, [&](rtp::CompoundWriter& writer) {
    ASSERT_TRUE(writer.add(rtp::GenericNack{
        .sender = rtp::Ssrc{1}, .media = viewer.ssrc(kVideo), .entries = std::span(&entry, 1)}));
  });
  EXPECT_THAT(letters(viewer), ElementsAre('l'));
  send_for(100ms);
  EXPECT_THAT(letters(viewer), ElementsAre('h'));
}

TEST_F(SfuSimulcast, PacketsOfNoLayerAreDropped) {
  const Peer& viewer = world_.viewer();
  world_.send(publisher_, {.number = 1, .ssrc = 77});
  world_.send(publisher_, {.number = 1, .ssrc = 78, .rid = "x"});
  world_.send(publisher_, {.number = 1, .ssrc = 79, .rid = "a-b"});
  EXPECT_EQ(world_.counters().rtp_dropped, 3U);
  EXPECT_THAT(viewer.client->rtp, IsEmpty());
}

TEST_F(SfuSimulcast, AViewerLeavesWhileItWaitsForAKeyFrame) {
  send_for(2s);
  const Peer& viewer = world_.viewer();
  const Peer& other = world_.viewer();
  ASSERT_TRUE(ask_for(viewer, "h"));
  ASSERT_TRUE(ask_for(other, "h"));
  send_for(100ms);
  world_.sfu.remove(viewer.id, world_.now);
  send(high_, kKey);
  send_for(100ms);
  EXPECT_THAT(other.client->rtp, testing::Not(IsEmpty()));
  world_.sfu.remove(publisher_.id, world_.now);
  world_.run_for(1s);
}

TEST_F(SfuSimulcast, AWishIsKeptForTheNextPublisher) {
  send_for(2s);
  Peer& viewer = world_.viewer();
  ASSERT_TRUE(ask_for(viewer, "m"));
  world_.run_for(100ms);
  world_.sfu.remove(publisher_.id, world_.now);
  Peer& next = world_.publisher(SfuWorld::simulcast_offer());
  world_.run_for(100ms);
  letters(viewer);
  for (const auto& [rid, ssrc] : {std::pair{"h", 0x400U}, {"m", 0x500U}}) {
    const std::string payload = std::string(kKey) + rid;
    world_.send(next, {.number = 1, .ssrc = ssrc, .payload = payload, .rid = rid});
  }
  EXPECT_THAT(letters(viewer), ElementsAre('m'));
}

// ---- what the publisher gets

TEST_F(SfuSimulcast, ThePublisherGetsReportsOnAllLayers) {
  send_for(4s);
  std::set<std::uint32_t> sources;
  for (const auto& report : SfuWorld::received<rtp::ReceiverReport>(publisher_)) {
    for (const auto& block : report.blocks) sources.insert(rtp::number(block.ssrc));
  }
  EXPECT_THAT(sources, ElementsAre(kHigh, kMiddle, kLow));
}

TEST_F(SfuSimulcast, ThePublisherIsAskedForLostPackets) {
  for (const std::uint16_t number : std::initializer_list<std::uint16_t>{1, 2, 5, 6, 7, 8}) {
    world_.send(publisher_, {.number = number, .ssrc = kHigh, .rid = "h"});
  }
  auto nacks = SfuWorld::received<rtp::GenericNack>(publisher_);
  ASSERT_FALSE(nacks.empty());
  EXPECT_EQ(nacks.front().media, rtp::Ssrc{kHigh});
  std::set<std::uint16_t> lost;
  for (const auto& nack : nacks) {
    for (const rtp::NackEntry& entry : nack.entries) lost.insert(rtp::number(entry.lost));
  }
  EXPECT_THAT(lost, ElementsAre(3, 4));

  // They come late, and viewers get them.
  const Peer& viewer = world_.viewer();
  for (const std::uint16_t number : std::initializer_list<std::uint16_t>{9, 11, 10}) {
    world_.send(publisher_, {.number = number, .ssrc = kHigh});
  }
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(3));
  const auto before = world_.counters().nacks_sent;
  world_.run_for(3s);
  EXPECT_LE(world_.counters().nacks_sent, before + 11) << "it ends";
}

TEST_F(SfuSimulcast, ThePublisherGetsTransportWideFeedback) {
  const auto begin = world_.now;
  for (const std::uint16_t number : std::initializer_list<std::uint16_t>{10, 11, 13}) {
    world_.send(publisher_, {.number = number,
                             .ssrc = kHigh,
                             .rid = "h",
                             .transport_number = static_cast<std::uint16_t>(number + 100)});
  }
  world_.run_for(100ms);
  const auto feedback = SfuWorld::received<rtp::TransportFeedback>(publisher_);
  ASSERT_THAT(feedback, SizeIs(1));
  EXPECT_EQ(feedback[0].media, rtp::Ssrc{kHigh}) << "browsers take no other";
  EXPECT_EQ(feedback[0].base, rtp::SequenceNumber{110});
  std::vector<bool> has_come;
  for (const rtp::PacketStatus status : feedback[0].statuses) {
    has_come.push_back(status.delta.has_value());
  }
  EXPECT_THAT(has_come, ElementsAre(true, true, false, true));
  EXPECT_LE(world_.now - begin, 100ms);
}

TEST_F(SfuSimulcast, ViewersGetSendTimes) {
  const Peer& viewer = world_.viewer();
  world_.send(publisher_, {.number = 1, .ssrc = kHigh, .payload = kKey, .rid = "h"});
  const auto packets = SfuWorld::packets(viewer, kVideo);
  ASSERT_THAT(packets, SizeIs(1));
  const auto value = rtp::find_extension(packets[0].extension, rtp::ExtensionId{8});
  ASSERT_TRUE(value && *value);
  EXPECT_EQ(rtp::read_absolute_send_time(**value).value(),
            rtp::absolute_send_time(media_time(world_.now)));
}

}  // namespace
}  // namespace sluice::interop::sfu
