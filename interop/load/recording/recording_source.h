// Sends a recording, again and again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "load/media_source.h"
#include "load/recording/recording.h"

namespace sluice::interop::load {

// It has no encoder: where a key frame is asked for, it goes on with the next one of the file,
// which may be that of the next round.
class RecordingSource final : public MediaSource {
 public:
  RecordingSource(std::shared_ptr<const Recording> recording, const StreamNames& names,
                  dtls::Instant start);

  [[nodiscard]] dtls::Instant next_timeout() const override { return due_; }
  std::optional<std::size_t> write(rtp::MutableBytes out, dtls::Instant now) override;
  void need_key_frame() override;

 private:
  void begin_frame();
  void skip_frames(dtls::Instant now);
  // The time of the next frame, after `frame` has lasted.
  void pass(std::size_t frame);
  [[nodiscard]] std::size_t after(std::size_t frame) const {
    return (frame + 1) % recording_->frames().size();
  }

  std::shared_ptr<const Recording> recording_;
  std::size_t next_ = 0;     // the frame that is due at due_
  std::uint64_t ticks_ = 0;  // of the RTP clock, from the start until then
  dtls::Instant due_;
  bool needs_key_frame_ = false;
  // ---- of the frame that is being sent
  std::size_t packet_ = 0;
  std::size_t left_ = 0;  // packets; 0: there is none
  rtp::Timestamp timestamp_{};
};

}  // namespace sluice::interop::load
