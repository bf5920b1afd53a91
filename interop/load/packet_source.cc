#include "load/packet_source.h"

#include <algorithm>
#include <chrono>
#include <span>

#include <sluice/rtp/clock.h>
#include <sluice/rtp/packet.h>

namespace sluice::interop::load {
namespace {

constexpr std::uint32_t kMicroseconds = 1'000'000;
constexpr std::size_t kLeastPayload = kMaxPayloadFront + kStampSize;
// A source that is later than this has no processor: frames are left out then, as by an encoder.
constexpr std::chrono::milliseconds kMostLate{500};

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

PacketSource::PacketSource(const SourceOptions& options, rtp::Ssrc ssrc,
                           rtp::PayloadType payload_type, SourceId id, dtls::Instant start)
    : options_(options),
      ssrc_(ssrc),
      payload_type_(payload_type),
      id_(id),
      start_(start),
      due_(start),
      key_frame_due_(start) {}

dtls::Instant PacketSource::time_of(std::uint64_t frame) const {
  return start_ +
         dtls::Duration(static_cast<std::int64_t>(frame * kMicroseconds / options_.frames));
}

void PacketSource::begin_frame() {
  left_ = bytes_before(options_, frame_ + 1) - bytes_before(options_, frame_);
  // Of one size, so that they can leave in one piece.
  const std::size_t packets = (left_ + options_.packet_size - 1) / options_.packet_size;
  packet_size_ = (left_ + packets - 1) / packets;
  timestamp_ = rtp::Timestamp{
      static_cast<std::uint32_t>(frame_ * clock_rate(options_.kind) / options_.frames) +
      static_cast<std::uint32_t>(id_)};
  front_ = {.kind = options_.kind,
            .begins_frame = true,
            .is_key_frame =
                options_.kind == SectionKind::video && (needs_key_frame_ || due_ >= key_frame_due_),
            .picture = static_cast<std::uint16_t>(frame_ & 0x7fff)};
  if (front_.is_key_frame) {
    needs_key_frame_ = false;
    key_frame_due_ = due_ + options_.key_frame_interval;
    ++key_frames_;
  }
  due_ = time_of(++frame_);
}

void PacketSource::skip_frames(dtls::Instant now) {
  const auto elapsed = static_cast<std::uint64_t>((now - start_).count());
  const std::uint64_t current = elapsed * options_.frames / kMicroseconds;
  skipped_frames_ += current - frame_;
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
  write_stamp({.source = id_, .number = packets_, .sent = sent, .media_time = timestamp_},
              payload.subspan(front));
  front_.begins_frame = front_.is_key_frame = false;
  const auto written = rtp::write_packet(
      {.marker = left_ == 0 && options_.kind == SectionKind::video,
       .payload_type = payload_type_,
       // The lower half of a random number, so that streams begin anywhere (RFC 3550 section 5.1).
       .sequence_number = rtp::SequenceNumber{static_cast<std::uint16_t>(
           packets_ + static_cast<std::uint32_t>(id_))},
       .timestamp = timestamp_,
       .ssrc = ssrc_,
       .payload = payload},
      out);
  if (!written) return std::nullopt;
  ++packets_;
  bytes_ += size;
  return *written;
}

std::optional<rtp::SenderReport> PacketSource::report(dtls::Instant now) const {
  if (packets_ == 0) return std::nullopt;
  const auto since = (now - start_).count();
  return rtp::SenderReport{
      .sender = ssrc_,
      .ntp_time = rtp::ntp_time(now.time_since_epoch()),
      .rtp_timestamp = rtp::Timestamp{static_cast<std::uint32_t>(since * clock_rate(options_.kind) /
                                                                 kMicroseconds) +
                                      static_cast<std::uint32_t>(id_)},
      .packets = static_cast<std::uint32_t>(packets_),
      .octets = static_cast<std::uint32_t>(bytes_)};
}

}  // namespace sluice::interop::load
