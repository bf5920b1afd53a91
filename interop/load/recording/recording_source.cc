#include "load/recording/recording_source.h"

#include <utility>

namespace sluice::interop::load {

RecordingSource::RecordingSource(std::shared_ptr<const Recording> recording,
                                 const StreamNames& names, dtls::Instant start)
    : MediaSource(names, recording->clock_rate(), start),
      recording_(std::move(recording)),
      due_(start) {}

void RecordingSource::need_key_frame() {
  needs_key_frame_ = recording_->kind() == SectionKind::video;
}

void RecordingSource::pass(std::size_t frame) {
  constexpr std::uint64_t kMicroseconds = 1'000'000;
  ticks_ += recording_->time_of(frame);
  due_ =
      start() +
      dtls::Duration(static_cast<std::int64_t>(ticks_ * kMicroseconds / recording_->clock_rate()));
}

// What is left out can't be decoded without: a key frame follows.
void RecordingSource::skip_frames(dtls::Instant now) {
  std::uint64_t skipped = 0;
  for (; due_ < now; next_ = after(next_), ++skipped) pass(next_);
  count_skipped(skipped);
  need_key_frame();
}

void RecordingSource::begin_frame() {
  if (std::exchange(needs_key_frame_, false)) {
    while (!recording_->frames()[next_].is_key_frame) next_ = after(next_);
  }
  const RecordedFrame& frame = recording_->frames()[next_];
  if (frame.is_key_frame && recording_->kind() == SectionKind::video) count_key_frame();
  packet_ = frame.packet;
  left_ = frame.packets;
  timestamp_ = timestamp(ticks_);
  pass(std::exchange(next_, after(next_)));
}

std::optional<std::size_t> RecordingSource::write(rtp::MutableBytes out, dtls::Instant now) {
  if (left_ == 0) {
    if (now < due_) return std::nullopt;
    if (now - due_ > kMostLate) skip_frames(now);
    if (now < due_) return std::nullopt;
    begin_frame();
  }
  --left_;
  const bool ends_picture = left_ == 0 && recording_->kind() == SectionKind::video;
  return write_packet(recording_->payloads()[packet_++], ends_picture, timestamp_, out);
}

}  // namespace sluice::interop::load
