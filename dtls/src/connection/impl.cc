#include "connection/impl.h"

#include <algorithm>

#include "connection/earliest.h"
#include "crypto/library.h"

namespace sluice::dtls {
namespace {

// 576 bytes, which every IPv4 host takes, without IP and UDP headers: what a path that swallows
// larger datagrams is tried with (RFC 6347 section 4.1.1.1).
constexpr std::size_t kCautiousMtu = 548;
constexpr unsigned kExpiriesBeforeCaution = 2;

}  // namespace

Connection::Impl::Impl(ConfigPtr config, Environment& environment, Role role, PathId path)
    : config_(std::move(config)),
      library_(&environment.library()),
      number_(environment.next_connection()),
      records_(config_->options().record_padding, config_->options().replay_window),
      phase_(std::make_unique<Handshaking>(config_->options(), environment.library(), records_,
                                           environment.key_log())),
      role_(role),
      mtu_(static_cast<std::uint16_t>(config_->options().mtu)),
      path_(path) {
  handshaking()->context.hello_hook.connection = number_;
  if (PacketObserver* observer = environment.packet_observer()) {
    records_.observe(std::make_unique<record::Observation>(*observer, number_));
  }
}

Connection::Impl::~Impl() {
  if (in_use_ != nullptr) library_->warm_list().leave(*in_use_);
}

Result<void> Connection::Impl::start_client(const std::optional<ResumableSession>& session,
                                            Instant now) {
  set_time(now);
  Handshaking& phase = *handshaking();
  auto machine = handshake::Handshake::client(phase.context, session);
  if (!machine) return forward_error(machine);
  phase.machine = std::move(*machine);
  phase.give_up = now + config_->options().timers.total;
  if (phase.context.transport.take_flight_begun()) send_new_flight(phase, now);
  return {};
}

Connection::Impl::Handshaking* Connection::Impl::handshaking() {
  auto* phase = std::get_if<std::unique_ptr<Handshaking>>(&phase_);
  return phase != nullptr ? phase->get() : nullptr;
}
const Connection::Impl::Handshaking* Connection::Impl::handshaking() const {
  const auto* phase = std::get_if<std::unique_ptr<Handshaking>>(&phase_);
  return phase != nullptr ? phase->get() : nullptr;
}

connection::PeerGate* Connection::Impl::gate() {
  if (Handshaking* phase = handshaking()) return &phase->gate;
  auto* awaiting = std::get_if<std::unique_ptr<AwaitingAcceptance>>(&phase_);
  return awaiting != nullptr ? &(*awaiting)->gate : nullptr;
}

template <class Version>
Version* Connection::Impl::established_as() {
  if (auto* open = std::get_if<Version>(&phase_)) return open;
  auto* awaiting = std::get_if<std::unique_ptr<AwaitingAcceptance>>(&phase_);
  return awaiting != nullptr ? std::get_if<Version>(&(*awaiting)->established) : nullptr;
}
Connection::Impl::Established12* Connection::Impl::established12() {
  return established_as<Established12>();
}
Connection::Impl::Established13* Connection::Impl::established13() {
  return established_as<Established13>();
}

connection::PostHandshake13* Connection::Impl::messages_under_way() {
  Established13* complete = established13();
  return complete != nullptr ? complete->post_handshake.get() : nullptr;
}

std::optional<handshake::SessionView> Connection::Impl::session() const {
  if (const auto* open = std::get_if<Established12>(&phase_)) return &open->session;
  if (const auto* open = std::get_if<Established13>(&phase_)) return &open->session;
  return std::nullopt;
}

// ---- inputs

const Connection::Impl::Ended* Connection::Impl::begin_input(Instant now) {
  set_time(now);
  if (in_use_ != nullptr) in_use_->data.clear();
  if (outputs_ != nullptr) {
    outputs_->delivered_unaccepted.clear();
    outputs_->replayed.clear();
  }
  return std::get_if<Ended>(&phase_);
}

void Connection::Impl::end(Ended ended) {
  if (in_use_ != nullptr) library_->warm_list().leave(*in_use_);
  phase_ = std::move(ended);
}

void Connection::Impl::set_time(Instant now) {
  if (auto* observation = records_.observation()) observation->set_time(now);
  if (Handshaking* phase = handshaking()) phase->context.now = now;
}

Result<Pending> Connection::Impl::after_end(const Ended& ended) const {
  if (ended.error) return tl::unexpected(*ended.error);
  return Pending{.transmit = has_alert(), .event = has_event()};
}

Result<Pending> Connection::Impl::end_input(const Result<void>& outcome, bool record_opened) {
  if (!outcome) {
    const Error& error = outcome.error();
    if (error.alert && error.code != Errc::alert_received) {
      queue_alert(message::AlertLevel::fatal, *error.alert);
    }
    // Nothing of a connection that failed may be taken for delivered.
    if (in_use_ != nullptr) in_use_->data.clear();
    if (outputs_ != nullptr) {
      outputs_->events.clear();
      outputs_->delivered_unaccepted.clear();
    }
    end({std::make_unique<const Error>(error)});
    return tl::unexpected(error);
  }
  forget_what_is_done();
  const Instant timeout = next_timeout().value_or(kNoTimeout);
  return Pending{.transmit = has_alert() || unsent_flight() != nullptr || ack_is_due(),
                 .data = in_use_ != nullptr && !in_use_->data.empty(),
                 .event = has_event(),
                 .timer = std::exchange(reported_timeout_, timeout) != timeout,
                 .record_opened = record_opened};
}

Result<Pending> Connection::Impl::handle_datagram(MutableBytes datagram, PathId path, Instant now) {
  ++counters_.datagrams_received;
  const Ended* ended = begin_input(now);
  observe_datagram(Direction::received, path, datagram);
  if (ended != nullptr) {
    discard(Discard::after_close);
    return after_end(*ended);
  }
  connection::Input input{path, now};
  auto outcome = handle_records(datagram, input);
  if (outcome && (outputs_ != nullptr || !is_open())) outcome = replay_future_records(input);
  if (outcome && key_update_is_due()) outcome = update_due_keys(now);
  return end_input(outcome, input.record_opened);
}

// Those that came before their keys.
Result<void> Connection::Impl::replay_future_records(connection::Input& input) {
  if (Handshaking* phase = handshaking(); phase != nullptr && records_.has_read_key()) {
    if (Buffer early = phase->future_records.take(); !early.empty()) {
      outputs().replayed.push_back(std::move(early));
    }
  }
  Result<void> outcome;
  // What is replayed may complete the handshake, which adds to it what had to wait till then.
  for (std::size_t i = 0; outcome && outputs_ != nullptr && i < outputs_->replayed.size(); ++i) {
    outcome = handle_records(outputs_->replayed[i], input);
  }
  return outcome;
}

Result<void> Connection::Impl::handle_records(MutableBytes datagram, connection::Input& input) {
  Result<void> outcome;
  while (outcome && !datagram.empty() && !std::holds_alternative<Ended>(phase_)) {
    auto taken = records_.take(datagram);
    if (std::holds_alternative<record::NeedsCiphers>(taken) && warm_up()) {
      taken = records_.take(datagram);
    }
    if (const auto* record = std::get_if<record::Record>(&taken)) {
      ++counters_.records_received;
      const bool is_protected = record->epoch != wire::kPlaintextEpoch;
      input.record_opened = input.record_opened || is_protected;
      outcome = on_record(*record, input);
      if (is_protected) stay_warm();
    } else if (const auto* future = std::get_if<record::FutureRecord>(&taken)) {
      on_future_record(*future);
    } else if (const auto* reason = std::get_if<Discard>(&taken)) {
      discard(*reason);
      if (records_.forgeries_exceeded()) {
        outcome = handshake::fatal(Errc::integrity_limit_reached, Alert::bad_record_mac);
      }
    } else {
      // Anybody may have sent it: that libcrypto fails is no reason to end.
      discard(Discard::authentication_failed);
      break;
    }
  }
  return outcome;
}

Result<Pending> Connection::Impl::handle_timeout(Instant now) {
  if (const Ended* ended = begin_input(now)) return after_end(*ended);
  if (Handshaking* phase = handshaking()) {
    if (phase->give_up && now >= *phase->give_up) {
      return end_input(tl::unexpected(Error{Errc::handshake_timeout}));
    }
    if (phase->timer.deadline() && now >= *phase->timer.deadline()) {
      ++counters_.timeouts;
      phase->timer.back_off(now);
      if (!records_.peer_encrypts()) phase->context.transport.flight.forget_acknowledged();
      send_flight_again(*phase, now);
    }
    phase->acknowledgements.on_timeout(now);
  } else if (Established12* complete12 = established12()) {
    auto& last_flight = complete12->last_flight;
    if (last_flight && now >= last_flight->expires) last_flight.reset();
  } else if (auto* messages = messages_under_way()) {
    if (auto outcome = messages->on_timeout(now); !outcome) return end_input(outcome);
    counters_.flights_retransmitted += messages->take_retransmissions();
  }
  return end_input(key_update_is_due() ? update_due_keys(now) : Result<void>());
}

bool Connection::Impl::key_update_is_due() const {
  const auto* open = std::get_if<Established13>(&phase_);
  return open != nullptr && records_.should_update_keys() &&
         (open->post_handshake == nullptr || !open->post_handshake->key_update_under_way());
}

Result<void> Connection::Impl::update_due_keys(Instant now) {
  return post_handshake(*established13()).update_keys(KeyUpdateRequest::update_not_requested, now);
}

Result<Pending> Connection::Impl::update_keys(KeyUpdateRequest request, Instant now) {
  if (const Ended* ended = begin_input(now)) return after_end(*ended);
  if (!is_open()) return tl::unexpected(Error{Errc::not_connected});
  Established13* complete = established13();
  if (complete == nullptr) return tl::unexpected(Error{Errc::invalid_argument});
  return end_input(post_handshake(*complete).update_keys(request, now));
}

Result<Pending> Connection::Impl::close(Instant now) {
  if (const Ended* ended = begin_input(now)) return after_end(*ended);
  queue_alert(message::AlertLevel::warning, Alert::close_notify);
  end({});
  return end_input({});
}

void Connection::Impl::set_path_mtu(std::size_t mtu) {
  mtu_ = static_cast<std::uint16_t>(std::clamp(mtu, kMinimumMtu, kMaxDatagram));
}

void Connection::Impl::set_path_rtt(Duration rtt) {
  Handshaking* phase = handshaking();
  if (phase == nullptr) return;
  phase->is_rtt_given = true;
  phase->timer.set_rtt(rtt);
  // Else a client's first flight could never have it: that begins with the connection.
  if (!phase->context.transport.flight.has_left()) phase->timer.take_initial();
}

// ---- steps of the handshake

void Connection::Impl::send_new_flight(Handshaking& phase, Instant now) {
  phase.timer.start(now);
  phase.acknowledgements.answered();
  phase.answered_seq = phase.reassembler.next_seq();
  phase.flight_sent = now;
  phase.flight_sent_once = true;
  phase.no_ack_answer_until = Instant::min();
}

void Connection::Impl::send_flight_again(Handshaking& phase, Instant now) {
  if (phase.context.transport.is_flight_held()) return;
  ++counters_.flights_retransmitted;
  phase.context.transport.flight.rewind();
  phase.flight_sent = now;
  phase.flight_sent_once = false;
  phase.no_ack_answer_until = now + phase.timer.ack_answer_pause();
}

void Connection::Impl::answer_stale(Handshaking& phase, Instant now) {
  // The peer repeats what we have, so it lacks our answer (RFC 6347 section 4.2.4: "read
  // retransmit"). Its repetition may have crossed our flight, or be many datagrams: once in half a
  // timeout will do.
  if (phase.context.transport.is_flight_held() || phase.context.transport.flight.empty() ||
      now - phase.flight_sent < phase.timer.initial() / 2)
    return;
  if (phase.context.speaks13() && is_answered13(phase)) return;
  send_flight_again(phase, now);
  phase.timer.restart(now);
}

Result<void> Connection::Impl::complete(Handshaking& phase, Instant now) {
  // A DTLS 1.3 client ends with a flight that has yet to be acknowledged.
  if (phase.context.transport.take_flight_begun()) send_new_flight(phase, now);
  if (auto judged = judge_without_certificate(phase); !judged) return judged;
  auto established = establish(phase, now);
  if (!established) return forward_error(established);
  // Early records may still wait here if keys and Finished came in one datagram, or came back while
  // they were replayed: what is being replayed stays where it is.
  if (Buffer early = phase.future_records.take(); !early.empty()) {
    outputs().replayed.push_back(std::move(early));
  }
  records_.stop_reading_plaintext();
  phase_ = std::make_unique<AwaitingAcceptance>(AwaitingAcceptance{
      std::move(phase.gate), std::move(*established), std::move(phase.unaccepted_data),
      std::move(phase.context.resumption12.events)});
  open_if_accepted();
  return {};
}

Result<connection::Established> Connection::Impl::establish(Handshaking& phase, Instant now) {
  auto session = std::move(phase.machine).take_session();
  if (auto* session13 = std::get_if<handshake::Session13>(&session)) {
    auto post_handshake = std::make_unique<connection::PostHandshake13>(phase, role_, now);
    if (role_ == Role::server) {
      const auto issued = post_handshake->issue_ticket(*session13, config_->options(), now);
      if (!issued) return forward_error(issued);
      // There is one ticket a session.
      session13->resumption.reset();
    }
    return Established13{std::move(*session13), {}, std::move(post_handshake)};
  }
  Established12 established{std::move(std::get<handshake::Session12>(session)), nullptr,
                            phase.reassembler.next_seq()};
  // Who has the last word: the server, but the client when a session was resumed (RFC 5246 section
  // 7.3).
  const Role last = established.session.negotiated.resumed ? Role::client : Role::server;
  if (role_ == last) {
    // The other's Finished may come again if ours was lost.
    established.last_flight = std::make_unique<connection::LastFlight>(
        connection::LastFlight{std::move(phase.context.transport.flight),
                               now + connection::LastFlight::kLifetime, phase.timer.initial() / 2});
  }
  return established;
}

// ---- outputs

SendResult Connection::Impl::seal(Bytes application_data, MutableBytes out) {
  if (!is_open()) return tl::unexpected(SendError::not_connected);
  const wire::Epoch epoch = records_.write_epoch();
  const record::RecordSize size_of_record = records_.size_of(epoch);
  if (application_data.size() > size_of_record.max_contents()) {
    return tl::unexpected(SendError::too_large);
  }
  if (!records_.takes_data()) return tl::unexpected(SendError::limit_reached);
  const std::size_t needed = size_of_record.padded(application_data.size(), mtu_);
  if (out.size() < needed) return tl::unexpected(SendError::buffer_too_small);
  if (!warm_up()) return tl::unexpected(SendError::libcrypto_failure);
  const auto size = records_.seal(epoch, wire::ContentType::application_data, application_data,
                                  out.first(needed));
  if (!size) return tl::unexpected(SendError::libcrypto_failure);
  stay_warm();
  ++counters_.records_sent;
  observe_datagram(Direction::sent, path_, out.first(*size));
  return *size;
}

std::size_t Connection::Impl::sealed_size(std::size_t application_data) const {
  if (!is_open()) return 0;
  return records_.size_of(records_.write_epoch()).padded(application_data, mtu_);
}

void Connection::Impl::queue_alert(message::AlertLevel level, Alert alert) {
  // Once it has ended there are no secrets to seal it with.
  if (!warm_up()) return;
  outputs().alert = QueuedAlert{{level, alert}, alert_epoch()};
}

wire::Epoch Connection::Impl::alert_epoch() {
  // A flight that is given up before it was sent leaves the peer without the keys that it leads to:
  // the alert takes its place.
  const flight::OutgoingFlight* flight = present_flight();
  const bool given_up = flight != nullptr && !flight->empty() && !flight->has_left();
  return given_up ? flight->first_epoch() : records_.write_epoch();
}

flight::OutgoingFlight* Connection::Impl::present_flight() {
  if (Handshaking* phase = handshaking()) return &phase->context.transport.flight;
  if (Established12* complete12 = established12()) {
    return complete12->last_flight ? &complete12->last_flight->flight : nullptr;
  }
  auto* messages = messages_under_way();
  return messages != nullptr ? &messages->flight() : nullptr;
}

flight::OutgoingFlight* Connection::Impl::unsent_flight() {
  if (const Handshaking* phase = handshaking();
      phase != nullptr && phase->context.transport.is_flight_held())
    return nullptr;
  flight::OutgoingFlight* flight = present_flight();
  return flight != nullptr && flight->has_more() ? flight : nullptr;
}

connection::Acknowledgements* Connection::Impl::acknowledgements() {
  if (Handshaking* phase = handshaking()) return &phase->acknowledgements;
  auto* messages = messages_under_way();
  return messages != nullptr ? &messages->acknowledgements() : nullptr;
}

bool Connection::Impl::ack_is_due() {
  const auto* acks = acknowledgements();
  return acks != nullptr && acks->is_due();
}

std::optional<std::size_t> Connection::Impl::write_ack(MutableBytes out) {
  const wire::Epoch epoch = records_.write_epoch();
  const std::size_t room = std::min(out.size(), flight_mtu());
  const record::RecordSize size_of_record = records_.size_of(epoch);
  const std::size_t limit = message::numbers_in_ack(
      std::min(room - std::min(room, size_of_record.overhead()), size_of_record.max_contents()));
  Buffer contents;
  wire::Writer writer(contents);
  message::put_ack(writer, acknowledgements()->take(limit));
  const auto size = records_.seal(epoch, wire::ContentType::ack, contents, out.first(room));
  if (size) ++counters_.records_sent;
  return size;
}

std::size_t Connection::Impl::flight_mtu() const {
  const Handshaking* phase = handshaking();
  const bool cautious = phase != nullptr && phase->timer.expiries() >= kExpiriesBeforeCaution;
  return cautious ? std::min<std::size_t>(mtu_, kCautiousMtu) : mtu_;
}

void Connection::Impl::observe_datagram(Direction direction, PathId path, Bytes datagram) const {
  const auto* observation = records_.observation();
  if (observation != nullptr) observation->datagram(direction, path, datagram);
}

std::optional<Transmit> Connection::Impl::poll_transmit(MutableBytes out) {
  const auto size = write_datagram(out);
  if (!size) {
    forget_what_is_done();
    return std::nullopt;
  }
  observe_datagram(Direction::sent, path_, out.first(*size));
  return Transmit{*size, path_};
}

std::optional<std::size_t> Connection::Impl::write_datagram(MutableBytes out) {
  const bool has_output = has_alert() || unsent_flight() != nullptr || ack_is_due();
  if (!has_output || !warm_up()) return std::nullopt;
  // A client whose Finished isn't acknowledged may not expect a message after the handshake yet
  // (RFC 9147 section 7, figure 12); a client's own ACK could not be read before its last flight.
  if (role_ == Role::server && handshaking() == nullptr && ack_is_due()) return write_ack(out);
  if (flight::OutgoingFlight* flight = unsent_flight()) {
    const auto written = flight->write_datagram(records_, out, flight_mtu());
    counters_.records_sent += written.records;
    return written.bytes != 0 ? std::optional(written.bytes) : std::nullopt;
  }
  if (ack_is_due()) return write_ack(out);
  auto& alert = outputs_->alert;
  const auto size = records_.seal(alert->epoch, wire::ContentType::alert, alert->message.encode(),
                                  out.first(std::min(out.size(), flight_mtu())));
  if (!size) return std::nullopt;
  alert.reset();
  ++counters_.records_sent;
  return size;
}

std::optional<MutableBytes> Connection::Impl::poll_data() {
  return in_use_ != nullptr ? in_use_->data.take() : std::nullopt;
}

std::optional<Event> Connection::Impl::poll_event() {
  if (!has_event()) return std::nullopt;
  auto& events = outputs_->events;
  Event event = std::move(events.front());
  events.erase(events.begin());
  forget_what_is_done();
  return event;
}

std::optional<Instant> Connection::Impl::next_timeout() const {
  if (const Handshaking* phase = handshaking()) {
    return connection::earliest(
        {phase->timer.deadline(), phase->give_up, phase->acknowledgements.deadline()});
  }
  if (key_update_is_due()) return Instant::min();
  auto* self = const_cast<Impl*>(this);
  if (const Established12* complete = self->established12()) {
    const auto& last_flight = complete->last_flight;
    return last_flight ? std::optional(last_flight->expires) : std::nullopt;
  }
  const auto* messages = self->messages_under_way();
  return messages != nullptr ? messages->next_timeout() : std::nullopt;
}

}  // namespace sluice::dtls
