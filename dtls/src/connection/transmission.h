// Writes the queued output of a connection, one datagram at a time, each with its path.
#pragma once

#include <optional>

#include <sluice/dtls/connection.h>

#include "connection/phase.h"
#include "connection/shared.h"

namespace sluice::dtls::connection {

// Output without a path of its own uses `path`, in datagrams of at most `mtu` bytes.
struct Route {
  PathId path;
  std::size_t mtu;
};

// Whether there is a datagram to be written.
[[nodiscard]] bool has_output(const Outputs& outputs, const record::RecordLayer& records,
                              const Phase& phase, Role role);
// The size of a datagram with one message of a return routability check, without padding.
[[nodiscard]] std::size_t path_message_size(const record::RecordLayer& records);

// Writes the next datagram, with a message of a return routability check, a flight, an ACK or the
// alert, to `out`. Empty if there is no output or it cannot be sealed.
std::optional<Transmit> write_datagram(const Shared& shared, const Sendable& sendable,
                                       const Route& route, MutableBytes out);

}  // namespace sluice::dtls::connection
