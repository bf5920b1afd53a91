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

PostHandshake13::PostHandshake13(const Shared& shared, EndOfHandshake13 handshake,
                                 ConnectionIdSource* ids, Instant now)
    : shared_(shared),
      reassembler_(std::move(handshake.reassembler)),
      acknowledgements_(std::move(handshake.acknowledgements)),
      initial_timeout_(handshake.last_flight.initial_timeout()),
      next_seq_(handshake.next_seq),
      id_source_(ids) {
  if (shared.role == Role::client) {
    handshake.last_flight.set_give_up(handshake.give_up);
    outgoing_.push_back({Kind::last_flight, std::move(handshake.last_flight)});
  } else {
    // The client's last flight answered our flight and needs an ACK.
    keep_old_keys(std::move(handshake.old_read_secret), now);
    acknowledgements_.send_now();
    shared_.records.stop_writing_before(wire::kFirstApplicationEpoch13);
  }
}

PostHandshake13::PostHandshake13(const Shared& shared, const QuietPostHandshake13& quiet,
                                 ConnectionIdSource* ids)
    : shared_(shared),
      reassembler_({shared.config.max_handshake_message, shared.config.max_reassembly}),
      initial_timeout_(quiet.initial_timeout),
      next_seq_(quiet.next),
      read_epoch_(shared.records.read_epoch()),
      id_source_(ids),
      awaits_ids_(quiet.awaits_ids) {
  reassembler_.start_at(quiet.peers_next);
}

std::optional<QuietPostHandshake13> PostHandshake13::quiet() const {
  // Called after each datagram, so the conditions that last longest come first.
  if (received_expire_ || old_keys_expire_) return std::nullopt;
  const bool is_sending = !outgoing_.empty() || deferred_update_ || ids_to_request_ != 0 ||
                          spares_to_send_ || is_renewal_due_;
  const bool is_receiving =
      !reassembler_.empty() || reassembler_.is_used_up() || !acknowledgements_.is_idle();
  if (is_sending || is_receiving || !session_events_.empty()) return std::nullopt;
  QuietPostHandshake13 quiet{next_seq_, reassembler_.next_seq(), awaits_ids_};
  quiet.set_initial_timeout(initial_timeout_);
  return quiet;
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

Duration PostHandshake13::ack_delay() const {
  return outgoing_.empty() ? initial_timeout_ / 4 : outgoing_.front().flight.ack_delay();
}

template <class Encode>
Result<void> PostHandshake13::send(Kind kind, HandshakeType type, Instant now, Encode&& encode) {
  // message_seq must not wrap, so the connection has to end (draft-ietf-tls-rfc9147bis).
  if (next_seq_ == kWrapped) return fatal(Errc::message_seq_exhausted, Alert::internal_error);
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
  std::optional<wire::MessageSeq> key_update;
  const auto all_kept =
      for_each_fragment(record.contents, [&](const message::HandshakeFragment& fragment) {
        if (fragment.header.type == HandshakeType::key_update) {
          key_update = fragment.header.message_seq;
        }
        return on_fragment(fragment, record.epoch, now);
      });
  if (!all_kept) return forward_error(all_kept);
  const message::RecordNumber number{record.epoch, record.sequence};
  if (*all_kept && key_update) {
    if (unprocessed_.size() == flight::ReceivedRecords::kMax) {
      unprocessed_.erase(unprocessed_.begin());
    }
    unprocessed_.push_back({number, *key_update});
  } else if (*all_kept) {
    acknowledgements_.received(number);
  }
  while (const auto message = reassembler_.front()) {
    if (auto taken = on_message(*message, session, now); !taken) return taken;
    reassembler_.pop();
  }
  acknowledge_processed(now);
  return send_due_ids(now);
}

void PostHandshake13::acknowledge_processed(Instant now) {
  std::erase_if(unprocessed_, [&](const Unprocessed& record) {
    const bool is_processed =
        reassembler_.is_used_up() || record.key_update < reassembler_.next_seq();
    if (is_processed) acknowledgements_.received(record.number);
    return is_processed;
  });
  if (acknowledgements_.is_idle()) return;
  received_expire_ = now + kOldKeysLifetime;
  // One ACK acknowledges all messages that arrive together (RFC 9147 section 7).
  acknowledgements_.send_later(now + ack_delay());
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
    if (has_last_flight() && outgoing_.front().flight.on_repetition(now)) {
      shared_.counters.count_retransmission();
    }
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
    case HandshakeType::request_connection_id:
      return on_request_id(message);
    case HandshakeType::new_connection_id:
      return on_new_id(message);
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
  auto taken = handshake::take_ticket13(shared_.library, session, *ticket, shared_.config, now);
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
  const Role peer = handshake::other(shared_.role);
  auto old_secret = session.secrets.traffic(peer);
  auto secret = next_secret(session, peer);
  if (!secret) return forward_error(secret);
  // The present keys are kept until the next keys have been used, because our ACK may be lost (RFC
  // 9147 section 8).
  shared_.records.stop_reading_before(read_epoch_);
  keep_old_keys(std::move(old_secret), now);
  read_epoch_ = next_epoch(read_epoch_);
  auto opener = handshake::make_opener13(shared_.library, session.negotiated, *secret);
  if (!opener) return forward_error(opener);
  shared_.records.add_reader(read_epoch_, std::move(*opener),
                             handshake::key_limits13(shared_.config, session.negotiated));
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
  if (has_last_flight()) {
    if (deferred_update_ != KeyUpdateRequest::update_requested) deferred_update_ = request;
    return {};
  }
  key_update_under_way_ = true;
  return send(Kind::key_update, HandshakeType::key_update, now,
              [&](wire::Writer& out) { out.code(request); });
}

Result<void> PostHandshake13::on_ack(std::span<const message::RecordNumber> numbers,
                                     wire::Epoch epoch, handshake::Session13& session,
                                     Instant now) {
  const bool had_last_flight = has_last_flight();
  std::erase_if(outgoing_, [&](Outgoing& outgoing) {
    if (outgoing.flight.on_ack(numbers, epoch, now)) shared_.counters.count_retransmission();
    const bool is_acknowledged = outgoing.flight.fully_acknowledged();
    if (is_acknowledged && outgoing.kind == Kind::key_update) is_key_update_acknowledged_ = true;
    return is_acknowledged;
  });
  if (had_last_flight && !has_last_flight()) drop_handshake_keys();
  return continue_key_update(session, now);
}

Result<void> PostHandshake13::continue_key_update(handshake::Session13& session, Instant now) {
  if (is_key_update_acknowledged_) {
    // RFC 9147 lets a peer acknowledge a KeyUpdate that waits for a message before it. So the keys
    // change when those are acknowledged too, or when their retransmission ends: a peer may not
    // acknowledge tickets at all.
    const bool is_waiting = std::ranges::any_of(
        outgoing_, [](const Outgoing& outgoing) { return !outgoing.flight.is_given_up(); });
    if (is_waiting) return {};
    outgoing_.clear();
    key_update_under_way_ = false;
    is_key_update_acknowledged_ = false;
    auto switched = switch_write_keys(session);
    return switched ? send_due_ids(now) : switched;
  }
  if (outgoing_.empty() && deferred_update_) {
    return update_keys(*std::exchange(deferred_update_, {}), now);
  }
  return send_due_ids(now);
}

// ---- connection IDs (RFC 9147 section 9)

Result<void> PostHandshake13::on_request_id(const flight::IncomingMessage& message) {
  const auto request = handshake::expect<message::RequestConnectionId>(message);
  if (!request) return forward_error(request);
  if (shared_.records.connection_ids().own().empty()) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message,
                 "RequestConnectionId without a connection ID");
  }
  // Requests that come while a NewConnectionId is under way are answered together.
  spares_to_send_ = spares_to_send_.value_or(0) + request->count;
  return {};
}

Result<void> PostHandshake13::on_new_id(const flight::IncomingMessage& message) {
  const auto received = handshake::expect<message::NewConnectionId>(message);
  if (!received) return forward_error(received);
  record::ConnectionIds& ids = shared_.records.connection_ids();
  if (ids.peers().empty()) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message,
                 "NewConnectionId without a connection ID");
  }
  const bool is_immediate = received->usage == message::ConnectionIdUsage::cid_immediate;
  const bool is_known = is_immediate || received->usage == message::ConnectionIdUsage::cid_spare;
  // An empty ID would end their use, which only the hellos agree on.
  if (!is_known || (is_immediate && received->ids.empty()) ||
      std::ranges::any_of(received->ids, [](Bytes id) { return id.empty(); })) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "NewConnectionId");
  }
  if (is_immediate) {
    ids.replace_peers(received->ids);
  } else {
    ids.add_spares(received->ids);
    awaits_ids_ = false;
  }
  return {};
}

Result<void> PostHandshake13::request_ids(std::size_t count, Instant now) {
  if (shared_.records.connection_ids().peers().empty()) {
    return tl::unexpected(
        Error{Errc::invalid_argument, {}, 0, "our records have no connection ID"});
  }
  if (count == 0 || count > UINT8_MAX) {
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "count: not from 1 to 255"});
  }
  if (awaits_ids_) {
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "the last request is unanswered"});
  }
  awaits_ids_ = true;
  ids_to_request_ = count;
  return send_due_ids(now);
}

Result<void> PostHandshake13::renew_id(Instant now) {
  if (shared_.records.connection_ids().own().empty()) {
    return tl::unexpected(
        Error{Errc::invalid_argument, {}, 0, "the peer's records have no connection ID"});
  }
  is_renewal_due_ = true;
  return send_due_ids(now);
}

bool PostHandshake13::is_under_way(Kind kind) const {
  return std::ranges::any_of(outgoing_,
                             [&](const Outgoing& outgoing) { return outgoing.kind == kind; });
}

Result<void> PostHandshake13::send_due_ids(Instant now) {
  // No message follows a KeyUpdate before the keys have changed (RFC 8446 section 4.6.3), and a
  // server that lacks the client's last flight cannot read one.
  if (key_update_under_way() || has_last_flight()) return {};
  const bool sends_request = ids_to_request_ != 0 && !is_under_way(Kind::request_id);
  const bool sends_ids = (is_renewal_due_ || spares_to_send_) && !is_under_way(Kind::new_id);
  if (!sends_request && !sends_ids) return {};
  if (sends_request) {
    const std::size_t count = std::exchange(ids_to_request_, 0);
    auto sent = send(Kind::request_id, HandshakeType::request_connection_id, now,
                     [&](wire::Writer& out) { message::put_request_connection_id(out, count); });
    if (!sent || !sends_ids) return sent;
  }
  return send_new_ids(now);
}

Result<void> PostHandshake13::send_new_ids(Instant now) {
  record::ConnectionIds& known = shared_.records.connection_ids();
  const bool is_renewal = std::exchange(is_renewal_due_, false);
  std::size_t count = 1;
  if (!is_renewal) {
    // RFC 9147 section 9: a request that seems excessive gets fewer, or none.
    count = std::min(*std::exchange(spares_to_send_, {}),
                     record::ConnectionIds::kMaxSpares - known.unused_own());
  }
  std::vector<ConnectionId> ids;
  while (ids.size() < count) {
    auto id = handshake::make_connection_id(shared_.library, known.own().size(), id_source_);
    if (!id) return forward_error(id);
    ids.push_back(*std::move(id));
  }
  for (const ConnectionId& ended : known.add_own(ids, is_renewal)) {
    if (id_source_ != nullptr) id_source_->retire(ended.bytes());
  }
  const auto usage = is_renewal ? message::ConnectionIdUsage::cid_immediate
                                : message::ConnectionIdUsage::cid_spare;
  return send(Kind::new_id, HandshakeType::new_connection_id, now,
              [&](wire::Writer& out) { message::put_new_connection_id(out, ids, usage); });
}

void PostHandshake13::resume_given_up(Instant now) {
  for (Outgoing& outgoing : outgoing_) {
    if (outgoing.flight.resume(now, now + shared_.config.timers.total)) {
      shared_.counters.count_retransmission();
    }
  }
}

void PostHandshake13::on_peer_heard(Instant now) {
  for (Outgoing& outgoing : outgoing_) {
    if (outgoing.periods == kMaxPeriods) continue;
    if (!outgoing.flight.resume(now, now + shared_.config.timers.total)) continue;
    ++outgoing.periods;
    shared_.counters.count_retransmission();
  }
}

void PostHandshake13::set_rtt(Duration rtt) {
  initial_timeout_ = flight::RetransmissionTimer::first_timeout(rtt);
  for (Outgoing& outgoing : outgoing_) outgoing.flight.set_rtt(rtt);
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
  shared_.records.add_writer(epoch, std::move(*sealer),
                             handshake::key_limits13(shared_.config, session.negotiated));
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
  is_resume_due_ = is_resume_due_ || (key_update_under_way_ &&
                                      std::ranges::any_of(outgoing_, [](const Outgoing& outgoing) {
                                        return outgoing.flight.is_given_up();
                                      }));
}

Result<void> PostHandshake13::on_timeout(handshake::Session13& session, Instant now) {
  if (std::exchange(is_resume_due_, false)) resume_given_up(now);
  acknowledgements_.on_timeout(now);
  expire_old_keys(now);
  if (received_expire_ && now >= *received_expire_) received_expire_.reset();
  for (Outgoing& outgoing : outgoing_) {
    const auto expiry = outgoing.flight.on_timeout(now);
    if (expiry == flight::ReliableFlight::Expiry::repeated) {
      shared_.counters.count_retransmission();
    }
    const bool is_given_up = expiry == flight::ReliableFlight::Expiry::given_up;
    if (is_given_up && outgoing.kind == Kind::last_flight) {
      return tl::unexpected(Error{Errc::handshake_timeout,
                                  {},
                                  0,
                                  "the server has not acknowledged our Finished: it has gone, or "
                                  "the path drops our last flight"});
    }
  }
  return continue_key_update(session, now);
}

void PostHandshake13::keep_old_keys(schedule::HashSecret read_secret, Instant now) {
  old_keys_expire_ = now + kOldKeysLifetime;
  old_read_secret_ = std::move(read_secret);
}

void PostHandshake13::expire_old_keys(Instant now) {
  if (!old_keys_expire_ || now < *old_keys_expire_) return;
  // RFC 9147 section 8: after a KeyUpdate the old keys are kept until the new keys have been used.
  if (read_epoch_ == wire::kFirstApplicationEpoch13 || shared_.records.has_read(read_epoch_)) {
    old_keys_expire_.reset();
    old_read_secret_ = {};
    shared_.records.stop_reading_before(read_epoch_);
  } else {
    old_keys_expire_ = now + kOldKeysLifetime;
  }
}

std::optional<Instant> PostHandshake13::next_timeout() const {
  auto next = earliest({acknowledgements_.deadline(), old_keys_expire_, received_expire_});
  for (const Outgoing& outgoing : outgoing_) next = earliest({next, outgoing.flight.deadline()});
  return next;
}

}  // namespace sluice::dtls::connection
