#include <algorithm>
#include <limits>

#include <sluice/rtp/transport_feedback.h>

namespace sluice::rtp {
namespace {

constexpr std::int64_t kUnitsPerReference = kReferenceUnit / kDeltaUnit;

// Rounded down, also where the time is negative.
std::int64_t units(Instant time, Duration unit) {
  const std::int64_t quotient = time.time_since_epoch() / unit;
  return time.time_since_epoch() % unit < Duration::zero() ? quotient - 1 : quotient;
}

// The lower 24 bits, with their sign.
std::int32_t wrap_reference(std::int64_t value) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(value) << 8) >> 8;
}

SequenceNumber wire_number(std::int64_t packet) {
  return SequenceNumber{static_cast<std::uint16_t>(packet)};
}

}  // namespace

ArrivalRecorder::ArrivalRecorder(std::size_t capacity)
    : slots_(std::max<std::size_t>(capacity, 1)), statuses_(slots_.size()) {}

bool ArrivalRecorder::on_packet(SequenceNumber sequence_number, Instant now) {
  Number packet = number(sequence_number);
  if (end_ == 0) {
    packet += 1 << 16;  // so that packets before the first have numbers above 0
    next_ = end_ = packet;
    oldest_ = packet + 1 - static_cast<Number>(slots_.size());  // one before it may come later
  } else {
    packet = end_ - 1 + distance(wire_number(end_ - 1), sequence_number);
  }
  if (packet < oldest_) return false;
  if (packet >= end_) {
    extend_to(packet);
  } else if (slot(packet).received) {
    return false;
  }
  slot(packet) = {.arrival = now, .received = true};
  next_ = std::min(next_, packet);
  return true;
}

void ArrivalRecorder::extend_to(Number last) {
  const auto capacity = static_cast<Number>(slots_.size());
  const Number oldest = std::max(oldest_, last + 1 - capacity);
  for (Number packet = next_; packet < std::min(oldest, end_); ++packet) {
    if (slot(packet).received) ++displaced_;
  }
  oldest_ = oldest;
  next_ = std::max(next_, oldest_);
  for (Number packet = std::max(end_, oldest_); packet < last; ++packet) {
    slot(packet).received = false;
  }
  end_ = last + 1;
}

Instant ArrivalRecorder::first_arrival() {
  Number packet = next_;
  while (!slot(packet).received) ++packet;
  return slot(packet).arrival;
}

std::optional<TransportFeedback> ArrivalRecorder::poll_feedback(Ssrc sender, Ssrc media,
                                                                std::size_t max_packets) {
  if (next_ == end_) return std::nullopt;
  const std::int64_t reference = units(first_arrival(), kReferenceUnit);
  std::int64_t previous = reference * kUnitsPerReference;
  const Number base = next_;
  std::size_t count = 0;
  for (; next_ < end_ && count < max_packets; ++next_, ++count) {
    PacketStatus& status = statuses_[count];
    status.delta.reset();
    if (!slot(next_).received) continue;
    const std::int64_t arrival = units(slot(next_).arrival, kDeltaUnit);
    const std::int64_t delta = arrival - previous;
    if (delta < std::numeric_limits<std::int16_t>::min() ||
        delta > std::numeric_limits<std::int16_t>::max()) {
      break;
    }
    status.delta = static_cast<std::int16_t>(delta);
    previous = arrival;
  }
  return TransportFeedback{.sender = sender,
                           .media = media,
                           .base = wire_number(base),
                           .reference_time = wrap_reference(reference),
                           .number = feedback_number_++,
                           .statuses = std::span<const PacketStatus>(statuses_).first(count)};
}

}  // namespace sluice::rtp
