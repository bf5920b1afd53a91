// What sessions take on a server: many handshakes that wait for the client's second flight, or many
// connections that have nothing to do.
#pragma once

#include <sluice/dtls/protocol.h>

#include <cstddef>
#include <cstdint>

namespace sluice::bench {

enum class Phase : std::uint8_t {
  in_progress,  // the server has answered the ClientHello
  idle,         // data has passed, and what outlives the handshake for a while has gone
};

// How many connections keep their cipher contexts.
enum class Warmth : std::uint8_t { cold, warm };

// Bytes of heap a session, the clients' not counted.
double sluice_bytes_each(dtls::ProtocolVersion version, Phase phase, Warmth warmth,
                         std::size_t sessions);
double libssl_bytes_each(Phase phase, std::size_t sessions);
double gnutls_bytes_each(Phase phase, std::size_t sessions);

}  // namespace sluice::bench
