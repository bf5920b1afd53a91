#include "connection/handshake_driver.h"

#include <utility>

#include "connection/earliest.h"
#include "connection/fragments.h"
#include "connection/peer_judge.h"
#include "connection/timeout_detail.h"
#include "connection/waiting.h"
#include "negotiation/config_question.h"
#include "negotiation/config_rules.h"
#include "negotiation/fatal.h"
#include "negotiation/selection.h"

namespace sluice::dtls::connection {

using handshake::fatal;
using message::HandshakeFragment;
using wire::HandshakeType;

HandshakeDriver::HandshakeDriver(const Shared& shared, ConnectionNumber number, KeyLog* key_log,
                                 ConnectionIdSource* ids)
    : shared_(shared),
      context_(shared.config, shared.library, shared.records, key_log),
      reassembler_({shared.config.max_handshake_message, shared.config.max_reassembly}),
      unaccepted_data_(shared.config.max_unaccepted_data) {
  context_.hello_hook.connection = number;
  context_.transport.connection_ids = ids;
}

// ---- inputs

Result<void> HandshakeDriver::start_client(const std::optional<ResumableSession>& session,
                                           Instant now) {
  auto machine = handshake::Handshake::client(context_, session);
  if (!machine) return forward_error(machine);
  machine_ = std::move(*machine);
  give_up_ = now + shared_.config.timers.total;
  if (context_.transport.take_flight_begun()) begin_flight(now);
  return {};
}

Result<HandshakeDriver::Progress> HandshakeDriver::start_server(
    MutableBytes hello, wire::SequenceNumber record,
    const std::optional<handshake::server13::StatelessRetry>& retry, Instant now) {
  wire::Reader reader(hello);
  const auto seq = HandshakeFragment::take(reader)->header.message_seq;
  reassembler_.start_at(seq);
  context_.transport.start_at(seq);
  // RFC 6347 section 4.2.1: the ServerHello has the record number of the ClientHello.
  shared_.records.start_plaintext_at(record);
  is_admitted_ = true;
  retry_ = retry;
  if (auto begun = begin_machine(); !begun) return forward_error(begun);
  return on_handshake({wire::ContentType::handshake, wire::kPlaintextEpoch, record, hello}, now);
}

Result<void> HandshakeDriver::begin_machine() {
  if (!retry_) return {};
  auto machine = handshake::Handshake::server(*retry_, context_);
  if (!machine) return forward_error(machine);
  machine_ = std::move(*machine);
  return {};
}

bool HandshakeDriver::waits_for_config(const flight::IncomingMessage& hello) {
  if (config_choice_ == ConfigChoice::asked) return true;
  const bool asks = shared_.role == Role::server && shared_.config.ask_for_config;
  if (!asks || config_choice_ == ConfigChoice::made) return false;
  auto question = handshake::config_question(hello);
  // The handshake refuses a hello that does not parse.
  if (!question) return false;
  config_choice_ = ConfigChoice::asked;
  shared_.outputs.add(question_.pose(std::move(*question)));
  return true;
}

Result<HandshakeDriver::Progress> HandshakeDriver::continue_from(HandshakeDriver&& waiting,
                                                                 Instant now) {
  set_time(now);
  context_.secret_log = waiting.context_.secret_log;
  context_.transport.start_at(waiting.context_.transport.next_seq());
  if (waiting.path_rtt_) set_path_rtt(*waiting.path_rtt_);
  gate_ = std::move(waiting.gate_);
  reassembler_ = std::move(waiting.reassembler_);
  acknowledgements_ = std::move(waiting.acknowledgements_);
  future_records_ = std::move(waiting.future_records_);
  unaccepted_data_ = std::move(waiting.unaccepted_data_);
  held_alert_ = waiting.held_alert_;
  held_alert_.restart(now);
  is_admitted_ = waiting.is_admitted_;
  retry_ = std::move(waiting.retry_);
  give_up_ = waiting.give_up_;
  config_choice_ = ConfigChoice::made;
  const auto asked_about = reassembler_.front();
  const auto hello = asked_about ? message::ClientHello::decode(asked_about->body()) : std::nullopt;
  if (!hello) return fatal(Errc::decode_error, Alert::decode_error, "ClientHello");
  const auto before = handshake::choose_version(waiting.shared_.config, *hello);
  const auto version = handshake::choose_version(shared_.config, *hello);
  if (is_admitted_ && version && (!before || *version != *before)) {
    return fatal(Errc::no_common_version, Alert::handshake_failure,
                 "the Config has another version than the Listener's");
  }
  if (auto begun = begin_machine(); !begun) return forward_error(begun);
  return deliver_messages(now);
}

Result<HandshakeDriver::Progress> HandshakeDriver::on_handshake(const record::Record& record,
                                                                Instant now) {
  // RFC 6347 section 4.1.2.7, RFC 9147 section 4.5.2: an invalid record is discarded, as long as
  // nothing shows that the peer has sent it.
  if (record.epoch == wire::kPlaintextEpoch && !are_fragments(record.contents)) {
    discard(shared_, Discard::malformed_record);
    return Progress::running;
  }
  const auto all_kept = for_each_fragment(record.contents, [&](const HandshakeFragment& fragment) {
    return on_fragment(fragment, record.epoch, now);
  });
  if (!all_kept) return forward_error(all_kept);
  // RFC 9147 section 7: a record with a dropped fragment must not be acknowledged.
  const auto version = context_.version.value_or(shared_.config.max_version);
  if (*all_kept && version == ProtocolVersion::dtls13) {
    acknowledgements_.received({record.epoch, record.sequence});
  }
  auto progress = deliver_messages(now);
  // What waits longer than the record is there must be stored.
  reassembler_.keep();
  return progress;
}

Result<bool> HandshakeDriver::on_fragment(const HandshakeFragment& fragment, wire::Epoch epoch,
                                          Instant now) {
  // A client ignores HelloRequest during a handshake, whatever its message_seq (RFC 5246 section
  // 7.4.1.1).
  if (shared_.role == Role::client && fragment.header.type == HandshakeType::hello_request) {
    discard(shared_, Discard::unexpected_content);
    return false;
  }
  // The ClientHello that the caller was asked about stays as it is.
  const bool is_asked_about = config_choice_ == ConfigChoice::asked &&
                              fragment.header.message_seq == reassembler_.next_seq();
  if (is_asked_about) {
    discard(shared_, Discard::stale_message);
    return false;
  }
  const bool is_new = fragment.header.message_seq >= reassembler_.next_seq();
  if (epoch == wire::kPlaintextEpoch && is_new && ignores_plaintext()) {
    discard(shared_, Discard::unexpected_content);
    return false;
  }
  const auto outcome = reassembler_.borrow(fragment, epoch);
  if (!outcome) return forward_error(outcome);
  switch (*outcome) {
    case flight::Reassembler::Outcome::replaced:
      discard(shared_, Discard::malformed_record);
      [[fallthrough]];
    case flight::Reassembler::Outcome::kept:
      if (!give_up_) give_up_ = now + shared_.config.timers.total;
      if (const auto rtt = context_.transport.flight.measure_rtt(now))
        shared_.counters.set_rtt(*rtt);
      return true;
    case flight::Reassembler::Outcome::stale:
      discard(shared_, Discard::stale_message);
      if (fragment.header.message_seq < answered_seq_) {
        on_repetition(now);
        return false;
      }
      return true;
    case flight::Reassembler::Outcome::full:
      discard(shared_, Discard::reassembly_full);
      break;
    case flight::Reassembler::Outcome::plaintext:
      discard(shared_, Discard::unexpected_content);
      break;
  }
  return false;
}

Result<HandshakeDriver::Progress> HandshakeDriver::on_change_cipher_spec(Instant now) {
  // The record only sets a flag. The messages before it install the keys, so an early
  // ChangeCipherSpec, reordered or forged (CVE-2014-0224), has no effect.
  is_change_cipher_spec_seen_ = true;
  return deliver_messages(now);
}

Result<HandshakeDriver::Progress> HandshakeDriver::answer(const Answer& answer, Instant now) {
  question_.close();
  held_alert_.restart(now);
  if (const auto* refuse = std::get_if<RefuseConnection>(&answer)) {
    return fatal(Errc::peer_rejected, refuse->alert, "RefuseConnection");
  }
  if (auto taken = machine_.answer(answer, context_); !taken) return forward_error(taken);
  auto progress = after_step(now);
  if (!progress || *progress == Progress::complete) return progress;
  return deliver_messages(now);
}

bool HandshakeDriver::on_plaintext_alert(const message::AlertMessage& alert, Instant now) {
  // A DTLS 1.3 server has keys from its ServerHello on, so it encrypts what it sends to a client
  // that has them. A client may have failed to derive them, and any peer of DTLS 1.2 may fail
  // before its ChangeCipherSpec. A client that has said nothing has nothing to end.
  const bool server_encrypts =
      context_.speaks13() && shared_.role == Role::client && shared_.records.has_read_key();
  if (!give_up_ || server_encrypts || shared_.records.peer_encrypts()) return false;
  if (!alert.ends_connection(context_.speaks13())) return true;
  return held_alert_.hold(alert.description, now);
}

void HandshakeDriver::refute_held_alert() {
  if (held_alert_.refute()) discard(shared_, Discard::unexpected_content);
}

Result<void> HandshakeDriver::on_timeout(Instant now) {
  if (shared_.records.peer_encrypts()) refute_held_alert();
  if (const auto alert = held_alert_.due(now); alert && !waits_for_caller()) {
    return fatal(*alert == Alert::close_notify ? Errc::closed_by_peer : Errc::alert_received,
                 *alert);
  }
  if (give_up_ && now >= *give_up_) {
    return tl::unexpected(Error{Errc::handshake_timeout, {}, 0, why_unfinished()});
  }
  flight::ReliableFlight& flight = context_.transport.flight;
  if (flight.is_due(now)) {
    shared_.counters.count_timeout();
    if (!shared_.records.peer_encrypts()) flight.forget_acknowledged();
    if (flight.on_timeout(now) == flight::ReliableFlight::Expiry::repeated) {
      shared_.counters.count_retransmission();
    }
  }
  acknowledgements_.on_timeout(now);
  return {};
}

std::optional<Instant> HandshakeDriver::next_timeout() const {
  return earliest({context_.transport.flight.deadline(), give_up_, acknowledgements_.deadline(),
                   waits_for_caller() ? std::nullopt : held_alert_.deadline()});
}

ErrorDetail HandshakeDriver::why_unfinished() const {
  const std::string_view unanswered = unanswered_detail(waiting_for());
  if (!unanswered.empty()) return unanswered;
  return timeout_detail({last_message_,
                         shared_.records.has_read_key() && !shared_.records.peer_encrypts(),
                         shared_.counters.statistics()});
}

// ---- messages

Result<HandshakeDriver::Progress> HandshakeDriver::deliver_messages(Instant now) {
  while (true) {
    if (ignores_plaintext() && reassembler_.holds(wire::kPlaintextEpoch)) {
      reassembler_.forget(wire::kPlaintextEpoch);
      discard(shared_, Discard::unexpected_content);
    }
    const auto message = reassembler_.front();
    if (!message) break;
    // What waits for the answer has arrived and is acknowledged (RFC 9147 section 7.1).
    if (machine_.awaits_answer() || waits_for_config(*message)) break;
    const wire::Epoch expected = machine_.expected_epoch();
    // An encrypted Finished may arrive before ChangeCipherSpec, but is not processed before it (RFC
    // 5246 section 7.1).
    if (expected == wire::kFirstEncryptedEpoch12 && message->epoch == expected &&
        !is_change_cipher_spec_seen_) {
      return Progress::running;
    }
    if (message->epoch != expected) {
      return fatal(Errc::unexpected_message, Alert::unexpected_message, "message of another epoch");
    }
    if (auto taken = machine_.on_message(*message, context_); !taken) return forward_error(taken);
    last_message_ = message->type;
    reassembler_.pop();
    refute_held_alert();
    auto progress = after_step(now);
    if (!progress || *progress == Progress::complete) return progress;
  }
  if (context_.speaks13()) {
    if (is_flight_answered13()) context_.transport.flight.stop();
    schedule_ack(now);
  }
  return Progress::running;
}

Result<HandshakeDriver::Progress> HandshakeDriver::after_step(Instant now) {
  if (auto judged = judge_chain(); !judged) return forward_error(judged);
  if (auto question = context_.take_question()) {
    shared_.outputs.add(question_.pose(std::move(*question)));
  }
  if (!machine_.complete()) {
    if (context_.transport.take_flight_begun()) begin_flight(now);
    return Progress::running;
  }
  // Finished is the last message of the handshake (RFC 5246 section 7.4.9) and of its keys (RFC
  // 8446 section 5.1).
  if (is_overtaken()) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message,
                 "handshake message after Finished");
  }
  // Fragments of plaintext messages are not authentic.
  reassembler_.forget(wire::kPlaintextEpoch);
  return Progress::complete;
}

Result<void> HandshakeDriver::judge_chain() {
  auto question = connection::judge_chain(gate_, context_, shared_.role);
  if (!question) return forward_error(question);
  if (*question) shared_.outputs.add(std::move(**question));
  return {};
}

WaitingFor HandshakeDriver::waiting_for() const {
  const WaitingFor asked = question_.waiting_for();
  if (asked != WaitingFor::nothing) return asked;
  return give_up_ ? WaitingFor::peer_message : WaitingFor::client_hello;
}

bool HandshakeDriver::is_overtaken() const {
  if (context_.speaks13()) return reassembler_.holds(wire::kHandshakeEpoch13);
  const auto next = reassembler_.front();
  return next && next->epoch != wire::kPlaintextEpoch &&
         next->type != renegotiation_request(shared_.role);
}

// ---- flights and ACKs

void HandshakeDriver::begin_flight(Instant now) {
  context_.transport.flight.begin(now);
  acknowledgements_.answered();
  answered_seq_ = reassembler_.next_seq();
}

// RFC 6347 section 4.2.4 calls this "read retransmit".
void HandshakeDriver::on_repetition(Instant now) {
  if (context_.speaks13() && is_flight_answered13()) return;
  flight::ReliableFlight& flight = context_.transport.flight;
  if (!flight.on_repetition(now)) return;
  shared_.counters.count_retransmission();
  // Both sides wait for each other: two retransmissions at once are one too many.
  flight.restart_timer(now);
}

bool HandshakeDriver::is_flight_answered13() const {
  return reassembler_.next_seq() > answered_seq_ || !reassembler_.empty();
}

void HandshakeDriver::schedule_ack(Instant now) {
  // RFC 9147 section 7.1: an ACK is sent immediately if there is a gap before the received data,
  // else after a quarter of the retransmission timeout.
  const Duration delay = context_.transport.flight.ack_delay();
  if (reassembler_.has_gap()) {
    acknowledgements_.send_early(now, delay);
  } else {
    acknowledgements_.send_later(now + delay);
  }
}

void HandshakeDriver::on_ack(const message::RecordNumbers& numbers, wire::Epoch epoch,
                             Instant now) {
  use_ack(numbers, epoch, now);
  if (context_.transport.flight.fully_acknowledged()) context_.transport.flight.stop();
}

bool HandshakeDriver::on_plaintext_ack(const message::RecordNumbers& numbers, Instant now) {
  const bool may_speak13 = context_.version
                               ? context_.speaks13()
                               : handshake::is_allowed(shared_.config, ProtocolVersion::dtls13);
  if (!may_speak13 || shared_.records.peer_encrypts()) return false;
  // A peer without keys has read no encrypted record. Forged numbers of one would count as
  // authentic once the peer encrypts.
  message::RecordNumbers plaintext = numbers;
  std::erase_if(plaintext, [](const message::RecordNumber& number) {
    return number.epoch != wire::kPlaintextEpoch;
  });
  if (plaintext.empty() && !numbers.empty()) return true;
  use_ack(plaintext, wire::kPlaintextEpoch, now);
  return true;
}

void HandshakeDriver::use_ack(const message::RecordNumbers& numbers, wire::Epoch epoch,
                              Instant now) {
  if (context_.transport.flight.on_ack(numbers, epoch, now)) {
    shared_.counters.count_retransmission();
  }
  // An empty ACK means that the peer received records that it cannot decrypt yet (RFC 9147 section
  // 7.1).
  if (numbers.empty()) on_repetition(now);
}

// ---- the end of the handshake

Result<std::unique_ptr<AwaitingAcceptance>> HandshakeDriver::finish(Instant now) {
  // The last flight of a DTLS 1.3 client is not acknowledged yet.
  if (context_.transport.take_flight_begun()) begin_flight(now);
  if (auto judged = gate_.on_end(); !judged) return forward_error(judged);
  auto established = establish(now);
  if (!established) return forward_error(established);
  if (give_up_) {
    shared_.counters.set_handshake_duration(now - (*give_up_ - shared_.config.timers.total));
  }
  // Future records remain if their keys and the Finished arrived in one datagram.
  shared_.outputs.keep_to_replay(future_records_.take());
  shared_.records.stop_reading_plaintext();
  return std::make_unique<AwaitingAcceptance>(
      AwaitingAcceptance{std::move(gate_), std::move(*established), std::move(unaccepted_data_),
                         std::move(context_.resumption12.events), give_up_.value_or(now)});
}

Result<Established> HandshakeDriver::establish(Instant now) {
  auto& identity = context_.peer.identity;
  identity.keep_hash(gate_.match());
  auto peer = AcceptedPeer::make(std::move(identity), shared_.library);
  if (!peer) return forward_error(peer);
  auto session = std::move(machine_).take_session();
  if (auto* session13 = std::get_if<handshake::Session13>(&session)) {
    auto post_handshake = std::make_unique<PostHandshake13>(
        shared_,
        EndOfHandshake13{std::move(reassembler_), std::move(acknowledgements_),
                         std::move(context_.transport.flight), context_.transport.next_seq(),
                         give_up_.value_or(now), std::move(context_.transport.old_read_secret)},
        context_.transport.connection_ids, now);
    if (shared_.role == Role::server) {
      const auto issued = post_handshake->issue_ticket(*session13, now);
      if (!issued) return forward_error(issued);
      // Each session has one ticket.
      session13->resumption.reset();
    }
    return Established13{std::move(*session13), {}, std::move(post_handshake), std::move(*peer)};
  }
  Established12 established{std::move(std::get<handshake::Session12>(session)), PostHandshake12(),
                            std::move(*peer), reassembler_.next_seq()};
  // The server sends the last flight; in an abbreviated handshake the client does (RFC 5246 section
  // 7.3).
  const Role last = established.session.negotiated.resumed ? Role::client : Role::server;
  if (shared_.role == last) {
    established.post_handshake.keep_last_flight(std::move(context_.transport.flight), now);
  }
  return established;
}

}  // namespace sluice::dtls::connection
