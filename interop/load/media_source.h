// Makes the RTP packets of a stream in virtual time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <sluice/dtls/clock.h>
#include <sluice/rtp/bytes.h>
#include <sluice/rtp/numbers.h>
#include <sluice/rtp/rtcp.h>

#include "load/stamp.h"

namespace sluice::interop::load {

// The largest payload: with the headers of RTP, SRTP, UDP and IPv6 it fits an Ethernet.
inline constexpr std::size_t kMaxPayload = 1400;

// How a stream is named and numbered. `id` is random: its number is added to sequence numbers and
// timestamps, so that streams begin anywhere (RFC 3550 section 5.1).
struct StreamNames {
  rtp::Ssrc ssrc{};
  rtp::PayloadType payload_type{};
  SourceId id{};
};

class MediaSource {
 public:
  virtual ~MediaSource() = default;
  MediaSource(const MediaSource&) = delete;
  MediaSource& operator=(const MediaSource&) = delete;

  // Of the next frame.
  [[nodiscard]] virtual dtls::Instant next_timeout() const = 0;
  // The next packet of a frame that is due, which has a size of kMaxPacket at most. Empty: none is.
  virtual std::optional<std::size_t> write(rtp::MutableBytes out, dtls::Instant now) = 0;
  static constexpr std::size_t kMaxPacket = 12 + kMaxPayload;
  // The next frame will be one.
  virtual void need_key_frame() = 0;

  // Empty before the first packet.
  [[nodiscard]] std::optional<rtp::SenderReport> report(dtls::Instant now) const;

  [[nodiscard]] SourceId id() const { return names_.id; }
  [[nodiscard]] rtp::Ssrc ssrc() const { return names_.ssrc; }
  [[nodiscard]] std::uint64_t packets() const { return packets_; }
  [[nodiscard]] std::uint64_t payload_bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t key_frames() const { return key_frames_; }
  // Left out, because write() was called half a second too late.
  [[nodiscard]] std::uint64_t skipped_frames() const { return skipped_frames_; }

 protected:
  // A source that is later than this has no processor: frames are left out then, as by an encoder.
  static constexpr dtls::Duration kMostLate{500'000};

  // `start`: of the first frame.
  MediaSource(const StreamNames& names, std::uint32_t clock_rate, dtls::Instant start)
      : names_(names), clock_rate_(clock_rate), start_(start) {}

  [[nodiscard]] dtls::Instant start() const { return start_; }
  // Of a frame that is `ticks` of the RTP clock after the start.
  [[nodiscard]] rtp::Timestamp timestamp(std::uint64_t ticks) const;
  void count_key_frame() { ++key_frames_; }
  void count_skipped(std::uint64_t frames) { skipped_frames_ += frames; }
  // Writes and counts the next packet.
  std::optional<std::size_t> write_packet(rtp::Bytes payload, bool marker, rtp::Timestamp timestamp,
                                          rtp::MutableBytes out);

 private:
  StreamNames names_;
  std::uint32_t clock_rate_;  // Hz
  dtls::Instant start_;
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t key_frames_ = 0;
  std::uint64_t skipped_frames_ = 0;
};

}  // namespace sluice::interop::load
