// What a connection does with each kind of record.
#include "connection/impl.h"
#include "negotiation/config_rules.h"

namespace sluice::dtls {

using handshake::fatal;
using message::HandshakeFragment;
using wire::ContentType;
using wire::HandshakeType;

Result<void> Connection::Impl::on_record(const record::Record& record,
                                         const connection::Input& input) {
  // RFC 5246 section 6.2.1. A plaintext record of that size has been discarded: anybody can have
  // sent it. Of the two that RFC 8449 section 4 allows, the alert: the record is the peer's, and
  // what it repeats would be too long each time.
  if (record.contents.size() > records_.max_received(record.epoch)) {
    return fatal(Errc::decode_error, Alert::record_overflow, "record above its limit");
  }
  switch (record.type) {
    case ContentType::handshake:
      return on_handshake(record, input.now);
    case ContentType::change_cipher_spec:
      return on_change_cipher_spec(record, input.now);
    case ContentType::alert:
      return on_alert(record);
    case ContentType::application_data:
      return on_application_data(record);
    case ContentType::ack:
      return on_ack(record, input.now);
  }
  // RFC 5246 section 6: an unexpected type is fatal. In plaintext anybody can have sent it.
  if (record.epoch != wire::kPlaintextEpoch) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message, "content type");
  }
  discard(Discard::unexpected_content);
  return {};
}

void Connection::Impl::discard(Discard reason) {
  counters_.count(reason);
  if (const auto* observation = records_.observation()) observation->discard(reason);
}

void Connection::Impl::on_future_record(const record::FutureRecord& record) {
  Handshaking* phase = handshaking();
  if (phase == nullptr || !phase->future_records.keep(record.bytes))
    discard(Discard::unknown_epoch);
}

// ---- handshake messages

Result<void> Connection::Impl::on_handshake(const record::Record& record, Instant now) {
  if (Established12* complete12 = established12())
    return on_post_handshake12(*complete12, record, now);
  if (Established13* complete13 = established13()) {
    auto& messages = post_handshake(*complete13);
    auto outcome = messages.on_record(record, complete13->session, now);
    report_sessions();
    counters_.flights_retransmitted += messages.take_retransmissions();
    return outcome;
  }
  Handshaking& phase = *handshaking();
  wire::Reader reader(record.contents);
  bool all_kept = true;
  do {
    const auto fragment = HandshakeFragment::take(reader);
    if (!fragment) return fatal(Errc::decode_error, Alert::decode_error, "handshake fragment");
    const auto kept = on_handshake_fragment(phase, *fragment, record.epoch, now);
    if (!kept) return forward_error(kept);
    all_kept = all_kept && *kept;
  } while (reader.more());
  // RFC 9147 section 7: what was dropped must not be acknowledged.
  if (all_kept) phase.acknowledgements.received({record.epoch, record.sequence});
  return deliver_messages(phase, now);
}

Result<bool> Connection::Impl::on_handshake_fragment(Handshaking& phase,
                                                     const HandshakeFragment& fragment,
                                                     wire::Epoch epoch, Instant now) {
  // A client that negotiates ignores it, whatever its number (RFC 5246 section 7.4.1.1).
  if (role_ == Role::client && fragment.header.type == HandshakeType::hello_request) {
    discard(Discard::unexpected_content);
    return false;
  }
  const auto outcome = phase.reassembler.add(fragment, epoch);
  if (!outcome) return forward_error(outcome);
  switch (*outcome) {
    case flight::Reassembler::Outcome::kept:
      if (!phase.give_up) phase.give_up = now + config_->options().timers.total;
      if (std::exchange(phase.flight_sent_once, false)) {
        const Duration rtt = now - phase.flight_sent;
        counters_.set_rtt(rtt);
        if (!phase.is_rtt_given) phase.timer.set_rtt(rtt);
      }
      return true;
    case flight::Reassembler::Outcome::stale:
      discard(Discard::stale_message);
      if (fragment.header.message_seq < phase.answered_seq) {
        answer_stale(phase, now);
        return false;
      }
      return true;
    case flight::Reassembler::Outcome::full:
      discard(Discard::reassembly_full);
      break;
  }
  return false;
}

Result<void> Connection::Impl::deliver_messages(Handshaking& phase, Instant now) {
  while (const auto message = phase.reassembler.front()) {
    if (phase.machine.awaits_answer()) return {};
    const wire::Epoch expected = phase.machine.expected_epoch();
    // An encrypted Finished may overtake ChangeCipherSpec, but not count before it (RFC 5246
    // section 7.1).
    if (expected == wire::kFirstEncryptedEpoch12 && message->epoch == expected &&
        !phase.change_cipher_spec_seen) {
      return {};
    }
    if (message->epoch != expected) {
      return fatal(Errc::unexpected_message, Alert::unexpected_message, "message of another epoch");
    }
    auto taken = phase.machine.on_message(*message, phase.context);
    if (!taken) return taken;
    phase.reassembler.pop();
    const auto completed = after_step(phase, now);
    if (!completed) return forward_error(completed);
    if (*completed) return {};
  }
  if (phase.context.speaks13()) {
    if (is_answered13(phase)) phase.timer.stop();
    consider_ack(phase, now);
  }
  return {};
}

Result<bool> Connection::Impl::after_step(Handshaking& phase, Instant now) {
  if (auto judged = judge_peer(phase); !judged) return forward_error(judged);
  if (auto question = phase.context.take_question()) {
    outputs().events.push_back(phase.question.pose(std::move(*question)));
  }
  if (!phase.machine.complete()) {
    if (phase.context.transport.take_flight_begun()) send_new_flight(phase, now);
    return false;
  }
  // Finished is the last (RFC 5246 section 7.4.9), also of its keys (RFC 8446 section 5.1). What
  // has overtaken it is here already.
  const bool is_overtaken = phase.context.speaks13()
                                ? phase.reassembler.holds(wire::kHandshakeEpoch13)
                                : is_overtaken_by_message12(phase);
  if (is_overtaken) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message,
                 "handshake message after Finished");
  }
  // Plaintext that is still in pieces has come from nobody in particular.
  phase.reassembler.forget(wire::kPlaintextEpoch);
  if (auto done = complete(phase, now); !done) return forward_error(done);
  return true;
}

// RFC 9147 section 7.2: any part of the answer to a flight acknowledges it as a whole.
bool Connection::Impl::is_answered13(const Handshaking& phase) {
  return phase.reassembler.next_seq() > phase.answered_seq || !phase.reassembler.empty();
}

void Connection::Impl::consider_ack(Handshaking& phase, Instant now) {
  // RFC 9147 section 7.1: at once when something is missing before what has come, else after a
  // quarter of the retransmission timeout.
  const Duration delay = phase.timer.ack_delay();
  if (phase.reassembler.has_gap()) {
    phase.acknowledgements.send_early(now, delay);
  } else {
    phase.acknowledgements.send_later(now + delay);
  }
}

Result<void> Connection::Impl::on_ack(const record::Record& record, Instant now) {
  const auto numbers = message::decode_ack(record.contents);
  if (record.epoch == wire::kPlaintextEpoch) {
    on_plaintext_ack(numbers, now);
    return {};
  }
  Handshaking* phase = handshaking();
  Established13* complete = established13();
  if (!speaks13()) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message, "ACK in DTLS 1.2");
  }
  if (!numbers) return fatal(Errc::decode_error, Alert::decode_error, "ACK");
  if (complete != nullptr) {
    auto* messages = messages_under_way();
    if (messages == nullptr) return {};  // nothing is left to be acknowledged
    auto outcome = messages->on_ack(*numbers, complete->session, now);
    counters_.flights_retransmitted += messages->take_retransmissions();
    return outcome;
  }
  use_ack(*phase, *numbers, now);
  if (phase->context.transport.flight.fully_acknowledged()) phase->timer.stop();
  return {};
}

bool Connection::Impl::speaks13() {
  const Handshaking* phase = handshaking();
  return phase != nullptr ? phase->context.speaks13() : established13() != nullptr;
}

void Connection::Impl::on_plaintext_ack(const std::optional<message::RecordNumbers>& numbers,
                                        Instant now) {
  // Anybody can have sent it: a hint of what not to repeat at once, until the timer says otherwise.
  Handshaking* phase = handshaking();
  const bool may_speak13 =
      phase != nullptr &&
      (phase->context.version ? phase->context.speaks13()
                              : handshake::is_allowed(config_->options(), ProtocolVersion::dtls13));
  if (!numbers || !may_speak13 || records_.peer_encrypts()) {
    discard(Discard::unexpected_content);
    return;
  }
  use_ack(*phase, *numbers, now);
}

void Connection::Impl::use_ack(Handshaking& phase, const message::RecordNumbers& numbers,
                               Instant now) {
  auto& flight = phase.context.transport.flight;
  // An empty ACK says that something came which can't be read yet (RFC 9147 section 7.1).
  if (numbers.empty()) answer_stale(phase, now);
  if (flight.empty() || !flight.acknowledge(numbers) || flight.fully_acknowledged()) return;
  // RFC 9147 section 7.2: the rest SHOULD be repeated, but not for each of many ACKs. In plaintext
  // anybody can have sent them.
  if (now < phase.no_ack_answer_until) return;
  send_flight_again(phase, now);
  phase.timer.restart(now);
}

bool Connection::Impl::is_overtaken_by_message12(Handshaking& phase) const {
  const auto next = phase.reassembler.front();
  return next && next->epoch != wire::kPlaintextEpoch && next->type != renegotiation_request();
}

HandshakeType Connection::Impl::renegotiation_request() const {
  return role_ == Role::client ? HandshakeType::hello_request : HandshakeType::client_hello;
}

// There is no renegotiation (RFC 8827 section 6.5): a request is refused with a warning, and the
// connection goes on.
Result<void> Connection::Impl::on_post_handshake12(Established12& phase,
                                                   const record::Record& record, Instant now) {
  wire::Reader reader(record.contents);
  do {
    const auto fragment = HandshakeFragment::take(reader);
    if (!fragment) return fatal(Errc::decode_error, Alert::decode_error, "handshake fragment");
    if (auto taken = on_post_handshake12_fragment(phase, *fragment, now); !taken) return taken;
  } while (reader.more());
  return {};
}

Result<void> Connection::Impl::on_post_handshake12_fragment(Established12& phase,
                                                            const HandshakeFragment& fragment,
                                                            Instant now) {
  // Asked first: a rehandshake counts its messages from 0 again (RFC 6347 section 4.2.2).
  if (fragment.header.type == renegotiation_request()) {
    if (fragment.header.fragment_offset == 0) {
      queue_alert(message::AlertLevel::warning, Alert::no_renegotiation);
    }
    return {};
  }
  if (fragment.header.message_seq >= phase.next_seq) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message,
                 "handshake message after Finished");
  }
  discard(Discard::stale_message);
  // Authenticated, so it is the peer that lacks our last flight.
  connection::LastFlight* last = phase.last_flight.get();
  if (last != nullptr && now >= last->paused_until) {
    ++counters_.flights_retransmitted;
    last->flight.rewind();
    last->paused_until = now + last->pause;
  }
  return {};
}

// ---- other records

Result<void> Connection::Impl::on_change_cipher_spec(const record::Record& record, Instant now) {
  if (record.contents.size() != 1 || record.contents.front() != std::byte{1}) {
    return fatal(Errc::decode_error, Alert::decode_error, "ChangeCipherSpec");
  }
  if (record.epoch != wire::kPlaintextEpoch) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message, "ChangeCipherSpec");
  }
  // It carries nothing but the fact: keys are installed by the messages before it, so one that
  // comes early, by reordering or by malice (CVE-2014-0224), changes nothing.
  Handshaking* phase = handshaking();
  if (phase == nullptr) return {};
  phase->change_cipher_spec_seen = true;
  return deliver_messages(*phase, now);
}

Result<void> Connection::Impl::on_alert(const record::Record& record) {
  // Plaintext alerts count only until the peer encrypts: after that anybody could end the
  // connection.
  if (record.epoch == wire::kPlaintextEpoch && records_.peer_encrypts()) {
    discard(Discard::unexpected_content);
    return {};
  }
  const auto alert = message::AlertMessage::decode(record.contents);
  if (!alert) return fatal(Errc::decode_error, Alert::decode_error, "alert");
  if (alert->description == Alert::close_notify) {
    // To be answered in kind, whenever it comes (RFC 5246 section 7.2.1).
    queue_alert(message::AlertLevel::warning, Alert::close_notify);
    if (!session()) return fatal(Errc::alert_received, Alert::close_notify);
    outputs().events.emplace_back(Closed{});
    end({});
    return {};
  }
  // In DTLS 1.3 the level says nothing: all but the announcement of a close_notify are errors (RFC
  // 8446 section 6).
  const bool is_error = alert->level == message::AlertLevel::fatal ||
                        (speaks13() && alert->description != Alert::user_canceled);
  if (is_error) return fatal(Errc::alert_received, alert->description);
  return {};
}

Result<void> Connection::Impl::on_application_data(const record::Record& record) {
  if (record.epoch == wire::kPlaintextEpoch) {
    discard(Discard::unexpected_content);
    return {};
  }
  // RFC 8446 section 5: application data has keys of its own.
  if (record.epoch == wire::kHandshakeEpoch13) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message,
                 "application data under handshake keys");
  }
  if (is_open()) {
    in_use().data.push(record.contents);
    // The peer sends data only after it has our Finished: it won't ask for that again.
    if (Established12* complete = established12()) complete->last_flight.reset();
    return {};
  }
  auto* awaiting = std::get_if<std::unique_ptr<AwaitingAcceptance>>(&phase_);
  connection::UnacceptedData& early =
      awaiting != nullptr ? (*awaiting)->unaccepted_data : handshaking()->unaccepted_data;
  if (!early.keep(record.contents)) discard(Discard::unaccepted_data_full);
  return {};
}

}  // namespace sluice::dtls
