#include "connection/post_handshake13.h"

#include <algorithm>

#include "connection/earliest.h"
#include "handshake13/ticket13.h"
#include "negotiation/fatal.h"

namespace sluice::dtls::connection {

using handshake::fatal;
using message::KeyUpdate;
using wire::HandshakeType;

namespace {

wire::Epoch next_epoch(wire::Epoch epoch) { return wire::Epoch{wire::value_of(epoch) + 1}; }

// What comes behind the last number, and never stands behind a handshake.
constexpr wire::MessageSeq kWrapped{0};

}  // namespace

PostHandshake13::PostHandshake13(Handshaking& handshaking, Role role, Instant now)
    : library_(&handshaking.context.library),
      records_(&handshaking.context.transport.records),
      role_(role),
      timer_(handshaking.timer),
      reassembler_(std::move(handshaking.reassembler)),
      acknowledgements_(std::move(handshaking.acknowledgements)),
      next_seq_(handshaking.context.transport.next_seq()),
      give_up_(handshaking.give_up.value_or(now)),
      no_answer_until_(now + timer_.initial() / 2) {
  if (role == Role::client) {
    flight_ = std::move(handshaking.context.transport.flight);
  } else {
    // The client's last flight has answered ours and waits for an ACK itself.
    timer_.stop();
    old_keys_expire_ = now + kOldKeysLifetime;
    acknowledgements_.send_now();
    records_->stop_writing_before(wire::kFirstApplicationEpoch13);
  }
}

PostHandshake13::PostHandshake13(const QuietPostHandshake13& quiet, const ConfigOptions& config,
                                 crypto::Library& library, record::RecordLayer& records, Role role)
    : library_(&library),
      records_(&records),
      role_(role),
      timer_(config.timers, quiet.initial_timeout),
      reassembler_({config.max_handshake_message, config.max_reassembly}),
      next_seq_(quiet.next),
      read_epoch_(records.read_epoch()) {
  reassembler_.start_at(quiet.peers_next);
}

std::optional<QuietPostHandshake13> PostHandshake13::quiet() const {
  // Each datagram asks: first what lasts longest.
  if (has_received_ || old_keys_expire_) return std::nullopt;
  const bool is_sending = !flight_.empty() || timer_.deadline() || key_update_under_way();
  const bool is_receiving =
      !reassembler_.empty() || reassembler_.is_used_up() || !acknowledgements_.is_idle();
  if (is_sending || is_receiving || !session_events_.empty()) return std::nullopt;
  using Timeout = decltype(QuietPostHandshake13::initial_timeout);
  return QuietPostHandshake13{next_seq_, reassembler_.next_seq(),
                              std::chrono::duration_cast<Timeout>(timer_.initial())};
}

Result<void> PostHandshake13::on_record(const record::Record& record, handshake::Session13& session,
                                        Instant now) {
  wire::Reader reader(record.contents);
  bool all_kept = true;
  do {
    const auto fragment = message::HandshakeFragment::take(reader);
    if (!fragment) return fatal(Errc::decode_error, Alert::decode_error, "handshake fragment");
    const auto kept = on_fragment(*fragment, record.epoch, now);
    if (!kept) return forward_error(kept);
    all_kept = all_kept && *kept;
  } while (reader.more());
  if (all_kept) {
    has_received_ = true;
    // One ACK for all that come together (RFC 9147 section 7).
    acknowledgements_.received({record.epoch, record.sequence});
    acknowledgements_.send_later(now + timer_.ack_delay());
  }
  while (const auto message = reassembler_.front()) {
    if (auto taken = on_message(*message, session, now); !taken) return taken;
    reassembler_.pop();
  }
  return {};
}

Result<bool> PostHandshake13::on_fragment(const message::HandshakeFragment& fragment,
                                          wire::Epoch epoch, Instant now) {
  const auto outcome = reassembler_.add(fragment, epoch);
  if (!outcome) return forward_error(outcome);
  if (*outcome == flight::Reassembler::Outcome::full) return false;
  // Repeated messages are acknowledged again: the ACK was lost (RFC 9147 section 5.8.1). A repeated
  // flight of the server has our own last flight for an answer instead.
  const bool is_stale = *outcome == flight::Reassembler::Outcome::stale;
  if (is_stale && role_ == Role::client && epoch == wire::kHandshakeEpoch13) {
    // What it repeats may be many datagrams, or have crossed ours.
    if (!flight_.empty() && now >= no_answer_until_) repeat_flight(now);
    return false;
  }
  return true;
}

Result<void> PostHandshake13::on_message(const flight::IncomingMessage& message,
                                         handshake::Session13& session, Instant now) {
  // Also what follows a KeyUpdate under the keys that it ended (RFC 8446 section 4.6.3).
  if (message.epoch < read_epoch_) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message, "message of an old epoch");
  }
  switch (message.type) {
    case HandshakeType::key_update:
      return on_key_update(message, session, now);
    case HandshakeType::new_session_ticket:
      if (role_ == Role::client) return on_ticket(message, session, now);
      break;
    default:
      break;
  }
  return fatal(Errc::unexpected_message, Alert::unexpected_message,
               "handshake message after Finished");
}

Result<void> PostHandshake13::on_ticket(const flight::IncomingMessage& message,
                                        const handshake::Session13& session, Instant now) {
  const auto ticket = handshake::expect<message::NewSessionTicket13>(message);
  if (!ticket) return forward_error(ticket);
  if (session_events_.size() == kMaxSessionEvents) return {};
  auto taken = handshake::take_ticket13(*library_, session, *ticket, now);
  if (!taken) return forward_error(taken);
  if (*taken) session_events_.emplace_back(SessionReceived{std::move(**taken)});
  return {};
}

Result<void> PostHandshake13::issue_ticket(const handshake::Session13& session,
                                           const ConfigOptions& config, Instant now) {
  if (!session.resumption) return {};
  if (config.resumption == Resumption::tickets && !config.ticket_keys) return {};
  auto issued = handshake::issue_ticket13(*library_, session, config, now);
  if (!issued) return forward_error(issued);
  if (issued->to_store) {
    session_events_.emplace_back(SessionToStore{issued->ticket, std::move(*issued->to_store)});
  }
  flight_.add_message(HandshakeType::new_session_ticket, next_seq_, records_->write_epoch(),
                      [&](wire::Writer& out) { handshake::put_issued_ticket13(out, *issued); });
  next_seq_ = wire::next(next_seq_);
  timer_.start(now);
  give_up_ = Instant::max();
  return {};
}

Result<void> PostHandshake13::on_key_update(const flight::IncomingMessage& message,
                                            handshake::Session13& session, Instant now) {
  const auto update = handshake::expect<KeyUpdate>(message);
  if (!update) return forward_error(update);
  if (update->request != KeyUpdateRequest::update_not_requested &&
      update->request != KeyUpdateRequest::update_requested) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "request_update");
  }
  auto secret = next_secret(session, handshake::other(role_));
  if (!secret) return forward_error(secret);
  // The present keys stay until the next have been used: our ACK may be lost (RFC 9147 section 8).
  records_->stop_reading_before(read_epoch_);
  old_keys_expire_ = now + kOldKeysLifetime;
  read_epoch_ = next_epoch(read_epoch_);
  auto opener = handshake::make_opener13(*library_, session.negotiated, *secret);
  if (!opener) return forward_error(opener);
  records_->add_reader(read_epoch_, std::move(*opener));
  if (update->request == KeyUpdateRequest::update_requested) {
    return update_keys(KeyUpdateRequest::update_not_requested, now);
  }
  return {};
}

Result<void> PostHandshake13::update_keys(KeyUpdateRequest request, Instant now) {
  if (key_update_under_way_) return {};
  // Who lacks our last flight can't read it yet: it waits for the ACK.
  if (!flight_.empty()) {
    if (deferred_update_ != KeyUpdateRequest::update_requested) deferred_update_ = request;
    return {};
  }
  // message_seq must not wrap: the connection has to end (draft-ietf-tls-rfc9147bis).
  if (next_seq_ == kWrapped) return fatal(Errc::message_seq_exhausted, Alert::internal_error);
  key_update_under_way_ = true;
  flight_.add_message(HandshakeType::key_update, next_seq_, records_->write_epoch(),
                      [&](wire::Writer& out) { out.code(request); });
  next_seq_ = wire::next(next_seq_);
  timer_.start(now);
  no_ack_answer_until_ = Instant::min();
  give_up_ = Instant::max();
  return {};
}

Result<void> PostHandshake13::on_ack(std::span<const message::RecordNumber> numbers,
                                     handshake::Session13& session, Instant now) {
  if (flight_.empty() || !flight_.acknowledge(numbers)) return {};
  if (!flight_.fully_acknowledged()) {
    // The rest SHOULD be repeated (RFC 9147 section 7.2), but not for each of many ACKs.
    if (now >= no_ack_answer_until_) {
      repeat_flight(now);
      timer_.restart(now);
    }
    return {};
  }
  flight_.clear();
  timer_.stop();
  if (role_ == Role::client) forget_handshake_keys();
  // Keys change only when the KeyUpdate and all before it are acknowledged.
  if (std::exchange(key_update_under_way_, false)) return switch_write_keys(session);
  if (const auto request = std::exchange(deferred_update_, {})) return update_keys(*request, now);
  return {};
}

void PostHandshake13::forget_handshake_keys() {
  records_->stop_reading_before(wire::kFirstApplicationEpoch13);
  records_->stop_writing_before(wire::kFirstApplicationEpoch13);
}

Result<void> PostHandshake13::switch_write_keys(handshake::Session13& session) {
  auto secret = next_secret(session, role_);
  if (!secret) return forward_error(secret);
  auto sealer = handshake::make_sealer13(*library_, session.negotiated, *secret);
  if (!sealer) return forward_error(sealer);
  const wire::Epoch epoch = next_epoch(records_->write_epoch());
  records_->add_writer(epoch, std::move(*sealer));
  records_->stop_writing_before(epoch);
  return {};
}

Result<schedule::HashSecret> PostHandshake13::next_secret(handshake::Session13& session,
                                                          Role sender) {
  auto next = schedule::next_traffic_secret(*library_, session.negotiated.suite->hash,
                                            session.secrets.traffic(sender));
  if (next) session.secrets.set_traffic(sender, *next);
  return next;
}

Result<void> PostHandshake13::on_timeout(Instant now) {
  acknowledgements_.on_timeout(now);
  if (old_keys_expire_ && now >= *old_keys_expire_) {
    // RFC 9147 section 8: after a KeyUpdate not before the new ones have been used.
    if (read_epoch_ == wire::kFirstApplicationEpoch13 || records_->has_read(read_epoch_)) {
      old_keys_expire_.reset();
      records_->stop_reading_before(read_epoch_);
    } else {
      old_keys_expire_ = now + kOldKeysLifetime;
    }
  }
  if (!timer_.deadline() || now < *timer_.deadline()) return {};
  if (now >= give_up_) return tl::unexpected(Error{Errc::handshake_timeout});
  timer_.back_off(now);
  repeat_flight(now);
  return {};
}

void PostHandshake13::repeat_flight(Instant now) {
  ++retransmissions_;
  flight_.rewind();
  no_answer_until_ = now + timer_.initial() / 2;
  no_ack_answer_until_ = now + timer_.ack_answer_pause();
}

std::optional<Instant> PostHandshake13::next_timeout() const {
  return earliest({timer_.deadline(), acknowledgements_.deadline(), old_keys_expire_});
}

}  // namespace sluice::dtls::connection
