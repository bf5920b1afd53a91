// What is sent of a recording, and how a viewer judges it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <set>

#include "load/recording/recording_check.h"
#include "load/recording/recording_source.h"
#include "unit/interop/load/recordings.h"

namespace sluice::interop::load {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kFrames = 10;
constexpr std::size_t kPerFrame = 3;
constexpr dtls::Instant kBeginning{1h};

struct SentPacket {
  dtls::Buffer bytes;
  dtls::Instant at;
  [[nodiscard]] rtp::Packet packet() { return rtp::read_packet(bytes).value(); }
};

class RecordingStream : public testing::Test {
 protected:
  static std::shared_ptr<const Recording> recording(std::size_t second = 0) {
    return Recording::of(SectionKind::video, vp8_file(kFrames, second), 1200).value();
  }
  void play(dtls::Duration duration) {
    for (const auto until = now + duration; now < until; now += 1ms) take();
  }
  void take() {
    std::array<std::byte, MediaSource::kMaxPacket> out{};
    while (const auto size = source->write(out, now)) {
      sent.push_back({{out.begin(), out.begin() + static_cast<long>(*size)}, now});
    }
  }
  void start(std::shared_ptr<const Recording> what, SourceId id = SourceId{0xfff0}) {
    file = std::move(what);
    source = std::make_unique<RecordingSource>(
        file, StreamNames{.ssrc = rtp::Ssrc{5}, .payload_type = rtp::PayloadType{96}, .id = id},
        now);
  }
  // As a viewer sees it, but for what `loses`.
  ReceivedCounts judged(const std::set<std::size_t>& loses = {}) {
    RecordingCheck check(file);
    for (std::size_t i = 0; i < sent.size(); ++i) {
      if (!loses.contains(i)) check.on_packet(sent[i].packet(), sent[i].at);
    }
    return check.counts();
  }

  dtls::Instant now = kBeginning;
  std::shared_ptr<const Recording> file;
  std::unique_ptr<RecordingSource> source;
  std::vector<SentPacket> sent;
};

TEST_F(RecordingStream, PlaysAgainAndAgain) {
  start(recording());
  play(1s);  // three rounds
  ASSERT_EQ(sent.size(), 30 * kPerFrame);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto packet = sent[i].packet();
    const auto before = i == 0 ? packet : sent[i - 1].packet();
    EXPECT_TRUE(std::ranges::equal(packet.payload, file->payloads()[i % (kFrames * kPerFrame)]));
    EXPECT_EQ(packet.marker, i % kPerFrame == 2);
    if (i == 0) continue;
    EXPECT_EQ(packet.sequence_number, before.sequence_number + 1);
    const auto step = rtp::number(packet.timestamp) - rtp::number(before.timestamp);
    EXPECT_EQ(step, i % kPerFrame == 0 ? 3000U : 0U) << i;
  }
  EXPECT_EQ(source->key_frames(), 3U);
  const auto counts = judged();
  EXPECT_EQ(counts.unique, sent.size());
  EXPECT_EQ(counts.key_frames, 3U);
  EXPECT_EQ(counts.lost + counts.corrupt + counts.sequence_breaks + counts.timestamp_breaks, 0U);
}

// There is no encoder: the next one of the file comes at once.
TEST_F(RecordingStream, AKeyFrameFollowsARequest) {
  start(recording(6));
  play(70ms);  // three frames
  source->need_key_frame();
  play(100ms);
  const auto packet = sent[3 * kPerFrame].packet();
  EXPECT_TRUE(std::ranges::equal(packet.payload, file->payloads()[6 * kPerFrame]));
  EXPECT_EQ(rtp::number(packet.timestamp) - rtp::number(sent[0].packet().timestamp), 9000U);
  EXPECT_EQ(source->key_frames(), 2U);
  const auto counts = judged();
  EXPECT_EQ(counts.unique, sent.size());
  EXPECT_EQ(counts.sequence_breaks + counts.timestamp_breaks + counts.lost, 0U);
}

TEST_F(RecordingStream, AStallLeavesFramesOut) {
  start(recording());
  play(40ms);
  now += 2s;
  play(100ms);
  EXPECT_GT(source->skipped_frames(), 50U);
  EXPECT_TRUE(std::ranges::equal(sent[2 * kPerFrame].packet().payload, file->payloads()[0]))
      << "what follows can be decoded";
}

TEST_F(RecordingStream, LossesAreSeen) {
  start(recording());
  play(1s);
  const auto counts = judged({5, 6, 40, 41, 42, 43});
  EXPECT_EQ(counts.lost, 6U);
  EXPECT_EQ(counts.unique, sent.size() - 6);
  EXPECT_EQ(counts.sequence_breaks + counts.timestamp_breaks + counts.corrupt, 0U);
}

// A server that renumbers hides a loss from others.
TEST_F(RecordingStream, ALossThatIsHiddenIsABreak) {
  start(recording());
  play(300ms);
  RecordingCheck check(file);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (i == 9 || i == 10) continue;
    auto packet = sent[i].packet();
    if (i > 10) packet.sequence_number = packet.sequence_number + -2;
    check.on_packet(packet, sent[i].at);
  }
  EXPECT_EQ(check.counts().lost, 0U);
  EXPECT_EQ(check.counts().sequence_breaks, 1U);
}

TEST_F(RecordingStream, ChangesAreSeen) {
  start(recording());
  play(300ms);
  RecordingCheck check(file);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    auto bytes = sent[i].bytes;
    if (i == 7) bytes.back() ^= std::byte{1};
    if (i == 12) bytes.pop_back();
    auto packet = rtp::read_packet(bytes).value();
    if (i >= 20) packet.timestamp = rtp::Timestamp{rtp::number(packet.timestamp) + 1};
    check.on_packet(packet, sent[i].at);
  }
  EXPECT_EQ(check.counts().corrupt, 2U);
  EXPECT_EQ(check.counts().timestamp_breaks, 1U) << "it goes on from there";
  EXPECT_EQ(check.counts().sequence_breaks, 0U);
}

TEST_F(RecordingStream, RepetitionsAndOrderAreSeen) {
  start(recording());
  play(300ms);
  std::swap(sent[4], sent[7]);
  sent.push_back(sent[20]);
  const auto counts = judged();
  EXPECT_EQ(counts.duplicates, 1U);
  EXPECT_EQ(counts.reordered, 3U);
  EXPECT_EQ(counts.lost + counts.corrupt + counts.sequence_breaks + counts.timestamp_breaks, 0U);
}

TEST_F(RecordingStream, AViewerMayComeAtAnyTime) {
  start(recording());
  play(1s);
  for (std::size_t first = 0; first < 40; ++first) {
    std::set<std::size_t> before;
    for (std::size_t i = 0; i < first; ++i) before.insert(i);
    const auto counts = judged(before);
    EXPECT_EQ(counts.unique, sent.size() - first);
    EXPECT_EQ(counts.lost + counts.corrupt + counts.sequence_breaks + counts.timestamp_breaks, 0U)
        << first;
  }
}

// Most packets of silence have the same bytes.
TEST_F(RecordingStream, AudioMayRepeatItself) {
  std::vector<dtls::Buffer> packets = {text_packet("OpusHead"), text_packet("OpusTags")};
  for (int i = 0; i < 50; ++i)
    packets.push_back({std::byte{0xf8}, std::byte{0xff}, std::byte{0xfe}});
  packets.push_back({std::byte{0xf8}, std::byte{1}});
  start(Recording::of(SectionKind::audio, ogg_file(packets), 1200).value());
  play(4s);
  ASSERT_EQ(sent.size(), 200U);
  for (const std::size_t first : {0U, 10U, 60U}) {
    std::set<std::size_t> before;
    for (std::size_t i = 0; i < first; ++i) before.insert(i);
    const auto counts = judged(before);
    EXPECT_EQ(counts.unique, sent.size() - first);
    EXPECT_EQ(counts.lost + counts.corrupt + counts.sequence_breaks + counts.timestamp_breaks, 0U);
    EXPECT_EQ(counts.key_frames, 0U);
  }
}

}  // namespace
}  // namespace sluice::interop::load
