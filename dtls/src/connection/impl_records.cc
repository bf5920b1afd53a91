// Processes the records of a connection by their content type.
#include "connection/impl.h"
#include "negotiation/fatal.h"

namespace sluice::dtls {

using handshake::fatal;
using wire::ContentType;

namespace {

// What the record says about its path.
void note(const record::Record& record, std::size_t size, connection::Input& input) {
  if (record.epoch == wire::kPlaintextEpoch || record.is_repeated) return;
  input.accepted += size;
  const bool is_path_message = record.type == ContentType::return_routability_check;
  input.newest = input.newest || (record.is_newest && !is_path_message);
}

}  // namespace

Result<void> Connection::Impl::handle_records(MutableBytes datagram, Input& input) {
  Result<void> outcome;
  warm_.records().begin_datagram();
  while (outcome && !datagram.empty() && !ended()) {
    const std::size_t before = datagram.size();
    auto taken = warm_.records().take(datagram);
    if (std::holds_alternative<record::NeedsCiphers>(taken) && warm_.warm_up(shared(), phase_)) {
      taken = warm_.records().take(datagram);
    }
    if (const auto* record = std::get_if<record::Record>(&taken)) {
      counters_.count_record_received();
      note(*record, before - datagram.size(), input);
      outcome = on_record(*record, input);
      if (record->epoch == wire::kPlaintextEpoch) continue;
      warm_.mark_used(shared(), phase_);
      // Anyone can send a record again that was received before.
      if (record->is_repeated) continue;
      input.record_opened = true;
      if (auto* messages = connection::messages_under_way(phase_)) {
        messages->on_peer_heard(input.now);
      }
    } else if (const auto* future = std::get_if<record::FutureRecord>(&taken)) {
      HandshakeDriver* running = connection::handshaking(phase_);
      if (running == nullptr || !running->future_records().keep(*future, input.path)) {
        connection::discard(shared(), Discard::unknown_epoch);
      }
    } else if (const auto* reason = std::get_if<Discard>(&taken)) {
      connection::discard(shared(), *reason);
      if (warm_.records().forgeries_exceeded()) {
        outcome = fatal(Errc::integrity_limit_reached, Alert::bad_record_mac);
      }
    } else {
      // The record is not authenticated, so a failure of libcrypto must not end the connection.
      connection::discard(shared(), Discard::authentication_failed);
      break;
    }
  }
  return outcome;
}

// Processes the records that arrived before their keys, each with its path.
Result<void> Connection::Impl::replay_future_records(Input& input) {
  HandshakeDriver* running = connection::handshaking(phase_);
  if (running != nullptr && warm_.records().has_read_key()) {
    outputs_.keep_to_replay(running->future_records().take());
  }
  Result<void> outcome;
  // A replayed record may complete the handshake, which appends the records that remained.
  for (std::size_t i = 0; outcome && i < outputs_.replayed(); ++i) {
    record::KeptRecords& kept = outputs_.replayed(i);
    Input replayed{kept.path, input.now};
    outcome = handle_records(kept.bytes, replayed);
    input.record_opened = input.record_opened || replayed.record_opened;
  }
  return outcome;
}

Result<void> Connection::Impl::on_record(const record::Record& record, Input& input) {
  // RFC 5246 section 6.2.1. Plaintext records above the limit were discarded before, because they
  // are not authenticated. RFC 8449 section 4 allows either to discard a protected record or to
  // send an alert. An alert is better here: the record is authentic, so its retransmissions would
  // exceed the limit again.
  if (record.contents.size() > warm_.records().max_received(record.epoch)) {
    return fatal(Errc::decode_error, Alert::record_overflow, "record above its limit");
  }
  switch (record.type) {
    case ContentType::handshake:
      return on_handshake(record, input.now);
    case ContentType::change_cipher_spec:
      return on_change_cipher_spec(record, input.now);
    case ContentType::alert:
      return on_alert(record, input.now);
    case ContentType::application_data:
      return on_application_data(record);
    case ContentType::ack:
      return on_ack(record, input.now);
    case ContentType::return_routability_check:
      if (record.epoch != wire::kPlaintextEpoch) {
        return connection::PathChanges(shared(), phase_, path_).on_message(record, input);
      }
      break;
  }
  // RFC 5246 section 6: an unexpected type is fatal, except in plaintext, which is not
  // authenticated.
  if (record.epoch != wire::kPlaintextEpoch) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message, "content type");
  }
  connection::discard(shared(), Discard::unexpected_content);
  return {};
}

Result<void> Connection::Impl::on_handshake(const record::Record& record, Instant now) {
  using Outcome12 = connection::PostHandshake12::Outcome;
  if (auto* complete = connection::established12(phase_)) {
    const auto outcome =
        complete->post_handshake.on_record(record, complete->peers_next, shared(), now);
    if (!outcome) return forward_error(outcome);
    if (*outcome == Outcome12::wants_renegotiation) {
      queue_alert(message::AlertLevel::warning, Alert::no_renegotiation);
    }
    return {};
  }
  if (auto* complete = connection::established13(phase_)) {
    auto outcome = post_handshake(*complete).on_record(record, complete->session, now);
    report_sessions();
    return outcome;
  }
  return after_step(connection::handshaking(phase_)->on_handshake(record, now), now);
}

Result<void> Connection::Impl::on_ack(const record::Record& record, Instant now) {
  const auto numbers = message::decode_ack(record.contents);
  HandshakeDriver* running = connection::handshaking(phase_);
  if (record.epoch == wire::kPlaintextEpoch) {
    const bool is_used = numbers && running != nullptr && running->on_plaintext_ack(*numbers, now);
    if (!is_used) connection::discard(shared(), Discard::unexpected_content);
    return {};
  }
  if (!connection::speaks13(phase_)) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message, "ACK in DTLS 1.2");
  }
  if (!numbers) return fatal(Errc::decode_error, Alert::decode_error, "ACK");
  if (running != nullptr) {
    running->on_ack(*numbers, record.epoch, now);
    return {};
  }
  auto* messages = connection::messages_under_way(phase_);
  if (messages == nullptr) return {};  // all messages are acknowledged already
  return messages->on_ack(*numbers, record.epoch, connection::established13(phase_)->session, now);
}

Result<void> Connection::Impl::on_change_cipher_spec(const record::Record& record, Instant now) {
  const bool is_valid = record.contents.size() == 1 && record.contents.front() == std::byte{1};
  if (record.epoch != wire::kPlaintextEpoch) {
    if (!is_valid) return fatal(Errc::decode_error, Alert::decode_error, "ChangeCipherSpec");
    return fatal(Errc::unexpected_message, Alert::unexpected_message, "ChangeCipherSpec");
  }
  HandshakeDriver* running = connection::handshaking(phase_);
  if (!is_valid || running == nullptr) {
    connection::discard(shared(), Discard::malformed_record);
    return {};
  }
  return after_step(running->on_change_cipher_spec(now), now);
}

Result<void> Connection::Impl::on_alert(const record::Record& record, Instant now) {
  const auto alert = message::AlertMessage::decode(record.contents);
  if (record.epoch == wire::kPlaintextEpoch) {
    // Anyone can have sent it.
    HandshakeDriver* running = connection::handshaking(phase_);
    if (!alert) {
      connection::discard(shared(), Discard::malformed_record);
    } else if (running == nullptr || !running->on_plaintext_alert(*alert, now)) {
      connection::discard(shared(), Discard::unexpected_content);
    }
    return {};
  }
  if (!alert) return fatal(Errc::decode_error, Alert::decode_error, "alert");
  if (!alert->ends_connection(connection::speaks13(phase_))) return {};
  if (alert->description != Alert::close_notify) {
    return fatal(Errc::alert_received, alert->description);
  }
  // The peer has no use for the flight that this side still has to send.
  if (connection::opens_when_written(phase_, config_.options())) open();
  if (!is_open()) return fatal(Errc::closed_by_peer, Alert::close_notify);
  // A close_notify is always answered with a close_notify (RFC 5246 section 7.2.1).
  queue_alert(message::AlertLevel::warning, Alert::close_notify);
  outputs_.add(Closed{});
  end(nullptr);
  return {};
}

Result<void> Connection::Impl::on_application_data(const record::Record& record) {
  if (record.epoch == wire::kPlaintextEpoch) {
    connection::discard(shared(), Discard::unexpected_content);
    return {};
  }
  // RFC 8446 section 5: application data uses other keys than the handshake.
  if (record.epoch == wire::kHandshakeEpoch13) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message,
                 "application data under handshake keys");
  }
  if (is_open()) {
    warm_.deliver(record.contents);
    // The peer sends data only after it has received our Finished, so the last flight is no longer
    // needed.
    if (auto* complete = connection::established12(phase_)) {
      complete->post_handshake.drop_last_flight();
    }
    return {};
  }
  if (!connection::unaccepted_data_of(phase_)->keep(record.contents)) {
    connection::discard(shared(), Discard::unaccepted_data_full);
  }
  return {};
}

}  // namespace sluice::dtls
