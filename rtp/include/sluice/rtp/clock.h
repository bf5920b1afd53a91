// Time, which the caller passes in with each input, and NTP timestamps (RFC 3550 section 4).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace sluice::rtp {

// Microseconds since a start that the caller chooses. The library reads no clock. The times given
// to one object must not go backwards. An Instant of another library converts by
// `Instant{other.time_since_epoch()}`.
struct Clock {
  // NOLINTBEGIN(readability-identifier-naming): the standard names them so.
  using duration = std::chrono::microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
  // NOLINTEND(readability-identifier-naming)
  static time_point now() = delete;
};

using Instant = Clock::time_point;
using Duration = Clock::duration;

// Seconds since 1900 in 32 bits, then the fraction in units of 2^-32 s. It wraps around in 2036.
enum class NtpTime : std::uint64_t {};
// The middle 32 bits of an NtpTime, or a duration in the same unit, 2^-16 s. At most 18 hours.
enum class CompactNtp : std::uint32_t {};

// `since_1970`: UTC, 0 or more. Any clock may be used in its place, the same for all streams of a
// source, for which "since 1900" then has no meaning (RFC 3550 section 6.4.1).
NtpTime ntp_time(std::chrono::microseconds since_1970);

constexpr CompactNtp middle(NtpTime time) {
  return CompactNtp{static_cast<std::uint32_t>(static_cast<std::uint64_t>(time) >> 16)};
}
// Negative durations become 0, those above 18 hours the largest CompactNtp.
CompactNtp to_compact(Duration duration);
Duration to_duration(CompactNtp time);

// The round-trip time that a report block tells (RFC 3550 section 6.4.1): `now` minus
// `last_sender_report` minus `delay_since_last`. `now` is read from the clock of the sender
// reports. Empty if the block answers no report, or if the result is negative: rounding and clocks
// of different speed do that, and so does a false report.
std::optional<Duration> round_trip_time(CompactNtp now, CompactNtp last_sender_report,
                                        CompactNtp delay_since_last);

}  // namespace sluice::rtp
