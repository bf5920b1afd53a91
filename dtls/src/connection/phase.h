// The phases of a connection, each with what is valid in it alone.
#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "connection/established.h"
#include "connection/handshake_driver.h"

namespace sluice::dtls::connection {

struct Ended {
  std::unique_ptr<const Error> error;  // null: closed in order, by either side
};

// Those that are Established are open. None is larger, as most connections are for most of the
// time.
using Phase = std::variant<std::unique_ptr<HandshakeDriver>, std::unique_ptr<AwaitingAcceptance>,
                           Established12, Established13, Ended>;

// ---- what a phase has; null or empty where it has none

// While the handshake runs.
[[nodiscard]] HandshakeDriver* handshaking(const Phase& phase);
// Once it is complete, with the peer accepted or not.
[[nodiscard]] Established12* established12(Phase& phase);
[[nodiscard]] Established13* established13(Phase& phase);
[[nodiscard]] std::optional<handshake::SessionView> complete_session(const Phase& phase);
// While messages follow a DTLS 1.3 handshake.
[[nodiscard]] PostHandshake13* messages_under_way(const Phase& phase);
// Until the peer is accepted.
[[nodiscard]] PeerGate* gate_of(const Phase& phase);
[[nodiscard]] UnacceptedData* unaccepted_data_of(const Phase& phase);

// The handshake is complete, and the peer accepted.
[[nodiscard]] inline bool is_open(const Phase& phase) {
  return std::holds_alternative<Established12>(phase) ||
         std::holds_alternative<Established13>(phase);
}
[[nodiscard]] std::optional<handshake::SessionView> open_session(const Phase& phase);
[[nodiscard]] bool speaks13(const Phase& phase);

// ---- what it has to do, and to send

[[nodiscard]] std::optional<Instant> next_timeout(const Phase& phase);
Result<void> on_timeout(Phase& phase, Instant now);

// What waits to be written.
struct Sendable {
  flight::ReliableFlight* flight = nullptr;
  Acknowledgements* acknowledgements = nullptr;
  bool is_ack_first = false;

  [[nodiscard]] bool empty() const { return flight == nullptr && acknowledgements == nullptr; }
};
[[nodiscard]] Sendable sendable(const Phase& phase, Role role);
// The epoch of a flight of which not all has been written: the peer may lack later keys.
[[nodiscard]] std::optional<wire::Epoch> epoch_of_unsent_flight(const Phase& phase);

}  // namespace sluice::dtls::connection
