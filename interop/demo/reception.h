// Reception statistics of one RTP source for RTCP report blocks (RFC 3550 section 6.4 and appendix
// A).
#pragma once

#include <cstdint>
#include <optional>

#include <sluice/dtls/clock.h>

#include "demo/byte_order.h"

namespace sluice::interop::demo {

class Reception {
 public:
  explicit Reception(std::uint32_t clock_rate) : clock_rate_(clock_rate) {}

  // Counts a packet of the source that arrived at `now`.
  void packet(std::uint16_t sequence_number, std::uint32_t timestamp, dtls::Instant now);
  // Records a sender report of the source. `ntp` is the middle 32 bits of its NTP timestamp.
  void sender_report(std::uint32_t ntp, dtls::Instant now);

  // Appends one report block (24 bytes) about `ssrc`, and starts a new interval for the fraction
  // lost.
  void append_report_block(Buffer& out, std::uint32_t ssrc, dtls::Instant now);

  [[nodiscard]] bool started() const { return received_ > 0; }

 private:
  struct SenderReport {
    std::uint32_t ntp;
    dtls::Instant arrival;
  };

  std::uint32_t clock_rate_;
  std::uint32_t base_ = 0;             // extended sequence number of the first packet
  std::uint32_t highest_ = 0;          // extended highest sequence number
  std::uint64_t received_ = 0;         // packets, including late and duplicate ones
  std::uint32_t expected_before_ = 0;  // at the last report block
  std::uint64_t received_before_ = 0;
  std::int64_t transit_ = 0;  // in units of the clock rate
  double jitter_ = 0;         // in units of the clock rate
  std::optional<SenderReport> last_report_;
};

// Convert to and from units of 1/65536 s, as in the middle 32 bits of an NTP timestamp (RFC 3550
// section 4).
std::uint32_t to_ntp_units(dtls::Duration duration);
dtls::Duration from_ntp_units(std::uint32_t units);

}  // namespace sluice::interop::demo
