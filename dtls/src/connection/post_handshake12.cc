#include "connection/post_handshake12.h"

#include "connection/live_session.h"
#include "negotiation/fatal.h"

namespace sluice::dtls::connection {

using handshake::fatal;

void PostHandshake12::keep_last_flight(flight::ReliableFlight flight, Instant now) {
  flight.stop_but_answer();
  last_flight_ =
      std::make_unique<LastFlight>(LastFlight{std::move(flight), now + kLastFlightLifetime});
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
  if (last_flight_ != nullptr && last_flight_->flight.on_repetition(now)) {
    shared.counters.count_retransmission();
  }
  return Outcome::handled;
}

void PostHandshake12::on_timeout(Instant now) {
  if (last_flight_ != nullptr && now >= last_flight_->expires) last_flight_.reset();
}

flight::ReliableFlight last_flight_again(std::span<const Buffer> messages,
                                         const RetransmissionTimers& timers) {
  flight::ReliableFlight flight(timers);
  for (const Buffer& bytes : messages) {
    const auto message = *whole_message(bytes);
    const bool is_finished = message.header.type == wire::HandshakeType::finished;
    if (is_finished) flight.add_change_cipher_spec();
    // It has fitted before.
    static_cast<void>(
        flight.add_message(message.header.type, message.header.message_seq,
                           is_finished ? wire::kFirstEncryptedEpoch12 : wire::kPlaintextEpoch,
                           [&](wire::Writer& out) { out.bytes(message.body); }));
  }
  flight.mark_written();
  return flight;
}

std::optional<Instant> PostHandshake12::next_timeout() const {
  return last_flight_ != nullptr ? std::optional(last_flight_->expires) : std::nullopt;
}

}  // namespace sluice::dtls::connection
