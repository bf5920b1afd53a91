#include "connection/impl.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "connection/earliest.h"
#include "crypto/hmac.h"
#include "crypto/library.h"
#include "negotiation/config_question.h"
#include "negotiation/connection_ids.h"
#include "negotiation/fatal.h"
#include "negotiation/peer_certificate.h"
#include "negotiation/role_check.h"

namespace sluice::dtls {

Connection::Impl::Impl(ConfigPtr config, Environment& environment, Role role, PathId path,
                       Instant now, ConnectionIdSource* ids)
    : config_(environment.library().configs().use(std::move(config), ids)),
      number_(environment.next_connection()),
      warm_(config_.options().record_padding, config_.options().replay_window),
      role_(role),
      mtu_(static_cast<std::uint16_t>(config_.options().mtu)),
      path_(path),
      latest_(now) {
  if (PacketObserver* observer = environment.packet_observer()) {
    warm_.records().observe(std::make_unique<record::Observation>(*observer, number_));
  }
}

Connection::Impl::~Impl() {
  warm_.leave_list(library());
  crypto::forget_repeated_key(library());
}

void Connection::Impl::begin_handshake(KeyLog* key_log) {
  phase_ = std::make_unique<HandshakeDriver>(shared(), number_, key_log, config_.connection_ids());
}

Result<void> Connection::Impl::start_client(const std::optional<ResumableSession>& session,
                                            Instant now) {
  set_time(now);
  return connection::handshaking(phase_)->start_client(session, now);
}

// ---- inputs

bool Connection::Impl::begin_input(Instant now) {
  set_time(now);
  if (outputs_.is_late()) {
    outputs_.keep_late();
  } else {
    warm_.drop_data();
    outputs_.drop_delivered();
  }
  return ended();
}

void Connection::Impl::set_time(Instant now) {
  latest_ = std::max(latest_, now);
  if (auto* observation = warm_.records().observation()) observation->set_time(now);
  if (HandshakeDriver* running = connection::handshaking(phase_)) running->set_time(now);
}

Result<Pending> Connection::Impl::end_input(const Result<void>& outcome, const Input& input) {
  if (!outcome) {
    Error error = outcome.error();
    error.is_fatal = true;
    const bool is_peers_alert =
        error.code == Errc::alert_received || error.code == Errc::closed_by_peer;
    if (error.alert && !is_peers_alert) {
      queue_alert(message::AlertLevel::fatal, *error.alert);
    } else if (error.alert == Alert::close_notify) {
      // A close_notify is always answered with a close_notify (RFC 5246 section 7.2.1).
      queue_alert(message::AlertLevel::warning, Alert::close_notify);
    }
    // Data and events of a failed connection are dropped, because the caller must not rely on them.
    warm_.drop_data();
    outputs_.drop_reports();
    end(std::make_unique<const Error>(error));
    outputs_.report_timeout(kNoTimeout);
    return tl::unexpected(error);
  }
  release_unused();
  const bool opens_later = connection::opens_when_written(phase_, config_.options());
  const bool has_unaccepted = opens_later && !connection::unaccepted_data_of(phase_)->empty();
  return Pending{.transmit = connection::has_output(outputs_, warm_.records(), phase_, role_),
                 .data = warm_.has_data() || has_unaccepted,
                 .event = outputs_.has_event() || opens_later,
                 .timer = outputs_.report_timeout(next_timeout().value_or(kNoTimeout)),
                 .record_opened = input.record_opened,
                 // RFC 9147 section 4 wants the ID in the datagram, not in each of its records: the
                 // record layer has seen to that.
                 .newest_record = input.newest && !connection_ids().own().empty()};
}

void Connection::Impl::end(std::unique_ptr<const Error> error) {
  warm_.leave_list(library());
  crypto::forget_repeated_key(library());
  outputs_.drop_path_checks();
  std::unique_ptr<const ConnectionInfo> last_info;
  if (auto known = info()) last_info = std::make_unique<const ConnectionInfo>(*std::move(known));
  phase_ = Ended{std::move(error), std::move(last_info)};
}

void Connection::Impl::release_unused() {
  outputs_.release_if_empty();
  warm_.release_unused();
  if (auto* complete12 = connection::established12(phase_)) {
    complete12->post_handshake.release_unused();
  }
  connection::Established13* complete = connection::established13(phase_);
  if (complete == nullptr || complete->post_handshake == nullptr) return;
  if (const auto quiet = complete->post_handshake->quiet()) {
    complete->quiet = *quiet;
    complete->post_handshake.reset();
  }
}

Result<Pending> Connection::Impl::handle_datagram(MutableBytes datagram, PathId path, Instant now) {
  // A datagram often has several messages that use the same secret.
  const crypto::DeferredWipe wipe(library());
  counters_.count_received(datagram.size());
  const bool is_over = begin_input(now);
  observe_datagram(Direction::received, path, datagram);
  if (is_over) {
    connection::discard(shared(), Discard::after_close);
    return end_input({});
  }
  Input input{path, now};
  auto outcome = handle_records(datagram, input);
  const bool may_replay = !is_open() || outputs_.replayed() != 0;
  if (outcome && may_replay) outcome = replay_future_records(input);
  if (outcome && is_key_update_due()) outcome = update_due_keys(now);
  if (outcome) connection::PathChanges(shared(), phase_, path_).after_datagram(input);
  return end_input(outcome, input);
}

Result<Pending> Connection::Impl::handle_timeout(Instant now) {
  if (begin_input(now)) return end_input({});
  auto outcome = connection::on_timeout(phase_, now);
  connection::PathChanges(shared(), phase_, path_).on_timeout(now);
  if (outcome && is_key_update_due()) outcome = update_due_keys(now);
  return end_input(outcome);
}

Result<Pending> Connection::Impl::answer(QuestionId question, const Answer& answer, Instant now) {
  if (begin_input(now)) return end_input({});
  connection::PeerGate* gate = connection::gate_of(phase_);
  if (gate != nullptr && gate->takes(question, answer)) {
    const auto outcome = gate->answer(question, answer);
    if (outcome) open_if_accepted();
    return end_input(outcome);
  }
  HandshakeDriver* running = connection::handshaking(phase_);
  if (running != nullptr && running->takes(question, answer)) {
    Input input{path_, now};
    const auto* use = std::get_if<UseConfig>(&answer);
    if (use != nullptr) {
      const ConfigOptions& chosen = use->config->options();
      auto fits = handshake::check_role(chosen, library(), role_);
      if (fits) fits = handshake::check_chosen_config(config_.options(), chosen);
      if (fits) fits = handshake::check_source(chosen, config_.connection_ids());
      if (!fits) return forward_error(fits);
    }
    auto outcome = use != nullptr ? use_config(use->config, now)
                                  : after_step(running->answer(answer, now), now);
    if (outcome) outcome = replay_future_records(input);
    return end_input(outcome, input);
  }
  // This is an error of the caller; the connection continues.
  return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "no such question"});
}

Result<Pending> Connection::Impl::set_peer_fingerprints(std::span<const Fingerprint> announced,
                                                        Instant now) {
  if (begin_input(now)) return end_input({});
  const ConfigOptions& config = config_.options();
  // Where the caller is still to choose the Config, the end of the handshake decides.
  if (role_ == Role::server && !handshake::asks_for_certificate(config) && !config.ask_for_config) {
    return end_input(handshake::fatal(
        Errc::invalid_config, Alert::internal_error,
        "peer_authentication: none, where set_peer_fingerprints() needs a certificate"));
  }
  const auto outcome = connection::announce(phase_, announced, library());
  if (outcome) open_if_accepted();
  return end_input(outcome);
}

Result<Pending> Connection::Impl::update_keys(KeyUpdateRequest request, Instant now) {
  if (begin_input(now)) return end_input({});
  if (!is_open()) return tl::unexpected(Error{Errc::not_connected});
  connection::Established13* complete = connection::established13(phase_);
  if (complete == nullptr) return tl::unexpected(Error{Errc::invalid_argument});
  return end_input(post_handshake(*complete).update_keys(request, now));
}

Result<Pending> Connection::Impl::exchange_ids(std::optional<std::size_t> spares, Instant now) {
  if (begin_input(now)) return end_input({});
  if (!is_open()) return tl::unexpected(Error{Errc::not_connected});
  connection::Established13* complete = connection::established13(phase_);
  if (complete == nullptr) return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "DTLS 1.2"});
  connection::PostHandshake13& messages = post_handshake(*complete);
  const auto outcome = spares ? messages.request_ids(*spares, now) : messages.renew_id(now);
  // An error of the caller changes nothing.
  if (!outcome && outcome.error().code == Errc::invalid_argument) {
    release_unused();
    return forward_error(outcome);
  }
  return end_input(outcome);
}

Result<void> Connection::Impl::change_connection_id() {
  if (!is_open()) return tl::unexpected(Error{Errc::not_connected});
  record::ConnectionIds& ids = warm_.records().connection_ids();
  if (ids.spares() == 0) {
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "no spare connection ID"});
  }
  ids.use_spare();
  return {};
}

void Connection::Impl::set_path(PathId path) {
  connection::PathChanges(shared(), phase_, path_).set(path);
}

void Connection::Impl::set_path_mtu(std::size_t mtu) {
  const auto limited = static_cast<std::uint16_t>(std::clamp(mtu, kMinimumMtu, kMaxDatagram));
  if (std::exchange(mtu_, limited) != limited) connection::recut_flight(phase_);
}

void Connection::Impl::set_path_rtt(Duration rtt) { connection::set_path_rtt(phase_, rtt); }

Result<Pending> Connection::Impl::close(Instant now) {
  if (begin_input(now)) return end_input({});
  queue_alert(message::AlertLevel::warning, Alert::close_notify);
  end(nullptr);
  return end_input({});
}

// ---- the handshake and what follows it

Result<void> Connection::Impl::after_step(const Result<HandshakeDriver::Progress>& progress,
                                          Instant now) {
  if (!progress) return forward_error(progress);
  if (*progress == HandshakeDriver::Progress::running) return {};
  auto complete = connection::handshaking(phase_)->finish(now);
  if (!complete) return forward_error(complete);
  phase_ = std::move(*complete);
  open_if_accepted();
  return {};
}

Result<void> Connection::Impl::use_config(const ConfigPtr& config, Instant now) {
  // `waiting` refers to the previous Config, and so must go first.
  ConnectionIdSource* const ids = config_.connection_ids();
  const auto previous = std::exchange(config_, library().configs().use(config, ids));
  auto waiting = std::get<std::unique_ptr<HandshakeDriver>>(std::move(phase_));
  phase_ = std::make_unique<HandshakeDriver>(shared(), number_, nullptr, ids);
  HandshakeDriver& running = *connection::handshaking(phase_);
  return after_step(running.continue_from(std::move(*waiting), now), now);
}

void Connection::Impl::open_if_accepted() {
  auto* phase = std::get_if<std::unique_ptr<AwaitingAcceptance>>(&phase_);
  if (phase == nullptr || !(*phase)->gate.accepted()) return;
  AwaitingAcceptance& awaiting = **phase;
  if (config_.options().ask_about_connection && !awaiting.gate.connection_accepted()) {
    if (awaiting.gate.asks_about_connection()) return;
    outputs_.add(ConnectionToVerify{QuestionOf<PeerAnswer>(awaiting.gate.ask_about_connection()),
                                    *connection::info_of(phase_, role_, warm_.records())});
    return;
  }
  // Before that, the peer could not read what follows.
  if (!connection::epoch_of_unsent_flight(phase_)) open();
}

void Connection::Impl::open() {
  auto& phase = std::get<std::unique_ptr<AwaitingAcceptance>>(phase_);
  Buffer certificate = phase->gate.take_certificate();
  Connected connected{*connection::info_of(phase_, role_, warm_.records())};
  connected.info.peer.certificate = std::move(certificate);
  const auto awaiting = std::move(phase);
  std::visit(
      [&](auto& complete) {
        if (const auto* match = awaiting->gate.match()) complete.peer.keep(*match);
        phase_ = std::move(complete);
      },
      awaiting->established);
  auto& unaccepted = outputs_.keep_unaccepted(std::move(awaiting->unaccepted_data).take());
  for (Buffer& data : unaccepted) warm_.deliver(data);
  warm_.mark_used(shared(), phase_);
  outputs_.reserve_events(1 + awaiting->session_events.size());
  outputs_.add(std::move(connected));
  for (Event& event : awaiting->session_events) outputs_.add(std::move(event));
  report_sessions();
}

void Connection::Impl::report_sessions() {
  auto* messages = connection::messages_under_way(phase_);
  if (messages == nullptr || !is_open()) return;
  for (Event& event : messages->take_session_events()) outputs_.add(std::move(event));
}

connection::PostHandshake13& Connection::Impl::post_handshake(connection::Established13& complete) {
  if (complete.post_handshake == nullptr) {
    complete.post_handshake = std::make_unique<connection::PostHandshake13>(
        shared(), complete.quiet, config_.connection_ids());
  }
  return *complete.post_handshake;
}

bool Connection::Impl::is_key_update_due() const {
  const auto* open = std::get_if<connection::Established13>(&phase_);
  return open != nullptr && warm_.records().should_update_keys() &&
         (open->post_handshake == nullptr || !open->post_handshake->key_update_under_way());
}

bool Connection::Impl::is_due_now() const {
  const auto* messages = connection::messages_under_way(phase_);
  const bool is_unseen = outputs_.is_late() && (outputs_.has_event() || warm_.has_data());
  return is_key_update_due() || (messages != nullptr && messages->is_resume_due()) || is_unseen;
}

Result<void> Connection::Impl::update_due_keys(Instant now) {
  return post_handshake(*connection::established13(phase_))
      .update_keys(KeyUpdateRequest::update_not_requested, now);
}

// ---- outputs

SendResult Connection::Impl::seal(Bytes application_data, MutableBytes out) {
  if (!is_open()) return tl::unexpected(SendError::not_connected);
  if (auto* messages = connection::messages_under_way(phase_)) messages->on_data_sent();
  const wire::Epoch epoch = warm_.records().write_epoch();
  const record::RecordSize size_of_record = warm_.records().size_of(epoch);
  if (application_data.size() > size_of_record.max_contents()) {
    return tl::unexpected(SendError::too_large);
  }
  if (!warm_.records().takes_data()) {
    return tl::unexpected(warm_.records().waits_for_snapshot() ? SendError::snapshot_needed
                                                               : SendError::limit_reached);
  }
  const std::size_t needed = size_of_record.padded(application_data.size(), path_mtu());
  if (out.size() < needed) return tl::unexpected(SendError::buffer_too_small);
  if (!warm_.warm_up(shared(), phase_)) return tl::unexpected(SendError::libcrypto_failure);
  const auto size = warm_.records().seal(epoch, wire::ContentType::application_data,
                                         application_data, out.first(needed));
  if (!size) return tl::unexpected(SendError::libcrypto_failure);
  warm_.mark_used(shared(), phase_);
  counters_.count_records_sent(1);
  counters_.count_sent(*size);
  observe_datagram(Direction::sent, path_, out.first(*size));
  return Sealed(*size, is_due_now() && outputs_.report_timeout(latest_));
}

std::size_t Connection::Impl::sealed_size(std::size_t application_data) const {
  if (!is_open()) return 0;
  return warm_.records()
      .size_of(warm_.records().write_epoch())
      .padded(application_data, path_mtu());
}

void Connection::Impl::queue_alert(message::AlertLevel level, Alert alert) {
  // After the end of the connection there are no secrets to seal an alert with.
  if (!warm_.warm_up(shared(), phase_)) return;
  // If a flight was given up before it was sent, the alert uses the epoch of that flight, because
  // the peer lacks the keys that the flight establishes.
  const wire::Epoch epoch =
      connection::epoch_of_unsent_flight(phase_).value_or(warm_.records().write_epoch());
  outputs_.queue({{level, alert}, epoch});
}

void Connection::Impl::observe_datagram(Direction direction, PathId path, Bytes datagram) const {
  const auto* observation = warm_.records().observation();
  if (observation != nullptr) observation->datagram(direction, path, datagram);
}

std::optional<Transmit> Connection::Impl::poll_transmit(MutableBytes out) {
  const bool opens = connection::opens_when_written(phase_, config_.options());
  std::optional<Transmit> sent;
  const bool has_output = connection::has_output(outputs_, warm_.records(), phase_, role_);
  if (has_output && warm_.warm_up(shared(), phase_)) {
    const HandshakeDriver* running = connection::handshaking(phase_);
    const std::size_t mtu = running != nullptr ? running->flight().mtu(path_mtu()) : path_mtu();
    const auto sendable = connection::sendable(phase_, role_);
    sent = connection::write_datagram(shared(), sendable, {path_, mtu}, out);
  }
  if (sent) {
    counters_.count_sent(sent->size);
    observe_datagram(Direction::sent, sent->path, out.first(sent->size));
    if (opens && !connection::opens_when_written(phase_, config_.options())) {
      open();
      outputs_.mark_late();
    }
  } else {
    release_unused();
  }
  return sent;
}

std::optional<Event> Connection::Impl::poll_event() {
  auto event = outputs_.take_event();
  if (event) release_unused();
  return event;
}

std::optional<Instant> Connection::Impl::next_timeout() const {
  if (is_due_now()) return latest_;
  auto next = connection::next_timeout(phase_);
  if (const auto* checks = outputs_.path_checks()) {
    next = connection::earliest({next, checks->next_timeout()});
  }
  return next ? std::optional(std::max(*next, latest_)) : std::nullopt;
}

// ---- state

std::optional<Error> Connection::Impl::error() const {
  const auto* ended = std::get_if<Ended>(&phase_);
  return ended != nullptr && ended->error ? std::optional(*ended->error) : std::nullopt;
}

std::optional<ConnectionInfo> Connection::Impl::info() const {
  const auto* ended = std::get_if<Ended>(&phase_);
  if (ended != nullptr) return ended->info ? std::optional(*ended->info) : std::nullopt;
  return is_open() ? connection::info_of(phase_, role_, warm_.records()) : std::nullopt;
}

}  // namespace sluice::dtls
