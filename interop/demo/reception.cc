#include "demo/reception.h"

#include <algorithm>
#include <cmath>

namespace sluice::interop::demo {
namespace {

constexpr std::int64_t kNtpUnitsPerSecond = 65536;
constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;

}  // namespace

std::uint32_t to_ntp_units(dtls::Duration duration) {
  return static_cast<std::uint32_t>(duration.count() * kNtpUnitsPerSecond / kMicrosecondsPerSecond);
}

dtls::Duration from_ntp_units(std::uint32_t units) {
  return dtls::Duration{std::int64_t{units} * kMicrosecondsPerSecond / kNtpUnitsPerSecond};
}

void Reception::packet(std::uint16_t sequence_number, std::uint32_t timestamp, dtls::Instant now) {
  // In two parts: microseconds since 1970, times the clock rate, do not fit.
  const std::int64_t time = now.time_since_epoch().count();
  const std::int64_t arrival = time / kMicrosecondsPerSecond * clock_rate_ +
                               time % kMicrosecondsPerSecond * clock_rate_ / kMicrosecondsPerSecond;
  const std::int64_t transit = arrival - timestamp;
  if (received_ == 0) {
    base_ = highest_ = sequence_number;
  } else {
    // The signed difference from the highest number; only a positive one raises it (RFC 3550
    // appendix A.1).
    const auto step = static_cast<std::int16_t>(sequence_number - highest_);
    if (step > 0) highest_ += static_cast<std::uint32_t>(step);
    // RFC 3550 appendix A.8, in 32 bits, so that a timestamp that wraps around causes no jump.
    const auto change = static_cast<std::int32_t>(transit - transit_);
    jitter_ += (std::abs(static_cast<double>(change)) - jitter_) / 16;
  }
  transit_ = transit;
  ++received_;
}

void Reception::sender_report(std::uint32_t ntp, dtls::Instant now) {
  last_report_ = SenderReport{.ntp = ntp, .arrival = now};
}

// RFC 3550 appendix A.3.
void Reception::append_report_block(Buffer& out, std::uint32_t ssrc, dtls::Instant now) {
  const std::uint32_t expected = started() ? highest_ - base_ + 1 : 0;
  const std::int64_t lost = std::int64_t{expected} - static_cast<std::int64_t>(received_);
  const std::int64_t expected_now = expected - expected_before_;
  const std::int64_t lost_now =
      expected_now - static_cast<std::int64_t>(received_ - received_before_);
  expected_before_ = expected;
  received_before_ = received_;

  const std::int64_t fraction = expected_now > 0 && lost_now > 0
                                    ? std::min<std::int64_t>(255, lost_now * 256 / expected_now)
                                    : 0;
  const auto cumulative =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(lost, -0x800000, 0x7fffff)) & 0xffffff;
  append_u32(out, ssrc);
  append_u32(out, static_cast<std::uint32_t>(fraction) << 24 | cumulative);
  append_u32(out, highest_);
  append_u32(out, static_cast<std::uint32_t>(jitter_));
  append_u32(out, last_report_ ? last_report_->ntp : 0);
  append_u32(out, last_report_ ? to_ntp_units(now - last_report_->arrival) : 0);
}

}  // namespace sluice::interop::demo
