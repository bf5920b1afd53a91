#include <sluice/rtp/clock.h>

#include <algorithm>
#include <limits>

namespace sluice::rtp {
namespace {

constexpr std::uint64_t kMicroseconds = 1'000'000;
// From 1900 to 1970: 70 years with 17 leap days.
constexpr std::uint64_t kSecondsTo1970 = (70ULL * 365 + 17) * 24 * 3600;

}  // namespace

NtpTime ntp_time(std::chrono::microseconds since_1970) {
  const auto time = static_cast<std::uint64_t>(since_1970.count());
  const std::uint64_t seconds = time / kMicroseconds + kSecondsTo1970;
  const std::uint64_t fraction = (time % kMicroseconds << 32) / kMicroseconds;
  return NtpTime{seconds << 32 | fraction};
}

CompactNtp to_compact(Duration duration) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint32_t>::max();
  if (duration <= Duration::zero()) return CompactNtp{0};
  const auto time = static_cast<std::uint64_t>(duration.count());
  if (time / kMicroseconds >= 1ULL << 16) return CompactNtp{static_cast<std::uint32_t>(kMax)};
  return CompactNtp{static_cast<std::uint32_t>((time << 16) / kMicroseconds)};
}

Duration to_duration(CompactNtp time) {
  return Duration{static_cast<std::int64_t>(
      (std::uint64_t{static_cast<std::uint32_t>(time)} * kMicroseconds) >> 16)};
}

std::optional<Duration> round_trip_time(CompactNtp now, CompactNtp last_sender_report,
                                        CompactNtp delay_since_last) {
  if (last_sender_report == CompactNtp{0}) return std::nullopt;
  const std::uint32_t difference = static_cast<std::uint32_t>(now) -
                                   static_cast<std::uint32_t>(last_sender_report) -
                                   static_cast<std::uint32_t>(delay_since_last);
  if (static_cast<std::int32_t>(difference) < 0) return std::nullopt;
  return to_duration(CompactNtp{difference});
}

}  // namespace sluice::rtp
