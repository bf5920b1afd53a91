// What a connection asks its user, and what the answers lead to.
#include <algorithm>
#include <iterator>

#include "connection/impl.h"

namespace sluice::dtls {

Result<Pending> Connection::Impl::answer(QuestionId question, const Answer& answer, Instant now) {
  if (const Ended* ended = begin_input(now)) return after_end(*ended);
  if (question == connection::PeerGate::kQuestion && gate_.takes(answer)) {
    const auto outcome = gate_.answer(answer);
    if (outcome) open_if_accepted();
    return end_input(outcome);
  }
  Handshaking* phase = handshaking();
  if (phase != nullptr && phase->question.takes(question, answer)) {
    auto outcome = go_on_with(answer, *phase, now);
    if (outcome) outcome = replay_early_records(now);
    return end_input(outcome);
  }
  // The caller's mistake, not the connection's.
  return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "no such question"});
}

Result<void> Connection::Impl::go_on_with(const Answer& answer, Handshaking& phase, Instant now) {
  phase.question.close();
  auto taken = phase.machine.answer(answer, phase.context);
  if (!taken) return taken;
  const auto completed = after_step(phase, now);
  if (!completed) return tl::unexpected(completed.error());
  return deliver_messages(phase, now);
}

Result<Pending> Connection::Impl::set_peer_fingerprints(std::span<const Fingerprint> announced,
                                                        Instant now) {
  if (const Ended* ended = begin_input(now)) return after_end(*ended);
  const auto outcome = gate_.announce(announced, library());
  if (outcome) open_if_accepted();
  return end_input(outcome);
}

Result<void> Connection::Impl::judge_peer(Handshaking& phase) {
  if (phase.context.peer_chain.empty()) return {};
  auto question = gate_.on_chain(std::exchange(phase.context.peer_chain, {}), library());
  if (!question) return tl::unexpected(question.error());
  if (*question) events_.emplace_back(std::move(**question));
  return {};
}

void Connection::Impl::open_if_accepted() {
  auto* awaiting = std::get_if<AwaitingAcceptance>(&phase_);
  if (awaiting == nullptr || !gate_.accepted()) return;
  delivered_early_ = std::move(awaiting->early_data).take();
  auto session_events = std::move(awaiting->session_events);
  data_.assign(delivered_early_.begin(), delivered_early_.end());
  phase_ = Open{std::move(awaiting->established)};
  events_.emplace_back(Connected{handshake::info_of(*session(), role_)});
  std::ranges::move(session_events, std::back_inserter(events_));
  report_sessions();
}

void Connection::Impl::report_sessions() {
  Established13* complete = established13();
  if (complete == nullptr || !is_open()) return;
  for (Event& event : complete->post_handshake->take_session_events()) {
    events_.push_back(std::move(event));
  }
}

}  // namespace sluice::dtls
