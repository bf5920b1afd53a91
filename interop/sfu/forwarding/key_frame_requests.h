// When a publisher is asked for a key frame.
#pragma once

#include <optional>

#include <sluice/dtls/clock.h>

namespace sluice::interop::sfu {

// However many viewers ask: a key frame costs the publisher ten times the bytes of another, so that
// it is asked at most once in `interval`. What was asked for meanwhile follows at its end.
class KeyFrameRequests {
 public:
  explicit KeyFrameRequests(dtls::Duration interval) : interval_(interval) {}

  // A viewer needs one. True: ask the publisher now.
  bool need(dtls::Instant now) {
    if (allowed_ && now < *allowed_) {
      is_waiting_ = true;
      return false;
    }
    allowed_ = now + interval_;
    is_waiting_ = false;
    return true;
  }
  // One begins: it is for all that have asked.
  void on_key_frame() { is_waiting_ = false; }
  // For the end of the interval.
  [[nodiscard]] bool is_waiting() const { return is_waiting_; }

 private:
  dtls::Duration interval_;
  std::optional<dtls::Instant> allowed_ = {};
  bool is_waiting_ = false;
};

}  // namespace sluice::interop::sfu
