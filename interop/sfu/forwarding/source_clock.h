// Which time of its sender's clock the timestamps of a source stand for.
#pragma once

#include <cstdint>
#include <optional>

#include <sluice/rtp/clock.h>
#include <sluice/rtp/rtcp.h>

namespace sluice::interop::sfu {

// Goes on from the last sender report (RFC 3550 section 6.4.1). Both numbers move by the time since
// the report came, so that late reports do no harm to lip sync.
class SourceClock {
 public:
  struct Moment {
    rtp::NtpTime ntp_time{};
    rtp::Timestamp timestamp{};  // of the source
  };

  // In Hz.
  explicit SourceClock(std::uint32_t clock_rate) : clock_rate_(clock_rate) {}

  void on_sender_report(const rtp::SenderReport& report, rtp::Instant now) {
    last_ = {.ntp_time = report.ntp_time, .timestamp = report.rtp_timestamp};
    came_ = now;
  }
  // What a clock of the same rate goes on from in another process.
  struct State {
    Moment last;
    rtp::Duration since{};  // the report came; 0 or more
  };
  [[nodiscard]] std::optional<State> state(rtp::Instant now) const {
    if (!last_) return std::nullopt;
    return State{.last = *last_, .since = now - came_};
  }
  void restore(const State& state, rtp::Instant now) {
    last_ = state.last;
    came_ = now - state.since;
  }
  // Empty: there was no report.
  [[nodiscard]] std::optional<Moment> at(rtp::Instant now) const {
    if (!last_) return std::nullopt;
    const rtp::Duration since = now - came_;
    const auto elapsed = rtp::number(rtp::ntp_time(since)) - rtp::number(rtp::ntp_time({}));
    const auto ticks = since.count() * clock_rate_ / 1'000'000;
    return Moment{.ntp_time = rtp::NtpTime{rtp::number(last_->ntp_time) + elapsed},
                  .timestamp = rtp::Timestamp{rtp::number(last_->timestamp) +
                                              static_cast<std::uint32_t>(ticks)}};
  }

 private:
  std::uint32_t clock_rate_;
  std::optional<Moment> last_ = {};
  rtp::Instant came_{};
};

}  // namespace sluice::interop::sfu
