// The phases of a connection, each with the state that is valid in this phase only.
#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "connection/established.h"
#include "connection/handshake_driver.h"

namespace sluice::dtls::connection {

struct Ended {
  std::unique_ptr<const Error> error;          // null: either side closed the connection
  std::unique_ptr<const ConnectionInfo> info;  // null: it was never open
};

// The Established alternatives are the open phases. No other alternative is larger, because most
// connections are open most of the time.
using Phase = std::variant<std::unique_ptr<HandshakeDriver>, std::unique_ptr<AwaitingAcceptance>,
                           Established12, Established13, Ended>;

// ---- the state of a phase; null or empty if the phase has none

// The running handshake.
[[nodiscard]] HandshakeDriver* handshaking(const Phase& phase);
// The complete handshake, whether or not the peer is accepted.
[[nodiscard]] Established12* established12(Phase& phase);
[[nodiscard]] Established13* established13(Phase& phase);
[[nodiscard]] std::optional<handshake::SessionView> complete_session(const Phase& phase);
// The messages in progress after a DTLS 1.3 handshake.
[[nodiscard]] PostHandshake13* messages_under_way(const Phase& phase);
// Exists until the peer is accepted.
[[nodiscard]] PeerGate* gate_of(const Phase& phase);
// The peer of a complete handshake.
[[nodiscard]] const AcceptedPeer* peer_of(const Phase& phase);
[[nodiscard]] UnacceptedData* unaccepted_data_of(const Phase& phase);

// Whether the handshake is complete and the peer is accepted.
[[nodiscard]] inline bool is_open(const Phase& phase) {
  return std::holds_alternative<Established12>(phase) ||
         std::holds_alternative<Established13>(phase);
}
[[nodiscard]] std::optional<handshake::SessionView> open_session(const Phase& phase);
[[nodiscard]] bool speaks13(const Phase& phase);
// The result of a complete handshake. Before the peer is accepted it contains the certificate.
[[nodiscard]] std::optional<ConnectionInfo> info_of(const Phase& phase, Role role,
                                                    const record::RecordLayer& records);
[[nodiscard]] WaitingFor waiting_for(const Phase& phase);

// Checks the peer's certificate by fingerprints, or has it checked when it arrives. Errors:
// peer_rejected.
Result<void> announce(const Phase& phase, std::span<const Fingerprint> fingerprints,
                      crypto::Library& library);

// ---- timers and output

[[nodiscard]] std::optional<Instant> next_timeout(const Phase& phase);
Result<void> on_timeout(Phase& phase, Instant now);
// Sets the RTT of the path, measured by the caller.
void set_path_rtt(Phase& phase, Duration rtt);
// The path's MTU has changed.
void recut_flight(Phase& phase);

// The data to be written next.
struct Sendable {
  flight::ReliableFlight* flight = nullptr;
  Acknowledgements* acknowledgements = nullptr;
  bool is_ack_first = false;

  [[nodiscard]] bool empty() const { return flight == nullptr && acknowledgements == nullptr; }
};
[[nodiscard]] Sendable sendable(const Phase& phase, Role role);
// The peer is accepted, and the connection opens when the last flight of the handshake has been
// written: the peer could not read earlier what the connection sends.
[[nodiscard]] bool opens_when_written(const Phase& phase, const ConfigOptions& config);
// The epoch of a flight that has not been written completely; the peer may lack the keys of later
// epochs.
[[nodiscard]] std::optional<wire::Epoch> epoch_of_unsent_flight(const Phase& phase);

}  // namespace sluice::dtls::connection
