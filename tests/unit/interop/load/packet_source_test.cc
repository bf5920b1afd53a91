#include "load/packet_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include <sluice/rtp/packet.h>

#include "support/bytes.h"

namespace sluice::interop::load {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr dtls::Instant kStart{1h};

struct Made {
  dtls::Buffer bytes;
  rtp::Packet packet;
  FrontRead front;
  Stamp stamp;
};

Made read(SectionKind kind, dtls::Buffer bytes) {
  Made made{.bytes = std::move(bytes), .packet = {}, .front = {}, .stamp = {}};
  made.packet = rtp::read_packet(made.bytes).value();
  made.front = read_front(kind, made.packet.payload).value();
  made.stamp = read_stamp(made.packet.payload.subspan(made.front.size)).value();
  return made;
}

class Source {
 public:
  explicit Source(const SourceOptions& options)
      : source(options,
               {.ssrc = rtp::Ssrc{7},
                .payload_type = rtp::PayloadType{96},
                .id = SourceId{0x12345678}},
               kStart),
        kind_(options.kind) {}

  // All that is due up to then, when it is due.
  std::vector<Made> run_until(dtls::Instant until) {
    std::vector<Made> all;
    for (; source.next_timeout() <= until;) {
      const auto now = source.next_timeout();
      std::array<std::byte, PacketSource::kMaxPacket> out{};
      while (const auto size = source.write(out, now)) {
        all.push_back(read(kind_, {out.begin(), out.begin() + static_cast<long>(*size)}));
      }
    }
    return all;
  }

  PacketSource source;

 private:
  SectionKind kind_;
};

TEST(PacketSource, HasTheBitRateAndTheFrameRate) {
  for (const std::uint32_t bitrate : {300'000U, 1'500'000U, 4'321'987U}) {
    Source made({.bitrate = bitrate, .frames = 30});
    std::uint64_t bytes = 0;
    std::map<std::uint32_t, int> frames;
    for (const Made& each : made.run_until(kStart + 9'999ms)) {
      bytes += each.packet.payload.size();
      ++frames[rtp::number(each.packet.timestamp)];
      EXPECT_LE(each.packet.payload.size(), 1200U);
    }
    EXPECT_EQ(frames.size(), 300U);
    EXPECT_EQ(bytes, bitrate * 10ULL / 8);
    EXPECT_EQ(made.source.payload_bytes(), bytes);
  }
}

TEST(PacketSource, NumbersFollowEachOther) {
  Source made({.frames = 25});
  std::uint64_t number = 0;
  for (const Made& each : made.run_until(kStart + 5s)) {
    EXPECT_EQ(each.stamp.number, number);
    EXPECT_EQ(each.stamp.source, SourceId{0x12345678});
    EXPECT_EQ(each.stamp.media_time, each.packet.timestamp);
    EXPECT_EQ(rtp::number(each.packet.sequence_number),
              static_cast<std::uint16_t>(0x5678 + number));
    EXPECT_EQ(each.packet.ssrc, rtp::Ssrc{7});
    ++number;
  }
  EXPECT_EQ(made.source.packets(), number);
}

TEST(PacketSource, TimestampsHaveTheClockOfTheMedia) {
  for (const auto& [kind, rate] :
       {std::pair{SectionKind::video, 90'000U}, std::pair{SectionKind::audio, 48'000U}}) {
    Source made({.kind = kind, .bitrate = 40'000, .frames = 50});
    const auto all = made.run_until(kStart + 1s);
    ASSERT_EQ(all.size(), 51U);
    EXPECT_EQ(rtp::number(all[50].packet.timestamp) - rtp::number(all[0].packet.timestamp), rate);
    EXPECT_EQ(all[50].stamp.sent - all[0].stamp.sent, 1s);
  }
}

// Marker, begin of a frame, and key frames as a server looks for them.
TEST(PacketSource, FramesAreWhole) {
  Source made({.frames = 10, .key_frame_interval = 1s});
  bool begins = true;
  std::vector<bool> key_frames;
  for (const Made& each : made.run_until(kStart + 2'500ms)) {
    const bool has_tag = (each.packet.payload[0] & std::byte{0x10}) != std::byte{0};
    EXPECT_EQ(has_tag, begins);
    if (begins) key_frames.push_back(each.front.is_key_frame);
    if (!begins) {
      EXPECT_FALSE(each.front.is_key_frame);
    }
    begins = each.packet.marker;
  }
  EXPECT_TRUE(begins);
  ASSERT_EQ(key_frames.size(), 26U);
  for (std::size_t i = 0; i < key_frames.size(); ++i) EXPECT_EQ(key_frames[i], i % 10 == 0) << i;
  EXPECT_EQ(made.source.key_frames(), 3U);
}

TEST(PacketSource, AKeyFrameFollowsARequest) {
  Source made({.frames = 10, .key_frame_interval = 1h});
  made.run_until(kStart + 500ms);
  made.source.need_key_frame();
  const auto all = made.run_until(kStart + 700ms);
  EXPECT_TRUE(all.front().front.is_key_frame);
  EXPECT_EQ(made.source.key_frames(), 2U);
  made.run_until(kStart + 10s);
  EXPECT_EQ(made.source.key_frames(), 2U);
}

// Packets of one size leave in one piece.
TEST(PacketSource, PacketsOfAFrameHaveOneSizeButForTheLast) {
  Source made({.bitrate = 1'000'000, .frames = 10});
  std::vector<std::size_t> sizes;
  for (const Made& each : made.run_until(kStart)) sizes.push_back(each.packet.payload.size());
  EXPECT_THAT(sizes, testing::ElementsAre(1137, 1137, 1137, 1137, 1137, 1137, 1137, 1137, 1137,
                                          1137, 1130));
}

// Whatever the sizes are, each packet has room for its stamp.
TEST(PacketSource, AnyFrameCanBeDivided) {
  for (std::uint32_t bytes = 62; bytes < 6000; bytes += 7) {
    for (const std::size_t size : {124U, 125U, 200U, 1200U, 1400U}) {
      const SourceOptions options{.bitrate = bytes * 8, .frames = 1, .packet_size = size};
      ASSERT_TRUE(check(options));
      Source made(options);
      std::uint64_t total = 0;
      for (const Made& each : made.run_until(kStart)) {
        EXPECT_LE(each.packet.payload.size(), size);
        total += each.packet.payload.size();
      }
      EXPECT_EQ(total, bytes);
    }
  }
}

TEST(PacketSource, FramesAreLeftOutAfterAStall) {
  Source made({.frames = 10});
  made.run_until(kStart + 1s);
  std::array<std::byte, PacketSource::kMaxPacket> out{};
  const auto late = kStart + 5s;
  const auto size = made.source.write(out, late);
  ASSERT_TRUE(size);
  EXPECT_EQ(made.source.skipped_frames(), 39U);
  EXPECT_EQ(made.source.next_timeout(), late + 100ms);
  const auto packet =
      read(SectionKind::video, {out.begin(), out.begin() + static_cast<long>(*size)});
  EXPECT_EQ(packet.stamp.number, made.source.packets() - 1) << "no packet is missing";
}

TEST(PacketSource, ReportsWhatItHasSent) {
  Source made({.frames = 10});
  EXPECT_FALSE(made.source.report(kStart));
  const auto all = made.run_until(kStart + 1s);
  const auto report = made.source.report(kStart + 1s).value();
  EXPECT_EQ(report.sender, rtp::Ssrc{7});
  EXPECT_EQ(report.packets, all.size());
  EXPECT_EQ(report.rtp_timestamp, all.back().packet.timestamp);
}

TEST(PacketSourceOptions, BadOnesAreNamed) {
  const auto error = [](const SourceOptions& options) { return check(options).error(); };
  EXPECT_THAT(error({.packet_size = 123}), HasSubstr("124 to 1400"));
  EXPECT_THAT(error({.packet_size = 1401}), HasSubstr("124 to 1400"));
  EXPECT_THAT(error({.frames = 0}), HasSubstr("1 to 1000"));
  EXPECT_THAT(error({.frames = 1001}), HasSubstr("1 to 1000"));
  EXPECT_THAT(error({.bitrate = 61 * 8, .frames = 1}), HasSubstr("needs 62 bytes"));
  EXPECT_THAT(error({.kind = SectionKind::audio, .bitrate = 1'000'000, .frames = 50}),
              HasSubstr("does not fit one packet"));
  EXPECT_TRUE(check({}));
}

}  // namespace
}  // namespace sluice::interop::load
