#include "load/packet_source.h"

#include <algorithm>
#include <span>

namespace sluice::interop::load {
namespace {

constexpr std::uint32_t kMicroseconds = 1'000'000;
constexpr std::size_t kLeastPayload = kMaxPayloadFront + kStampSize;

std::uint32_t clock_rate(SectionKind kind) { return kind == SectionKind::audio ? 48'000 : 90'000; }

// The bytes of all frames before this one, so that fractions of a byte add up.
std::uint64_t bytes_before(const SourceOptions& options, std::uint64_t frame) {
  return frame * options.bitrate / (8ULL * options.frames);
}

}  // namespace

tl::expected<void, std::string> check(const SourceOptions& options) {
  // Twice the least, so that a frame can always be divided.
  if (options.packet_size < 2 * kLeastPayload || options.packet_size > kMaxPayload) {
    return tl::unexpected("a packet has " + std::to_string(2 * kLeastPayload) + " to " +
                          std::to_string(kMaxPayload) + " bytes of payload");
  }
  if (options.frames == 0 || options.frames > 1000) {
    return tl::unexpected<std::string>("a stream has 1 to 1000 frames a second");
  }
  const std::uint64_t frame = bytes_before(options, 1);
  if (frame < kLeastPayload) {
    return tl::unexpected("a frame needs " + std::to_string(kLeastPayload) +
                          " bytes, and this bit rate gives it " + std::to_string(frame));
  }
  if (options.kind == SectionKind::audio && frame > options.packet_size) {
    return tl::unexpected<std::string>("a frame of audio does not fit one packet");
  }
  return {};
}

PacketSource::PacketSource(const SourceOptions& options, const StreamNames& names,
                           dtls::Instant start)
    : MediaSource(names, clock_rate(options.kind), start),
      options_(options),
      due_(start),
      key_frame_due_(start) {}

dtls::Instant PacketSource::time_of(std::uint64_t frame) const {
  return start() +
         dtls::Duration(static_cast<std::int64_t>(frame * kMicroseconds / options_.frames));
}

void PacketSource::begin_frame() {
  left_ = bytes_before(options_, frame_ + 1) - bytes_before(options_, frame_);
  // Of one size, so that they can leave in one piece.
  const std::size_t packets = (left_ + options_.packet_size - 1) / options_.packet_size;
  packet_size_ = (left_ + packets - 1) / packets;
  timestamp_ = timestamp(frame_ * clock_rate(options_.kind) / options_.frames);
  front_ = {.kind = options_.kind,
            .begins_frame = true,
            .is_key_frame =
                options_.kind == SectionKind::video && (needs_key_frame_ || due_ >= key_frame_due_),
            .picture = static_cast<std::uint16_t>(frame_ & 0x7fff)};
  if (front_.is_key_frame) {
    needs_key_frame_ = false;
    key_frame_due_ = due_ + options_.key_frame_interval;
    count_key_frame();
  }
  due_ = time_of(++frame_);
}

void PacketSource::skip_frames(dtls::Instant now) {
  const auto elapsed = static_cast<std::uint64_t>((now - start()).count());
  const std::uint64_t current = elapsed * options_.frames / kMicroseconds;
  count_skipped(current - frame_);
  frame_ = current;
  due_ = time_of(frame_);
}

std::size_t PacketSource::next_size() const {
  const std::size_t size = std::min(left_, packet_size_);
  const std::size_t rest = left_ - size;
  if (rest == 0 || rest >= kLeastPayload) return size;
  // The last packet needs room for a stamp.
  return left_ < 2 * kLeastPayload ? left_ : left_ - kLeastPayload;
}

std::optional<std::size_t> PacketSource::write(rtp::MutableBytes out, dtls::Instant sent) {
  if (left_ == 0) {
    if (sent < due_) return std::nullopt;
    if (sent - due_ > kMostLate) skip_frames(sent);
    begin_frame();
  }
  const std::size_t size = next_size();
  const auto payload = std::span(payload_).first(size);
  left_ -= size;
  const std::size_t front = write_front(front_, payload);
  write_stamp({.source = id(), .number = packets(), .sent = sent, .media_time = timestamp_},
              payload.subspan(front));
  front_.begins_frame = front_.is_key_frame = false;
  return write_packet(payload, left_ == 0 && options_.kind == SectionKind::video, timestamp_, out);
}

}  // namespace sluice::interop::load
