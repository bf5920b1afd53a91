// When RTCP compounds are due (RFC 3550 sections 6.2 and 6.3, RFC 4585 section 3.5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <sluice/rtp/clock.h>

namespace sluice::rtp {

struct ReportTimerOptions {
  // Bytes per second that RTCP of all members may take: 5 % of the bandwidth of the media (RFC 3550
  // section 6.2), here of 1 Mbit/s. 1 or more.
  std::uint32_t rtcp_bandwidth = 6250;
  // AVPF and SAVPF (RFC 4585), as in WebRTC: no minimum but `regular_interval`, and feedback before
  // the next regular compound. False: AVP, 5 s or more.
  bool feedback_profile = true;
  // AVPF's T_rr_interval, "trr-int": the least time between regular compounds.
  Duration regular_interval = std::chrono::seconds{1};
  // The expected size of the first compound in bytes, with the headers of UDP and IP.
  std::size_t first_size = 128;
};

// Who takes part, this side included.
struct Membership {
  std::uint32_t members = 2;  // 1 or more
  std::uint32_t senders = 1;  // that have sent RTP since the last but one report
  bool is_sender = false;     // whether this side is one of them
};

enum class ReportDue : std::uint8_t {
  nothing,
  regular,  // a whole compound: report, CNAME, and all feedback that waits
  early,    // feedback, with what CompoundForm asks for before it
};

// The timer of one session; RFC 3550 is reduced to what a server with known members needs. Members
// are counted by the caller; there is timer reconsideration (section 6.3.6), but no reverse
// reconsideration and no back-off for BYE. Each call with `random` needs 32 fresh random bits,
// uniformly distributed. Not thread-safe. No allocation.
class ReportTimer {
 public:
  ReportTimer(const ReportTimerOptions& options, Instant now, std::uint32_t random);

  void set_membership(const Membership& membership) { membership_ = membership; }
  // A compound of `size` bytes, with the headers of UDP and IP, was sent or has arrived (section
  // 6.3.3).
  void on_compound(std::size_t size);

  // There is something to tell before the next regular compound, such as a loss. Returns when it
  // will be sent: drop it if that is too late to be of use.
  Instant request_feedback(Instant now, std::uint32_t random);

  [[nodiscard]] Instant next_timeout() const;
  // Call it at next_timeout() or later; an earlier call returns `nothing`, as one may that finds
  // that more members have come. Otherwise send what is due now.
  ReportDue handle_timeout(Instant now, std::uint32_t random);

 private:
  [[nodiscard]] Duration interval(Duration minimum, std::uint16_t random) const;
  [[nodiscard]] Duration minimum() const;

  ReportTimerOptions options_;
  Membership membership_;
  double average_size_;  // in bytes, over sent and received compounds
  bool initial_ = true;  // nothing has been sent yet
  Instant last_;         // when the last regular compound was sent; at first the start
  Instant next_;         // when the next one is due
  Instant early_allowed_;
  std::optional<Instant> early_ = {};  // when feedback is due
};

}  // namespace sluice::rtp
