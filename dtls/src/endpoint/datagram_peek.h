// Reads the first record of a datagram before it is authenticated.
#pragma once

#include <cstdint>

#include <sluice/dtls/bytes.h>

namespace sluice::dtls::endpoint {

enum class DatagramKind : std::uint8_t {
  client_hello,  // a plaintext record that begins with a ClientHello or a fragment of one
  plaintext,     // another record of epoch 0
  other,
};

// Reads the first record only: a client puts nothing before a ClientHello.
DatagramKind peek(Bytes datagram);

// What follows the records of epoch 0 that the datagram begins with. They have no connection ID
// (RFC 9146 section 3), but what is behind them may: a client of DTLS 1.2 that repeats its last
// flight begins with some.
Bytes behind_plaintext(Bytes datagram);

}  // namespace sluice::dtls::endpoint
