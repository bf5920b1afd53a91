// Makes the RTP packets of a stream: of a given bit rate and frame rate, in virtual time.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <sluice/dtls/clock.h>
#include <sluice/rtp/numbers.h>
#include <sluice/rtp/rtcp.h>
#include <tl/expected.hpp>

#include "load/payload_front.h"
#include "load/stamp.h"

namespace sluice::interop::load {

// The largest payload: with the headers of RTP, SRTP, UDP and IPv6 it fits an Ethernet.
inline constexpr std::size_t kMaxPayload = 1400;

struct SourceOptions {
  SectionKind kind = SectionKind::video;
  std::uint32_t bitrate = 1'500'000;  // of payload, bit/s
  std::uint32_t frames = 30;          // a second
  // The largest payload in bytes. A frame has as many packets as it needs, of one size but the
  // last.
  std::size_t packet_size = 1200;
  // A key frame comes after this time, and when it is asked for. It has the size of the others.
  dtls::Duration key_frame_interval = std::chrono::seconds{2};
};

// The error says which option can't be honoured.
tl::expected<void, std::string> check(const SourceOptions& options);

class PacketSource {
 public:
  // `options` must pass check(). `start`: of the first frame.
  PacketSource(const SourceOptions& options, rtp::Ssrc ssrc, rtp::PayloadType payload_type,
               SourceId id, dtls::Instant start);

  // Of the next frame.
  [[nodiscard]] dtls::Instant next_timeout() const { return due_; }
  // The next packet of a frame that is due, which has a size of kMaxPacket at most. Empty: none is.
  // `sent` goes into its stamp.
  std::optional<std::size_t> write(rtp::MutableBytes out, dtls::Instant sent);
  static constexpr std::size_t kMaxPacket = 12 + kMaxPayload;
  // The next frame will be one.
  void need_key_frame() { needs_key_frame_ = true; }

  // Empty before the first packet.
  [[nodiscard]] std::optional<rtp::SenderReport> report(dtls::Instant now) const;

  [[nodiscard]] SourceId id() const { return id_; }
  [[nodiscard]] rtp::Ssrc ssrc() const { return ssrc_; }
  [[nodiscard]] std::uint64_t packets() const { return packets_; }
  [[nodiscard]] std::uint64_t payload_bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t key_frames() const { return key_frames_; }
  // Left out, because write() was called half a second too late.
  [[nodiscard]] std::uint64_t skipped_frames() const { return skipped_frames_; }

 private:
  void begin_frame();
  void skip_frames(dtls::Instant now);
  [[nodiscard]] std::size_t next_size() const;
  [[nodiscard]] dtls::Instant time_of(std::uint64_t frame) const;

  SourceOptions options_;
  rtp::Ssrc ssrc_;
  rtp::PayloadType payload_type_;
  SourceId id_;
  dtls::Instant start_;
  dtls::Instant due_;
  std::uint64_t frame_ = 0;  // that is due at due_
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t key_frames_ = 0;
  std::uint64_t skipped_frames_ = 0;
  bool needs_key_frame_ = true;
  dtls::Instant key_frame_due_;
  // ---- of the frame that is being sent; none while left_ is 0
  std::size_t left_ = 0;  // bytes
  std::size_t packet_size_ = 0;
  PayloadFront front_ = {};
  rtp::Timestamp timestamp_{};
  std::array<std::byte, kMaxPayload> payload_ = {};
};

}  // namespace sluice::interop::load
