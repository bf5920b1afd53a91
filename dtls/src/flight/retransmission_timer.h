// When a flight is sent again (RFC 6347 section 4.2.4.1).
#pragma once

#include <algorithm>
#include <optional>

#include <sluice/dtls/clock.h>
#include <sluice/dtls/config.h>

namespace sluice::dtls::flight {

class RetransmissionTimer {
 public:
  explicit RetransmissionTimer(const RetransmissionTimers& settings)
      : RetransmissionTimer(settings, settings.initial) {}
  // As one whose initial() was that.
  RetransmissionTimer(const RetransmissionTimers& settings, Duration initial)
      : settings_(&settings), initial_(initial) {}

  // Twice the round trip: one for the path, one for the peer's computing and the path's jitter.
  void set_rtt(Duration rtt) {
    // Clamped by halves, as twice the longest Duration would overflow.
    initial_ = 2 * std::clamp(rtt, RetransmissionTimers::kMinimumInitial / 2,
                              RetransmissionTimers::kMaximumInitial / 2);
  }

  // The flight that has begun takes its first timeout from what is known by now.
  void take_initial() {
    if (deadline_) start(*deadline_ - timeout_);
  }

  // A new flight has been sent: the back-off of the last one is over.
  void start(Instant now) {
    timeout_ = std::min(initial_, settings_->maximum);
    expiries_ = 0;
    deadline_ = now + timeout_;
  }
  // The flight was sent again since the peer repeated itself: wait as long as before.
  void restart(Instant now) { deadline_ = now + timeout_; }
  // The deadline has passed and the flight is sent again.
  void back_off(Instant now) {
    ++expiries_;
    const auto longer =
        std::chrono::duration<double, Duration::period>(timeout_) * settings_->back_off;
    timeout_ = longer < settings_->maximum ? std::chrono::duration_cast<Duration>(longer)
                                           : settings_->maximum;
    deadline_ = now + timeout_;
  }
  void stop() { deadline_.reset(); }

  [[nodiscard]] std::optional<Instant> deadline() const { return deadline_; }
  [[nodiscard]] Duration initial() const { return initial_; }
  // How long to wait for more of a flight before what has come of it is acknowledged (RFC 9147
  // section 7.1).
  [[nodiscard]] Duration ack_delay() const { return (deadline_ ? timeout_ : initial_) / 4; }
  // After each repetition of a flight, how long no ACK has the rest of it repeated once more: what
  // a peer waits between two ACKs. RFC 9147 sections 5.8.1 and 7.2 set no bound, and one ACK a
  // record would make the number of datagrams grow with the square of the flight's.
  [[nodiscard]] Duration ack_answer_pause() const { return initial_ / 4; }
  // How often the present flight was not answered in time.
  [[nodiscard]] unsigned expiries() const { return expiries_; }

 private:
  const RetransmissionTimers* settings_;
  Duration initial_;
  Duration timeout_{};
  unsigned expiries_ = 0;
  std::optional<Instant> deadline_;
};

}  // namespace sluice::dtls::flight
