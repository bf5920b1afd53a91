#include "flight/reliable_flight.h"

#include <algorithm>

namespace sluice::dtls::flight {
namespace {

// The 576 bytes that every IPv4 host accepts, minus IP and UDP headers (RFC 6347 section 4.1.1.1).
constexpr std::size_t kCautiousMtu = 548;
// Few paths drop datagrams of the usual MTU. Some peers never complete a message whose fragments
// were cut anew, so a lossy path first gets the time to deliver them as they are.
constexpr unsigned kIdleTimeoutsBeforeCaution = 4;

}  // namespace

void ReliableFlight::begin(Instant now, Instant give_up) {
  timer_.start(now);
  sent_ = now;
  give_up_ = give_up;
  no_ack_answer_until_ = Instant::min();
  idle_timeouts_ = 0;
  is_sent_once_ = true;
  is_repeated_ = false;
  is_given_up_ = false;
}

std::size_t ReliableFlight::mtu(std::size_t of_path) const {
  return idle_timeouts_ >= kIdleTimeoutsBeforeCaution ? std::min(of_path, kCautiousMtu) : of_path;
}

OutgoingFlight::Written ReliableFlight::write_datagram(record::RecordLayer& records,
                                                       MutableBytes out, std::size_t mtu) {
  return messages_.write_datagram(records, out, this->mtu(mtu));
}

void ReliableFlight::repeat(Instant now) {
  is_repeated_ = true;
  messages_.rewind();
  sent_ = now;
  is_sent_once_ = false;
  no_ack_answer_until_ = now + timer_.ack_answer_pause();
}

void ReliableFlight::restart_timer(Instant now) {
  if (timer_.deadline()) timer_.restart(now);
}

bool ReliableFlight::on_repetition(Instant now) {
  if (is_held_ || empty() || now < sent_ + timer_.initial() / 2) return false;
  repeat(now);
  return true;
}

bool ReliableFlight::on_ack(std::span<const message::RecordNumber> numbers, wire::Epoch epoch,
                            Instant now) {
  // Of what follows from the keys alone, the peer has not reported a gap.
  if (epoch != wire::kPlaintextEpoch) messages_.acknowledge_before(wire::kHandshakeEpoch13);
  if (!messages_.acknowledge(numbers) || empty()) return false;
  idle_timeouts_ = 0;
  // Anyone can send a plaintext ACK.
  const bool is_authentic = epoch != wire::kPlaintextEpoch;
  if (fully_acknowledged() || !is_authentic || now < no_ack_answer_until_) return false;
  repeat(now);
  restart_timer(now);
  return true;
}

std::optional<Duration> ReliableFlight::measure_rtt(Instant now) {
  if (!std::exchange(is_sent_once_, false)) return std::nullopt;
  const Duration rtt = now - sent_;
  if (!is_rtt_given_) timer_.set_rtt(rtt);
  return rtt;
}

void ReliableFlight::stop_but_answer() {
  timer_.stop();
  sent_ = Instant::min();
}

std::optional<Instant> ReliableFlight::deadline() const {
  const auto next = timer_.deadline();
  // Answers to the peer's repetitions restart the timer, but do not delay the end.
  return next && is_repeated_ ? std::optional(std::min(*next, give_up_)) : next;
}

ReliableFlight::Expiry ReliableFlight::on_timeout(Instant now) {
  if (!is_due(now)) return Expiry::not_due;
  if (now >= give_up_ && is_repeated_) {
    timer_.stop();
    is_given_up_ = true;
    return Expiry::given_up;
  }
  timer_.back_off(now);
  // A late call does not end a flight that was never repeated: it waits for one answer.
  if (now >= give_up_) give_up_ = *timer_.deadline();
  if (is_held_) return Expiry::held;
  if (++idle_timeouts_ >= kTimeoutsToForget) messages_.forget_acknowledged();
  repeat(now);
  return Expiry::repeated;
}

bool ReliableFlight::resume(Instant now, Instant give_up) {
  if (!is_given_up_) return false;
  begin(now, give_up);
  repeat(now);
  return true;
}

void ReliableFlight::set_rtt(Duration rtt) {
  is_rtt_given_ = true;
  timer_.set_rtt(rtt);
  // The RTT also applies to a flight that has begun but has not been sent. A client's first flight
  // begins when the connection is created, before set_rtt() can be called.
  if (!has_left()) timer_.take_initial();
}

}  // namespace sluice::dtls::flight
