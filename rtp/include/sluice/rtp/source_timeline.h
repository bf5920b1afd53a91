// Sequence numbers and timestamps of a stream whose packets come from one source after another.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <sluice/rtp/clock.h>
#include <sluice/rtp/numbers.h>

namespace sluice::rtp {

// What a timeline goes on from in another process. Any values are safe.
struct SourceTimelineState {
  // Packets between two skips: their numbers differ from those of the source by `offset`. Numbers
  // of the source are counted on beyond 16 bits.
  struct Segment {
    std::int64_t first = 0;
    std::int64_t last = 0;     // of all but the newest segment
    std::uint16_t offset = 0;  // modulo 2^16
  };
  std::optional<Ssrc> source = {};
  std::int64_t highest = 0;
  std::uint32_t timestamp_offset = 0;
  // In their order; the last SourceTimeline::kMaxSegments count. None: there was no packet.
  std::vector<Segment> segments = {};
  SequenceNumber highest_placed{};
  Timestamp newest_timestamp{};
  Duration since_newest{};
};

// Gives each packet of a source its place in the stream. The packets of one source may come in any
// order; a packet of another source ends the one before. Where a source takes over, the sequence
// numbers go on without a gap, and the timestamps by the time that has passed since the newest one.
class SourceTimeline {
 public:
  // In Hz: at least 1.
  explicit SourceTimeline(std::uint32_t clock_rate) : clock_rate_(clock_rate) {}
  // Goes on from state(), which was taken of a timeline with the same clock rate.
  SourceTimeline(std::uint32_t clock_rate, const SourceTimelineState& state, Instant now);

  struct Place {
    SequenceNumber number{};
    Timestamp timestamp{};
  };
  // Empty: the packet was skipped, or is older than the first one of its source since that took
  // over, or than the last kMaxSegments skips.
  std::optional<Place> place(Ssrc source, SequenceNumber number, Timestamp timestamp, Instant now);
  // The packet has no place: those behind it move up. Without effect unless it is newer than all
  // that were placed or skipped of the source that the stream has now.
  void skip(Ssrc source, SequenceNumber number);
  static constexpr std::size_t kMaxSegments = 16;
  // The next packet is of another source, also where its SSRC is the same: a sender that has come
  // back begins with other numbers.
  void end_source() { source_.reset(); }

  // For a timestamp of the source that the stream has now. Empty before its first packet.
  [[nodiscard]] std::optional<Timestamp> timestamp_of(Timestamp source) const;

  [[nodiscard]] SourceTimelineState state(Instant now) const;

 private:
  using Segment = SourceTimelineState::Segment;

  void begin(Ssrc source, SequenceNumber number, Timestamp timestamp, Instant now);
  // Null: the number has no place.
  [[nodiscard]] const Segment* find(std::int64_t number) const;
  [[nodiscard]] Segment& newest() { return segments_[(segments_used_ - 1) % kMaxSegments]; }

  std::uint32_t clock_rate_;
  std::optional<Ssrc> source_ = {};
  std::int64_t highest_ = 0;  // of the source, placed or skipped
  std::uint32_t timestamp_offset_ = 0;
  std::size_t segments_used_ = 0;  // since the source took over; 0 before the first one
  // Of the stream.
  SequenceNumber highest_placed_{};
  Timestamp newest_timestamp_{};
  Instant newest_timestamp_at_{};
  std::array<Segment, kMaxSegments> segments_ = {};  // a ring; the last member, since it is large
};

}  // namespace sluice::rtp
