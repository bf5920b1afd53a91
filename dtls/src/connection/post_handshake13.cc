#include "connection/post_handshake13.h"

#include <algorithm>

#include "connection/earliest.h"
#include "connection/fragments.h"
#include "handshake13/ticket13.h"
#include "negotiation/fatal.h"

namespace sluice::dtls::connection {

using handshake::fatal;
using message::KeyUpdate;
using wire::HandshakeType;

namespace {

wire::Epoch next_epoch(wire::Epoch epoch) { return wire::Epoch{wire::value_of(epoch) + 1}; }

// The value after the largest message_seq. It is not a valid number after a handshake.
constexpr wire::MessageSeq kWrapped{0};

}  // namespace

PostHandshake13::PostHandshake13(const Shared& shared, EndOfHandshake13 handshake, Instant now)
    : shared_(shared),
      reassembler_(std::move(handshake.reassembler)),
      acknowledgements_(std::move(handshake.acknowledgements)),
      initial_timeout_(handshake.last_flight.initial_timeout()),
      next_seq_(handshake.next_seq) {
  if (shared.role == Role::client) {
    handshake.last_flight.set_give_up(handshake.give_up);
    outgoing_.push_back({Kind::last_flight, std::move(handshake.last_flight)});
  } else {
    // The client's last flight answered our flight and needs an ACK.
    old_keys_expire_ = now + kOldKeysLifetime;
    acknowledgements_.send_now();
    shared_.records.stop_writing_before(wire::kFirstApplicationEpoch13);
  }
}

PostHandshake13::PostHandshake13(const Shared& shared, const QuietPostHandshake13& quiet)
    : shared_(shared),
      reassembler_({shared.config.max_handshake_message, shared.config.max_reassembly}),
      initial_timeout_(quiet.initial_timeout),
      next_seq_(quiet.next),
      read_epoch_(shared.records.read_epoch()) {
  reassembler_.start_at(quiet.peers_next);
}

std::optional<QuietPostHandshake13> PostHandshake13::quiet() const {
  // Called after each datagram, so the conditions that last longest come first.
  if (has_received_ || old_keys_expire_) return std::nullopt;
  const bool is_sending = !outgoing_.empty() || deferred_update_;
  const bool is_receiving =
      !reassembler_.empty() || reassembler_.is_used_up() || !acknowledgements_.is_idle();
  if (is_sending || is_receiving || !session_events_.empty()) return std::nullopt;
  using Timeout = decltype(QuietPostHandshake13::initial_timeout);
  return QuietPostHandshake13{next_seq_, reassembler_.next_seq(),
                              std::chrono::duration_cast<Timeout>(initial_timeout_)};
}

flight::ReliableFlight* PostHandshake13::flight_to_write() {
  for (Outgoing& outgoing : outgoing_) {
    if (outgoing.flight.has_more()) return &outgoing.flight;
  }
  return nullptr;
}

const flight::ReliableFlight* PostHandshake13::unsent_flight() const {
  for (const Outgoing& outgoing : outgoing_) {
    if (!outgoing.flight.has_left()) return &outgoing.flight;
  }
  return nullptr;
}

flight::ReliableFlight* PostHandshake13::client_last_flight() {
  // The last flight has the lowest numbers, so it is the first entry.
  const bool is_first = !outgoing_.empty() && outgoing_.front().kind == Kind::last_flight;
  return is_first ? &outgoing_.front().flight : nullptr;
}

Duration PostHandshake13::ack_delay() const {
  return outgoing_.empty() ? initial_timeout_ / 4 : outgoing_.front().flight.ack_delay();
}

template <class Encode>
Result<void> PostHandshake13::send(Kind kind, HandshakeType type, Instant now, Encode&& encode) {
  const RetransmissionTimers& timers = shared_.config.timers;
  flight::ReliableFlight flight(timers, initial_timeout_);
  const auto added = flight.add_message(type, next_seq_, shared_.records.write_epoch(),
                                        std::forward<Encode>(encode));
  if (!added) return forward_error(added);
  next_seq_ = wire::next(next_seq_);
  flight.begin(now, now + timers.total);
  outgoing_.push_back({kind, std::move(flight)});
  return {};
}

Result<void> PostHandshake13::on_record(const record::Record& record, handshake::Session13& session,
                                        Instant now) {
  const auto all_kept =
      for_each_fragment(record.contents, [&](const message::HandshakeFragment& fragment) {
        return on_fragment(fragment, record.epoch, now);
      });
  if (!all_kept) return forward_error(all_kept);
  if (*all_kept) {
    has_received_ = true;
    // One ACK acknowledges all messages that arrive together (RFC 9147 section 7).
    acknowledgements_.received({record.epoch, record.sequence});
    acknowledgements_.send_later(now + ack_delay());
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
  // A retransmitted message is acknowledged again, because the ACK was lost (RFC 9147 section
  // 5.8.1). The answer to a retransmitted flight of the server is our own last flight instead.
  const bool is_stale = *outcome == flight::Reassembler::Outcome::stale;
  if (is_stale && shared_.role == Role::client && epoch == wire::kHandshakeEpoch13) {
    flight::ReliableFlight* last = client_last_flight();
    if (last != nullptr && last->on_repetition(now)) ++shared_.counters.flights_retransmitted;
    return false;
  }
  return true;
}

Result<void> PostHandshake13::on_message(const flight::IncomingMessage& message,
                                         handshake::Session13& session, Instant now) {
  // This includes messages after a KeyUpdate under the keys that it replaced (RFC 8446 section
  // 4.6.3).
  if (message.epoch < read_epoch_) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message, "message of an old epoch");
  }
  switch (message.type) {
    case HandshakeType::key_update:
      return on_key_update(message, session, now);
    case HandshakeType::new_session_ticket:
      if (shared_.role == Role::client) return on_ticket(message, session, now);
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
  auto taken = handshake::take_ticket13(shared_.library, session, *ticket, now);
  if (!taken) return forward_error(taken);
  if (*taken) session_events_.emplace_back(SessionReceived{std::move(**taken)});
  return {};
}

Result<void> PostHandshake13::issue_ticket(const handshake::Session13& session, Instant now) {
  const ConfigOptions& config = shared_.config;
  if (!session.resumption) return {};
  if (config.resumption == Resumption::tickets && !config.ticket_keys) return {};
  auto issued = handshake::issue_ticket13(shared_.library, session, config, now);
  if (!issued) return forward_error(issued);
  if (!*issued) return {};
  auto& ticket = **issued;
  if (ticket.to_store) {
    session_events_.emplace_back(SessionToStore{ticket.ticket, std::move(*ticket.to_store)});
  }
  return send(Kind::ticket, HandshakeType::new_session_ticket, now,
              [&](wire::Writer& out) { handshake::put_issued_ticket13(out, ticket); });
}

Result<void> PostHandshake13::on_key_update(const flight::IncomingMessage& message,
                                            handshake::Session13& session, Instant now) {
  const auto update = handshake::expect<KeyUpdate>(message);
  if (!update) return forward_error(update);
  if (update->request != KeyUpdateRequest::update_not_requested &&
      update->request != KeyUpdateRequest::update_requested) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "request_update");
  }
  auto secret = next_secret(session, handshake::other(shared_.role));
  if (!secret) return forward_error(secret);
  // The present keys are kept until the next keys have been used, because our ACK may be lost (RFC
  // 9147 section 8).
  shared_.records.stop_reading_before(read_epoch_);
  old_keys_expire_ = now + kOldKeysLifetime;
  read_epoch_ = next_epoch(read_epoch_);
  auto opener = handshake::make_opener13(shared_.library, session.negotiated, *secret);
  if (!opener) return forward_error(opener);
  shared_.records.add_reader(read_epoch_, std::move(*opener));
  if (update->request == KeyUpdateRequest::update_requested) {
    return update_keys(KeyUpdateRequest::update_not_requested, now);
  }
  return {};
}

Result<void> PostHandshake13::update_keys(KeyUpdateRequest request, Instant now) {
  // The peer takes messages in order, so it needs those before.
  resume_given_up(now);
  if (key_update_under_way_) return {};
  // A server that lacks the client's last flight cannot decrypt a KeyUpdate yet.
  if (client_last_flight() != nullptr) {
    if (deferred_update_ != KeyUpdateRequest::update_requested) deferred_update_ = request;
    return {};
  }
  // message_seq must not wrap, so the connection has to end (draft-ietf-tls-rfc9147bis).
  if (next_seq_ == kWrapped) return fatal(Errc::message_seq_exhausted, Alert::internal_error);
  key_update_under_way_ = true;
  return send(Kind::key_update, HandshakeType::key_update, now,
              [&](wire::Writer& out) { out.code(request); });
}

Result<void> PostHandshake13::on_ack(std::span<const message::RecordNumber> numbers,
                                     handshake::Session13& session, Instant now) {
  for (Outgoing& outgoing : outgoing_) {
    if (outgoing.flight.on_ack(numbers, now)) ++shared_.counters.flights_retransmitted;
  }
  const bool had_last_flight = client_last_flight() != nullptr;
  std::erase_if(outgoing_,
                [](const Outgoing& outgoing) { return outgoing.flight.fully_acknowledged(); });
  if (had_last_flight && client_last_flight() == nullptr) drop_handshake_keys();
  // The peer changes its keys when it has received the KeyUpdate and all messages before it.
  if (!outgoing_.empty()) return {};
  if (std::exchange(key_update_under_way_, false)) return switch_write_keys(session);
  if (const auto request = std::exchange(deferred_update_, {})) return update_keys(*request, now);
  return {};
}

void PostHandshake13::resume_given_up(Instant now) {
  for (Outgoing& outgoing : outgoing_) {
    if (outgoing.flight.resume(now, now + shared_.config.timers.total)) {
      ++shared_.counters.flights_retransmitted;
    }
  }
}

void PostHandshake13::drop_handshake_keys() {
  shared_.records.stop_reading_before(wire::kFirstApplicationEpoch13);
  shared_.records.stop_writing_before(wire::kFirstApplicationEpoch13);
}

Result<void> PostHandshake13::switch_write_keys(handshake::Session13& session) {
  auto secret = next_secret(session, shared_.role);
  if (!secret) return forward_error(secret);
  auto sealer = handshake::make_sealer13(shared_.library, session.negotiated, *secret);
  if (!sealer) return forward_error(sealer);
  const wire::Epoch epoch = next_epoch(shared_.records.write_epoch());
  shared_.records.add_writer(epoch, std::move(*sealer));
  shared_.records.stop_writing_before(epoch);
  return {};
}

Result<schedule::HashSecret> PostHandshake13::next_secret(handshake::Session13& session,
                                                          Role sender) {
  auto next = schedule::next_traffic_secret(shared_.library, session.negotiated.suite->hash,
                                            session.secrets.traffic(sender));
  if (next) session.secrets.set_traffic(sender, *next);
  return next;
}

void PostHandshake13::on_data_sent() {
  is_resume_due_ = is_resume_due_ || std::ranges::any_of(outgoing_, [](const Outgoing& outgoing) {
                     return outgoing.flight.is_given_up();
                   });
}

Result<void> PostHandshake13::on_timeout(Instant now) {
  if (std::exchange(is_resume_due_, false)) resume_given_up(now);
  acknowledgements_.on_timeout(now);
  expire_old_keys(now);
  for (Outgoing& outgoing : outgoing_) {
    const auto expiry = outgoing.flight.on_timeout(now);
    if (expiry == flight::ReliableFlight::Expiry::repeated) {
      ++shared_.counters.flights_retransmitted;
    }
    const bool is_given_up = expiry == flight::ReliableFlight::Expiry::given_up;
    if (is_given_up && outgoing.kind == Kind::last_flight) {
      return tl::unexpected(Error{Errc::handshake_timeout});
    }
  }
  return {};
}

void PostHandshake13::expire_old_keys(Instant now) {
  if (!old_keys_expire_ || now < *old_keys_expire_) return;
  // RFC 9147 section 8: after a KeyUpdate the old keys are kept until the new keys have been used.
  if (read_epoch_ == wire::kFirstApplicationEpoch13 || shared_.records.has_read(read_epoch_)) {
    old_keys_expire_.reset();
    shared_.records.stop_reading_before(read_epoch_);
  } else {
    old_keys_expire_ = now + kOldKeysLifetime;
  }
}

std::optional<Instant> PostHandshake13::next_timeout() const {
  if (is_resume_due_) return Instant::min();
  auto next = earliest({acknowledgements_.deadline(), old_keys_expire_});
  for (const Outgoing& outgoing : outgoing_) next = earliest({next, outgoing.flight.deadline()});
  return next;
}

}  // namespace sluice::dtls::connection
