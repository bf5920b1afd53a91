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
    constexpr std::int64_t kSecond = 1'000'000;
    const std::int64_t since = (now - came_).count();
    const auto fraction = static_cast<std::uint64_t>(since % kSecond) * (1ULL << 32) / kSecond;
    const auto elapsed = (static_cast<std::uint64_t>(since / kSecond) << 32) + fraction;
    const auto ticks = since / kSecond * clock_rate_ + since % kSecond * clock_rate_ / kSecond;
    return Moment{.ntp_time = rtp::NtpTime{static_cast<std::uint64_t>(last_->ntp_time) + elapsed},
                  .timestamp = rtp::Timestamp{rtp::number(last_->timestamp) +
                                              static_cast<std::uint32_t>(ticks)}};
  }

 private:
  std::uint32_t clock_rate_;
  std::optional<Moment> last_ = {};
  rtp::Instant came_{};
};

}  // namespace sluice::interop::sfu
