#include <sluice/rtp/report_timer.h>

#include <algorithm>

namespace sluice::rtp {
namespace {

// RFC 3550 section 6.2 and appendix A.7.
constexpr double kSenderShare = 0.25;
constexpr Duration kMinimum = std::chrono::seconds{5};
// It compensates for reconsideration, which favours longer intervals: e - 1.5 (section 6.3.1).
constexpr double kCompensation = 1.21828182845904523536;
// RFC 4585 section 3.4: the minimum before the first compound; none later.
constexpr Duration kFirstFeedbackMinimum = std::chrono::seconds{1};
// RFC 4585 section 3.4: T_dither_max = l * T_rr, where there are more than two members.
constexpr double kDither = 0.5;
constexpr double kRandomRange = 65536;

std::uint16_t low(std::uint32_t random) { return static_cast<std::uint16_t>(random); }
std::uint16_t high(std::uint32_t random) { return static_cast<std::uint16_t>(random >> 16); }

Duration scaled(Duration duration, double factor) {
  return Duration{static_cast<std::int64_t>(static_cast<double>(duration.count()) * factor)};
}

}  // namespace

ReportTimer::ReportTimer(const ReportTimerOptions& options, Instant now, std::uint32_t random)
    : options_(options),
      average_size_(static_cast<double>(options.first_size)),
      last_(now),
      next_(now + interval(minimum(), low(random))),
      early_allowed_(now) {}

void ReportTimer::on_compound(std::size_t size) {
  average_size_ += (static_cast<double>(size) - average_size_) / 16;
}

Duration ReportTimer::minimum() const {
  if (!options_.feedback_profile) return initial_ ? kMinimum / 2 : kMinimum;
  return initial_ ? kFirstFeedbackMinimum : options_.regular_interval;
}

// RFC 3550 section 6.3.1.
Duration ReportTimer::interval(Duration minimum, std::uint16_t random) const {
  double members = std::max<double>(membership_.members, 1);
  double bandwidth = std::max<double>(options_.rtcp_bandwidth, 1);
  const double senders = membership_.senders;
  if (senders <= members * kSenderShare) {
    bandwidth *= membership_.is_sender ? kSenderShare : 1 - kSenderShare;
    members = membership_.is_sender ? senders : members - senders;
  }
  const double seconds = average_size_ * members / bandwidth;
  const Duration calculated = std::max(minimum, scaled(std::chrono::seconds{1}, seconds));
  return scaled(calculated, (random / kRandomRange + 0.5) / kCompensation);
}

// RFC 4585 section 3.5.2. Between two members nothing is dithered.
Instant ReportTimer::request_feedback(Instant now, std::uint32_t random) {
  if (!options_.feedback_profile) return next_;
  const Duration dither = membership_.members > 2 ? scaled(interval(Duration::zero(), high(random)),
                                                           kDither * low(random) / kRandomRange)
                                                  : Duration::zero();
  const Instant at = std::max(now + dither, early_allowed_);
  if (!early_ || at < *early_) early_ = at;
  return next_timeout();
}

Instant ReportTimer::next_timeout() const { return early_ ? std::min(*early_, next_) : next_; }

ReportDue ReportTimer::handle_timeout(Instant now, std::uint32_t random) {
  if (now >= next_) {
    // RFC 3550 section 6.3.6.
    const Instant reconsidered = last_ + interval(minimum(), low(random));
    if (reconsidered <= now) {
      initial_ = false;
      last_ = now;
      next_ = now + interval(minimum(), high(random));
      early_.reset();
      early_allowed_ = now;
      return ReportDue::regular;
    }
    next_ = reconsidered;
  }
  if (early_ && now >= *early_) {
    // RFC 4585 section 3.5.2, step 6: what follows is as far away as two regular compounds.
    early_allowed_ = now + 2 * interval(Duration::zero(), high(random));
    early_.reset();
    return ReportDue::early;
  }
  return ReportDue::nothing;
}

}  // namespace sluice::rtp
