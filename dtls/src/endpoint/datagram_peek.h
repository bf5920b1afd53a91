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

// The connection ID in the first record of a datagram, where IDs have this size (RFC 9146 section
// 4, RFC 9147 section 4). Empty: the record has none, or is too short. `size` 0: there are no IDs.
Bytes connection_id_of(Bytes datagram, std::size_t size);

}  // namespace sluice::dtls::endpoint
