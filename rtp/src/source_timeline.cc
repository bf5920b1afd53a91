#include <sluice/rtp/source_timeline.h>

#include <algorithm>

namespace sluice::rtp {
namespace {

// Modulo 2^32, as timestamps are.
std::uint32_t ticks_in(Duration duration, std::uint32_t clock_rate) {
  constexpr std::uint64_t kPerSecond = 1'000'000;
  const auto time = static_cast<std::uint64_t>(std::max(duration, Duration{}).count());
  return static_cast<std::uint32_t>(time / kPerSecond * clock_rate +
                                    time % kPerSecond * clock_rate / kPerSecond);
}

}  // namespace

std::optional<SourceTimeline::Place> SourceTimeline::place(Ssrc source, SequenceNumber number,
                                                           Timestamp timestamp, Instant now) {
  const bool begins = source_ != source;
  if (begins) begin(source, number, timestamp, now);
  const int ahead = distance(SequenceNumber{static_cast<std::uint16_t>(highest_)}, number);
  const std::int64_t counted = highest_ + ahead;
  highest_ = std::max(highest_, counted);
  const Segment* const segment = find(counted);
  if (segment == nullptr) return std::nullopt;
  const Place placed{.number = number + segment->offset,
                     .timestamp = Timestamp{rtp::number(timestamp) + timestamp_offset_}};
  if (begins || distance(highest_placed_, placed.number) > 0) {
    highest_placed_ = placed.number;
    // The packets of one frame share a timestamp, which is that of the first.
    if (placed.timestamp != newest_timestamp_ || begins) newest_timestamp_at_ = now;
    newest_timestamp_ = placed.timestamp;
  }
  return placed;
}

void SourceTimeline::begin(Ssrc source, SequenceNumber number, Timestamp timestamp, Instant now) {
  int first = rtp::number(number) & 0x7fff;
  if (segments_used_ > 0) {
    first = rtp::number(highest_placed_ + 1);
    const std::uint32_t passed = ticks_in(now - newest_timestamp_at_, clock_rate_);
    const std::uint32_t next = rtp::number(newest_timestamp_) + std::max(passed, 1U);
    timestamp_offset_ = next - rtp::number(timestamp);
  }
  source_ = source;
  highest_ = rtp::number(number);
  segments_[0] = {.first = highest_,
                  .offset = static_cast<std::uint16_t>(first - rtp::number(number))};
  segments_used_ = 1;
}

void SourceTimeline::skip(Ssrc source, SequenceNumber number) {
  if (source_ != source) return;
  const int ahead = distance(SequenceNumber{static_cast<std::uint16_t>(highest_)}, number);
  if (ahead <= 0) return;
  highest_ += ahead;
  if (newest().first == highest_) {
    // Behind another skip.
    ++newest().first;
    --newest().offset;
    return;
  }
  newest().last = highest_ - 1;
  const auto offset = static_cast<std::uint16_t>(newest().offset - 1);
  ++segments_used_;
  newest() = {.first = highest_ + 1, .offset = offset};
}

const SourceTimeline::Segment* SourceTimeline::find(std::int64_t number) const {
  const std::size_t kept = std::min(segments_used_, kMaxSegments);
  for (std::size_t back = 1; back <= kept; ++back) {
    const Segment& segment = segments_[(segments_used_ - back) % kMaxSegments];
    if (number < segment.first) continue;
    return back == 1 || number <= segment.last ? &segment : nullptr;
  }
  return nullptr;
}

std::optional<Timestamp> SourceTimeline::timestamp_of(Timestamp source) const {
  if (!source_) return std::nullopt;
  return Timestamp{number(source) + timestamp_offset_};
}

}  // namespace sluice::rtp
