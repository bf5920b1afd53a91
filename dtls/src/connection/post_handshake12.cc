#include "connection/post_handshake12.h"

#include "connection/live_session.h"
#include "negotiation/fatal.h"

namespace sluice::dtls::connection {

using handshake::fatal;

void PostHandshake12::keep_last_flight(flight::ReliableFlight flight, Instant now) {
  flight.stop_but_answer();
  last_flight_ = std::make_unique<LastFlight>(LastFlight{
      now + kLastFlightLifetime, std::make_unique<flight::ReliableFlight>(std::move(flight))});
}

void PostHandshake12::release_unused() {
  const flight::ReliableFlight* flight = last_flight();
  if (flight == nullptr || !flight->has_left() || flight->has_more()) return;
  // A repetition must not be sent again too early, and fragments stay as they were cut.
  if (flight->is_repeated() || flight->has_fragments()) return;
  Buffer messages;
  flight->for_each_message([&](wire::Epoch /*epoch*/, Bytes message) {
    messages.insert(messages.end(), message.begin(), message.end());
  });
  messages.shrink_to_fit();
  last_flight_->messages = std::move(messages);
  last_flight_->initial_timeout = flight->initial_timeout();
  last_flight_->flight.reset();
}

void PostHandshake12::set_rtt(Duration rtt) {
  if (last_flight_ == nullptr) return;
  if (last_flight_->flight != nullptr) return last_flight_->flight->set_rtt(rtt);
  last_flight_->initial_timeout = flight::RetransmissionTimer::first_timeout(rtt);
}

void PostHandshake12::make_last_flight(const RetransmissionTimers& timers) {
  if (last_flight_ == nullptr || last_flight_->flight != nullptr) return;
  last_flight_->flight = std::make_unique<flight::ReliableFlight>(
      last_flight_again(last_flight_->messages, timers, last_flight_->initial_timeout));
  last_flight_->flight->stop_but_answer();
  last_flight_->messages = Buffer();
}

Result<PostHandshake12::Outcome> PostHandshake12::on_record(const record::Record& record,
                                                            wire::MessageSeq next,
                                                            const Shared& shared, Instant now) {
  wire::Reader reader(record.contents);
  Outcome outcome = Outcome::handled;
  do {
    const auto fragment = message::HandshakeFragment::take(reader);
    if (!fragment) return fatal(Errc::decode_error, Alert::decode_error, "handshake fragment");
    auto taken = on_fragment(*fragment, next, shared, now);
    if (!taken) return taken;
    if (*taken == Outcome::wants_renegotiation) outcome = *taken;
  } while (reader.more());
  return outcome;
}

Result<PostHandshake12::Outcome> PostHandshake12::on_fragment(
    const message::HandshakeFragment& fragment, wire::MessageSeq next, const Shared& shared,
    Instant now) {
  // Checked first, because a new handshake numbers its messages from 0 again (RFC 6347 section
  // 4.2.2).
  if (fragment.header.type == renegotiation_request(shared.role)) {
    return fragment.header.fragment_offset == 0 ? Outcome::wants_renegotiation : Outcome::handled;
  }
  if (fragment.header.message_seq >= next) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message,
                 "handshake message after Finished");
  }
  discard(shared, Discard::stale_message);
  // The record is authentic, so the peer lacks our last flight.
  make_last_flight(shared.config.timers);
  if (last_flight_ != nullptr && last_flight_->flight->on_repetition(now)) {
    shared.counters.count_retransmission();
  }
  return Outcome::handled;
}

void PostHandshake12::on_timeout(Instant now) {
  if (last_flight_ != nullptr && now >= last_flight_->expires) last_flight_.reset();
}

flight::ReliableFlight last_flight_again(Bytes messages, const RetransmissionTimers& timers,
                                         Duration initial_timeout) {
  flight::ReliableFlight flight(timers, initial_timeout);
  wire::Reader reader(messages);
  while (const auto message = message::HandshakeFragment::take(reader)) {
    const wire::HandshakeType type = message->header.type;
    const bool is_finished = type == wire::HandshakeType::finished;
    if (is_finished) flight.add_change_cipher_spec();
    // It has fitted before.
    static_cast<void>(
        flight.add_message(type, message->header.message_seq,
                           is_finished ? wire::kFirstEncryptedEpoch12 : wire::kPlaintextEpoch,
                           [&](wire::Writer& out) { out.bytes(message->body); }));
  }
  flight.mark_written();
  return flight;
}

std::optional<Instant> PostHandshake12::next_timeout() const {
  return last_flight_ != nullptr ? std::optional(last_flight_->expires) : std::nullopt;
}

}  // namespace sluice::dtls::connection
