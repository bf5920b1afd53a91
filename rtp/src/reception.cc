#include <sluice/rtp/reception.h>

#include <algorithm>
#include <cstdlib>

namespace sluice::rtp {
namespace {

// RFC 3550 appendix A.1.
constexpr int kMaxDropout = 3000;
constexpr int kMaxMisorder = 100;

// Above what a CompactNtp holds.
constexpr Duration kMaxDelay = std::chrono::hours{24};

// Of a state. Above what a source can send, and differences of them have no overflow.
constexpr std::uint64_t kMaxReceived = std::uint64_t{1} << 62;

constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;

// In units of the clock rate, modulo 2^32. In two parts: microseconds since 1970, times the clock
// rate, do not fit.
std::uint32_t in_clock_units(Instant time, std::uint32_t clock_rate) {
  const std::int64_t since = time.time_since_epoch().count();
  const auto seconds = static_cast<std::uint64_t>(since / kMicrosecondsPerSecond) * clock_rate;
  const std::int64_t rest = since % kMicrosecondsPerSecond * clock_rate / kMicrosecondsPerSecond;
  return static_cast<std::uint32_t>(seconds + static_cast<std::uint64_t>(rest));
}

}  // namespace

Reception::Reception(const ReceptionOptions& options, const ReceptionState& state, Instant now)
    : options_(options),
      base_(state.base),
      highest_(state.highest),
      in_sequence_(state.in_sequence),
      expected_next_(state.expected_next),
      received_(std::min(state.received, kMaxReceived)),
      expected_before_(state.expected_before),
      received_before_(std::min(state.received_before, kMaxReceived)),
      jitter_(state.jitter) {
  if (state.report) {
    const Duration since = std::clamp<Duration>(state.since_report, Duration::zero(), kMaxDelay);
    report_ = Report{.ntp_time = *state.report, .arrival = now - since};
  }
}

ReceptionState Reception::state(Instant now) const {
  ReceptionState state{.base = base_,
                       .highest = highest_,
                       .in_sequence = in_sequence_,
                       .expected_next = expected_next_,
                       .received = received_,
                       .expected_before = expected_before_,
                       .received_before = received_before_,
                       .jitter = jitter_};
  if (report_) {
    state.report = report_->ntp_time;
    state.since_report = now - report_->arrival;
  }
  return state;
}

Arrival Reception::on_packet(SequenceNumber sequence_number, Timestamp timestamp, Instant now) {
  const Arrival arrival = classify(sequence_number);
  if (arrival == Arrival::in_order || arrival == Arrival::late) {
    ++received_;
    update_jitter(timestamp, now);
  }
  return arrival;
}

Arrival Reception::classify(SequenceNumber sequence_number) {
  if (!started()) {
    in_sequence_ = expected_next_ == sequence_number ? in_sequence_ + 1 : 1;
    expected_next_ = sequence_number + 1;
    if (in_sequence_ < options_.min_sequential) return Arrival::probation;
    restart(sequence_number);
    return Arrival::in_order;
  }
  const auto newest = SequenceNumber{static_cast<std::uint16_t>(highest_)};
  const auto ahead = static_cast<std::uint16_t>(number(sequence_number) - number(newest));
  if (ahead > 0 && ahead < kMaxDropout) {
    highest_ += ahead;
    return Arrival::in_order;
  }
  if (ahead == 0 || ahead > 65536 - kMaxMisorder) return Arrival::late;
  // Two packets in sequence: the source has started anew.
  if (expected_next_ == sequence_number) {
    restart(sequence_number);
    return Arrival::in_order;
  }
  expected_next_ = sequence_number + 1;
  return Arrival::jump;
}

void Reception::restart(SequenceNumber sequence_number) {
  base_ = highest_ = number(sequence_number);
  received_ = received_before_ = 0;
  expected_before_ = 0;
  expected_next_.reset();
  transit_.reset();
}

// Appendix A.8, the version in integers.
void Reception::update_jitter(Timestamp timestamp, Instant now) {
  const std::uint32_t transit = in_clock_units(now, options_.clock_rate) - number(timestamp);
  if (transit_) {
    const auto change = static_cast<std::int32_t>(transit - *transit_);
    const auto size = static_cast<std::uint64_t>(std::abs(std::int64_t{change}));
    jitter_ += size;
    jitter_ -= (jitter_ - size + 8) >> 4;
  }
  transit_ = transit;
}

std::int64_t Reception::lost() const {
  return std::int64_t{expected()} - static_cast<std::int64_t>(received_);
}

Duration Reception::jitter() const {
  return Duration{
      static_cast<std::int64_t>((jitter_ >> 4) * kMicrosecondsPerSecond / options_.clock_rate)};
}

// Appendix A.3.
ReportBlock Reception::report_block(Ssrc ssrc, Instant now) {
  const std::int64_t expected_now = std::int64_t{expected()} - expected_before_;
  const std::int64_t lost_now =
      expected_now - static_cast<std::int64_t>(received_ - received_before_);
  expected_before_ = expected();
  received_before_ = received_;
  const std::int64_t fraction = expected_now > 0 && lost_now > 0
                                    ? std::min<std::int64_t>(255, lost_now * 256 / expected_now)
                                    : 0;
  return {.ssrc = ssrc,
          .fraction_lost = static_cast<std::uint8_t>(fraction),
          .packets_lost =
              static_cast<std::int32_t>(std::clamp<std::int64_t>(lost(), -0x800000, 0x7fffff)),
          .highest_sequence_number = highest_,
          .jitter = static_cast<std::uint32_t>(jitter_ >> 4),
          .last_sender_report = report_ ? report_->ntp_time : CompactNtp{},
          .delay_since_last = report_ ? to_compact(now - report_->arrival) : CompactNtp{}};
}

}  // namespace sluice::rtp
