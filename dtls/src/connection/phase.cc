#include "connection/phase.h"

#include "connection/earliest.h"
#include "connection/waiting.h"
#include "negotiation/fatal.h"

namespace sluice::dtls::connection {
namespace {

AwaitingAcceptance* awaiting_acceptance(const Phase& phase) {
  const auto* awaiting = std::get_if<std::unique_ptr<AwaitingAcceptance>>(&phase);
  return awaiting != nullptr ? awaiting->get() : nullptr;
}

// The complete handshake, if it is of this version.
template <class Version>
const Version* established_as(const Phase& phase) {
  if (const auto* open = std::get_if<Version>(&phase)) return open;
  const AwaitingAcceptance* awaiting = awaiting_acceptance(phase);
  return awaiting != nullptr ? std::get_if<Version>(&awaiting->established) : nullptr;
}

// The flight of the running handshake, or the last flight in DTLS 1.2.
flight::ReliableFlight* handshake_flight(const Phase& phase) {
  if (HandshakeDriver* running = handshaking(phase)) return &running->flight();
  const auto* complete = established_as<Established12>(phase);
  return complete != nullptr ? complete->post_handshake.last_flight() : nullptr;
}

}  // namespace

HandshakeDriver* handshaking(const Phase& phase) {
  const auto* running = std::get_if<std::unique_ptr<HandshakeDriver>>(&phase);
  return running != nullptr ? running->get() : nullptr;
}

Established12* established12(Phase& phase) {
  return const_cast<Established12*>(established_as<Established12>(phase));
}
Established13* established13(Phase& phase) {
  return const_cast<Established13*>(established_as<Established13>(phase));
}

std::optional<handshake::SessionView> complete_session(const Phase& phase) {
  if (const auto* complete = established_as<Established12>(phase)) return &complete->session;
  if (const auto* complete = established_as<Established13>(phase)) return &complete->session;
  return std::nullopt;
}

std::optional<handshake::SessionView> open_session(const Phase& phase) {
  return is_open(phase) ? complete_session(phase) : std::nullopt;
}

PostHandshake13* messages_under_way(const Phase& phase) {
  const auto* complete = established_as<Established13>(phase);
  return complete != nullptr ? complete->post_handshake.get() : nullptr;
}

PeerGate* gate_of(const Phase& phase) {
  if (HandshakeDriver* running = handshaking(phase)) return &running->gate();
  AwaitingAcceptance* awaiting = awaiting_acceptance(phase);
  return awaiting != nullptr ? &awaiting->gate : nullptr;
}

UnacceptedData* unaccepted_data_of(const Phase& phase) {
  if (HandshakeDriver* running = handshaking(phase)) return &running->unaccepted_data();
  AwaitingAcceptance* awaiting = awaiting_acceptance(phase);
  return awaiting != nullptr ? &awaiting->unaccepted_data : nullptr;
}

bool speaks13(const Phase& phase) {
  if (const HandshakeDriver* running = handshaking(phase)) return running->speaks13();
  return established_as<Established13>(phase) != nullptr;
}

const AcceptedPeer* peer_of(const Phase& phase) {
  if (const auto* complete = established_as<Established12>(phase)) return &complete->peer;
  const auto* complete = established_as<Established13>(phase);
  return complete != nullptr ? &complete->peer : nullptr;
}

std::optional<ConnectionInfo> info_of(const Phase& phase, Role role,
                                      const record::RecordLayer& records) {
  const auto session = complete_session(phase);
  if (!session) return std::nullopt;
  ConnectionInfo info = handshake::info_of(*session, role);
  info.max_application_data = records.size_of(records.write_epoch()).max_contents();
  info.own_connection_id = ConnectionId(records.connection_ids().own());
  info.peer_connection_id = ConnectionId(records.connection_ids().peers());
  if (const AcceptedPeer* peer = peer_of(phase)) info.peer = peer->info();
  if (const PeerGate* gate = gate_of(phase)) {
    const Bytes certificate = gate->certificate();
    info.peer.certificate.assign(certificate.begin(), certificate.end());
  }
  return info;
}

WaitingFor waiting_for(const Phase& phase) {
  if (const HandshakeDriver* running = handshaking(phase)) return running->waiting_for();
  const AwaitingAcceptance* awaiting = awaiting_acceptance(phase);
  // Accepted: the last flight is to be polled, and nobody is waited for.
  const bool is_asked = awaiting != nullptr && awaiting->gate.asks_about_connection();
  if (awaiting == nullptr || (awaiting->gate.accepted() && !is_asked)) return WaitingFor::nothing;
  return is_asked ? WaitingFor::connection_acceptance : WaitingFor::peer_acceptance;
}

Result<void> announce(const Phase& phase, std::span<const Fingerprint> fingerprints,
                      crypto::Library& library) {
  if (PeerGate* gate = gate_of(phase)) return gate->announce(fingerprints, library);
  const AcceptedPeer* peer = peer_of(phase);
  if (peer != nullptr && peer->matches(fingerprints)) return {};
  return handshake::fatal(Errc::peer_rejected, Alert::bad_certificate,
                          "announced after Connected: no fingerprint of the peer's certificate");
}

namespace {

std::optional<Instant> post_handshake_timeout(const Phase& phase) {
  if (const auto* complete = established_as<Established12>(phase)) {
    return complete->post_handshake.next_timeout();
  }
  const PostHandshake13* messages = messages_under_way(phase);
  return messages != nullptr ? messages->next_timeout() : std::nullopt;
}

// The caller has not accepted the peer in time, which the peer learns by an alert.
Result<void> check_acceptance(const Phase& phase, Instant now) {
  const AwaitingAcceptance* awaiting = awaiting_acceptance(phase);
  if (awaiting == nullptr || now < awaiting->give_up) return {};
  const WaitingFor what = waiting_for(phase);
  if (what == WaitingFor::nothing) {
    return handshake::fatal(Errc::handshake_timeout, Alert::internal_error,
                            "the last flight of the handshake was not polled");
  }
  const Alert alert =
      what == WaitingFor::peer_acceptance ? Alert::certificate_unknown : Alert::access_denied;
  return handshake::fatal(Errc::handshake_timeout, alert, unanswered_detail(what));
}

}  // namespace

std::optional<Instant> next_timeout(const Phase& phase) {
  if (const HandshakeDriver* running = handshaking(phase)) return running->next_timeout();
  const AwaitingAcceptance* awaiting = awaiting_acceptance(phase);
  const auto give_up = awaiting != nullptr ? std::optional(awaiting->give_up) : std::nullopt;
  return earliest({give_up, post_handshake_timeout(phase)});
}

Result<void> on_timeout(Phase& phase, Instant now) {
  if (HandshakeDriver* running = handshaking(phase)) return running->on_timeout(now);
  if (auto accepted = check_acceptance(phase, now); !accepted) return accepted;
  if (Established12* complete = established12(phase)) complete->post_handshake.on_timeout(now);
  PostHandshake13* messages = messages_under_way(phase);
  if (messages == nullptr) return {};
  return messages->on_timeout(established13(phase)->session, now);
}

void recut_flight(Phase& phase) {
  if (flight::ReliableFlight* flight = handshake_flight(phase)) flight->recut();
}

void set_path_rtt(Phase& phase, Duration rtt) {
  if (HandshakeDriver* running = handshaking(phase)) return running->set_path_rtt(rtt);
  if (Established12* complete = established12(phase)) complete->post_handshake.set_rtt(rtt);
  Established13* complete = established13(phase);
  if (complete == nullptr) return;
  complete->quiet.set_initial_timeout(flight::RetransmissionTimer::first_timeout(rtt));
  if (complete->post_handshake != nullptr) complete->post_handshake->set_rtt(rtt);
}

Sendable sendable(const Phase& phase, Role role) {
  Sendable all;
  if (PostHandshake13* messages = messages_under_way(phase)) {
    // A client must send its last flight before an ACK: the server cannot read the ACK earlier. A
    // server sends the ACK first, because a client whose Finished is not acknowledged may not
    // expect a post-handshake message yet (RFC 9147 section 7, figure 12).
    all = {messages->flight_to_write(), &messages->acknowledgements(), role == Role::server};
  } else {
    all.flight = handshake_flight(phase);
    HandshakeDriver* running = handshaking(phase);
    if (running != nullptr) all.acknowledgements = &running->acknowledgements();
  }
  if (all.flight != nullptr && !all.flight->has_more()) all.flight = nullptr;
  if (all.acknowledgements != nullptr && !all.acknowledgements->is_due()) {
    all.acknowledgements = nullptr;
  }
  return all;
}

bool opens_when_written(const Phase& phase, const ConfigOptions& config) {
  const AwaitingAcceptance* awaiting = awaiting_acceptance(phase);
  return awaiting != nullptr && awaiting->gate.accepted() &&
         (!config.ask_about_connection || awaiting->gate.connection_accepted()) &&
         epoch_of_unsent_flight(phase).has_value();
}

std::optional<wire::Epoch> epoch_of_unsent_flight(const Phase& phase) {
  const PostHandshake13* messages = messages_under_way(phase);
  const flight::ReliableFlight* flight =
      messages != nullptr ? messages->unsent_flight() : handshake_flight(phase);
  const bool is_unsent = flight != nullptr && !flight->empty() && !flight->has_left();
  return is_unsent ? std::optional(flight->first_epoch()) : std::nullopt;
}

}  // namespace sluice::dtls::connection
