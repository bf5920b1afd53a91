// The timer for the retransmission of a flight (RFC 6347 section 4.2.4.1).
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
  // `initial` replaces the first timeout of `settings`.
  RetransmissionTimer(const RetransmissionTimers& settings, Duration initial)
      : settings_(&settings), initial_(initial) {}

  // A timeout is twice the RTT, which leaves one RTT for the computations of the peer and for
  // jitter.
  [[nodiscard]] static Duration first_timeout(Duration rtt) {
    // The limits are halved, because twice the longest Duration would overflow.
    return 2 * std::clamp(rtt, RetransmissionTimers::kMinimumInitial / 2,
                          RetransmissionTimers::kMaximumInitial / 2);
  }
  void set_rtt(Duration rtt) { initial_ = first_timeout(rtt); }

  // Applies initial() to a flight that has already begun.
  void take_initial() {
    if (deadline_) start(*deadline_ - timeout_);
  }

  // A new flight is sent. Its first timeout is initial().
  void start(Instant now) {
    timeout_ = std::min(initial_, settings_->maximum);
    deadline_ = now + timeout_;
  }
  // The flight is retransmitted for another reason than a timeout. The timeout keeps its length.
  void restart(Instant now) { deadline_ = now + timeout_; }
  // The deadline has passed and the flight is retransmitted.
  void back_off(Instant now) {
    const auto longer =
        std::chrono::duration<double, Duration::period>(timeout_) * settings_->back_off;
    timeout_ = longer < settings_->maximum ? std::chrono::duration_cast<Duration>(longer)
                                           : settings_->maximum;
    deadline_ = now + timeout_;
  }
  void stop() { deadline_.reset(); }

  [[nodiscard]] std::optional<Instant> deadline() const { return deadline_; }
  [[nodiscard]] Duration initial() const { return initial_; }
  // The delay of an ACK for a partly received flight: a quarter of the timeout (RFC 9147 section
  // 7.1).
  [[nodiscard]] Duration ack_delay() const { return (deadline_ ? timeout_ : initial_) / 4; }
  // After a retransmission, ACKs cause no further one for this time, which is the peer's pause
  // between two ACKs. RFC 9147 sections 5.8.1 and 7.2 set no limit. With one ACK per record the
  // number of datagrams would grow with the square of the flight's size.
  [[nodiscard]] Duration ack_answer_pause() const { return initial_ / 4; }

 private:
  const RetransmissionTimers* settings_;
  Duration initial_;
  Duration timeout_{};
  std::optional<Instant> deadline_;
};

}  // namespace sluice::dtls::flight
