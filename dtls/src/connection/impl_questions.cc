// Questions and answers, and who the peer is.
#include <algorithm>
#include <iterator>

#include "connection/impl.h"
#include "crypto/trust_anchors.h"
#include "negotiation/peer_certificate.h"

namespace sluice::dtls {

namespace {

handshake::SessionView view_of(const connection::Established& established) {
  return std::visit([](const auto& complete) { return handshake::SessionView(&complete.session); },
                    established);
}

}  // namespace

Result<Pending> Connection::Impl::answer(QuestionId question, const Answer& answer, Instant now) {
  if (const Ended* ended = begin_input(now)) return after_end(*ended);
  connection::PeerGate* at_gate = gate();
  if (at_gate != nullptr && at_gate->takes(question, answer)) {
    const auto outcome = at_gate->answer(question, answer);
    if (outcome) open_if_accepted();
    return end_input(outcome);
  }
  Handshaking* phase = handshaking();
  if (phase != nullptr && phase->question.takes(question, answer)) {
    auto outcome = go_on_with(answer, *phase, now);
    connection::Input input{path_, now};
    if (outcome) outcome = replay_future_records(input);
    return end_input(outcome, input.record_opened);
  }
  // The caller's mistake, not the connection's.
  return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "no such question"});
}

Result<void> Connection::Impl::go_on_with(const Answer& answer, Handshaking& phase, Instant now) {
  phase.question.close();
  auto taken = phase.machine.answer(answer, phase.context);
  if (!taken) return taken;
  const auto completed = after_step(phase, now);
  if (!completed) return forward_error(completed);
  if (*completed) return {};  // and `phase` is gone
  return deliver_messages(phase, now);
}

Result<Pending> Connection::Impl::set_peer_fingerprints(std::span<const Fingerprint> announced,
                                                        Instant now) {
  if (const Ended* ended = begin_input(now)) return after_end(*ended);
  connection::PeerGate* at_gate = gate();
  if (at_gate == nullptr) return end_input({});
  const auto outcome = at_gate->announce(announced, library());
  if (outcome) open_if_accepted();
  return end_input(outcome);
}

std::string Connection::Impl::name_to_verify() const {
  return role_ == Role::client ? handshake::expected_name(config_->options()) : std::string();
}

Result<void> Connection::Impl::verify_chain(std::span<const Buffer> chain) {
  const ConfigOptions& config = config_->options();
  const std::string name = name_to_verify();
  return config.trust_store->anchors().verify(
      library(), chain, {handshake::other(role_), name, handshake::certificate_schemes(config)});
}

Result<void> Connection::Impl::judge_peer(Handshaking& phase) {
  handshake::Context& context = phase.context;
  if (context.peer.chain.empty()) return {};
  const ConfigOptions& config = context.config;
  auto chain = std::exchange(context.peer.chain, {});
  if (handshake::verifies_chain(config)) {
    // That of a resumed session has been verified when the session began.
    if (!context.peer.identity.verified_name) {
      if (auto verified = verify_chain(chain); !verified) return verified;
      context.peer.identity.verified_name = name_to_verify();
    }
    if (!config.ask_about_verified_peer && !phase.gate.has_fingerprints()) {
      phase.gate.accept();
      return {};
    }
  }
  auto question = phase.gate.on_chain(std::move(chain), library());
  if (!question) return forward_error(question);
  if (*question) outputs().events.emplace_back(std::move(**question));
  return {};
}

Result<void> Connection::Impl::judge_without_certificate(Handshaking& phase) {
  const bool asks_for_none =
      role_ == Role::server && !handshake::asks_for_certificate(config_->options());
  if (asks_for_none || phase.context.peer.identity.is_by_psk()) {
    phase.gate.accept();
    return {};
  }
  return phase.gate.on_end();
}

void Connection::Impl::open_if_accepted() {
  auto* phase = std::get_if<std::unique_ptr<AwaitingAcceptance>>(&phase_);
  if (phase == nullptr || !(*phase)->gate.accepted()) return;
  AwaitingAcceptance& awaiting = **phase;
  auto& events = outputs().events;
  if (config_->options().ask_about_connection && !awaiting.gate.connection_accepted()) {
    if (awaiting.gate.asks_about_connection()) return;
    events.emplace_back(
        ConnectionToVerify{awaiting.gate.ask_about_connection(),
                           handshake::info_of(view_of(awaiting.established), role_)});
    return;
  }
  outputs().delivered_unaccepted = std::move(awaiting.unaccepted_data).take();
  for (Buffer& early : outputs().delivered_unaccepted) in_use().data.push(early);
  auto session_events = std::move(awaiting.session_events);
  auto established = std::move(awaiting.established);
  std::visit([&](auto& complete) { phase_ = std::move(complete); }, established);
  stay_warm();
  events.emplace_back(Connected{handshake::info_of(*session(), role_)});
  std::ranges::move(session_events, std::back_inserter(events));
  report_sessions();
}

void Connection::Impl::report_sessions() {
  auto* messages = messages_under_way();
  if (messages == nullptr || !is_open()) return;
  for (Event& event : messages->take_session_events()) {
    outputs().events.push_back(std::move(event));
  }
}

}  // namespace sluice::dtls
