// Writes what a connection has queued, one datagram at a time, each with the path it leaves on.
#pragma once

#include <optional>

#include <sluice/dtls/connection.h>

#include "connection/phase.h"
#include "connection/shared.h"

namespace sluice::dtls::connection {

// What goes on no path of its own leaves on `path`, in datagrams of at most `mtu` bytes.
struct Route {
  PathId path;
  std::size_t mtu;
};

// Writes the next datagram to `out`: of a flight, an ACK or the alert. Empty: there is nothing, or
// it can't be sealed.
std::optional<Transmit> write_datagram(const Shared& shared, const Sendable& sendable,
                                       const Route& route, MutableBytes out);

}  // namespace sluice::dtls::connection
