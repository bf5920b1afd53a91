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
  // With another first timeout.
  RetransmissionTimer(const RetransmissionTimers& settings, Duration initial)
      : settings_(&settings), initial_(initial) {}

  // Timeouts are twice the RTT: once for the path, once for the peer's computing and for jitter.
  void set_rtt(Duration rtt) {
    // Clamped by halves, as twice the longest Duration would overflow.
    initial_ = 2 * std::clamp(rtt, RetransmissionTimers::kMinimumInitial / 2,
                              RetransmissionTimers::kMaximumInitial / 2);
  }

  // The flight that has begun takes initial() for its first timeout.
  void take_initial() {
    if (deadline_) start(*deadline_ - timeout_);
  }

  // A new flight is sent: its timeouts begin with initial() again.
  void start(Instant now) {
    timeout_ = std::min(initial_, settings_->maximum);
    expiries_ = 0;
    deadline_ = now + timeout_;
  }
  // The flight is sent again, but not because of a timeout: the timeout stays as long as it is.
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
  // How long an ACK waits for more of the peer's flight: a quarter of the timeout (RFC 9147
  // section 7.1).
  [[nodiscard]] Duration ack_delay() const { return (deadline_ ? timeout_ : initial_) / 4; }
  // After a flight is repeated, no ACK has its rest repeated again for this time, which is what a
  // peer waits between two ACKs. RFC 9147 sections 5.8.1 and 7.2 set no bound; with one ACK per
  // record the number of datagrams would grow with the square of the flight's size.
  [[nodiscard]] Duration ack_answer_pause() const { return initial_ / 4; }
  // How many timeouts the present flight has had.
  [[nodiscard]] unsigned expiries() const { return expiries_; }

 private:
  const RetransmissionTimers* settings_;
  Duration initial_;
  Duration timeout_{};
  unsigned expiries_ = 0;
  std::optional<Instant> deadline_;
};

}  // namespace sluice::dtls::flight
