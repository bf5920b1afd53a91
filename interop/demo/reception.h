// What a receiver reports about one RTP source (RFC 3550 section 6.4 and appendix A).
#pragma once

#include <cstdint>
#include <optional>

#include <sluice/dtls/clock.h>

#include "demo/byte_order.h"

namespace sluice::interop::demo {

class Reception {
 public:
  explicit Reception(std::uint32_t clock_rate) : clock_rate_(clock_rate) {}

  // A packet of the source, at its arrival.
  void packet(std::uint16_t sequence_number, std::uint32_t timestamp, dtls::Instant now);
  // A sender report of the source; `ntp` are the middle 32 bits of its NTP timestamp.
  void sender_report(std::uint32_t ntp, dtls::Instant now);

  // Appends one report block of 24 bytes about `ssrc` and starts a new interval for its loss.
  void append_report_block(Buffer& out, std::uint32_t ssrc, dtls::Instant now);

  [[nodiscard]] bool started() const { return received_ > 0; }

 private:
  struct SenderReport {
    std::uint32_t ntp;
    dtls::Instant arrival;
  };

  std::uint32_t clock_rate_;
  std::uint32_t base_ = 0;             // extended number of the first packet
  std::uint32_t highest_ = 0;          // extended number of the newest packet
  std::uint64_t received_ = 0;         // packets, late and repeated ones included
  std::uint32_t expected_before_ = 0;  // at the last report
  std::uint64_t received_before_ = 0;
  std::int64_t transit_ = 0;  // in units of the clock rate
  double jitter_ = 0;         // likewise
  std::optional<SenderReport> last_report_;
};

// The middle 32 bits of a duration as NTP counts: 1/65536 s (RFC 3550 section 4).
std::uint32_t to_ntp_units(dtls::Duration duration);
dtls::Duration from_ntp_units(std::uint32_t units);

}  // namespace sluice::interop::demo
