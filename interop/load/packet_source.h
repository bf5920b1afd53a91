// A made-up stream of a given bit rate and frame rate.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <sluice/dtls/clock.h>
#include <sluice/rtp/bytes.h>
#include <tl/expected.hpp>

#include "load/media_source.h"
#include "load/payload_front.h"

namespace sluice::interop::load {

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

class PacketSource final : public MediaSource {
 public:
  // `options` must pass check(). `start`: of the first frame.
  PacketSource(const SourceOptions& options, const StreamNames& names, dtls::Instant start);

  [[nodiscard]] dtls::Instant next_timeout() const override { return due_; }
  // `sent` goes into its stamp.
  std::optional<std::size_t> write(rtp::MutableBytes out, dtls::Instant sent) override;
  void need_key_frame() override { needs_key_frame_ = true; }

 private:
  void begin_frame();
  void skip_frames(dtls::Instant now);
  [[nodiscard]] std::size_t next_size() const;
  [[nodiscard]] dtls::Instant time_of(std::uint64_t frame) const;

  SourceOptions options_;
  dtls::Instant due_;
  std::uint64_t frame_ = 0;  // that is due at due_
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
