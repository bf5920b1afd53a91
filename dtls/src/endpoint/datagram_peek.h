// Reads the first record of a datagram before it is authenticated.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <sluice/dtls/bytes.h>

namespace sluice::dtls::endpoint {

// The last bytes of a ClientHello's random, which a client makes anew for each association and
// repeats when it repeats the ClientHello (RFC 6347 section 4.2.1). The first bytes may be the
// time.
std::uint32_t random_tail(std::span<const std::byte, 32> random);

struct DatagramPeek {
  enum class Kind : std::uint8_t {
    client_hello,  // a plaintext record that begins with a ClientHello or a fragment of one
    plaintext,     // another record of epoch 0
    other,
  };
  Kind kind = Kind::other;
  // random_tail() of a ClientHello. Empty for a fragment that is not the first.
  std::optional<std::uint32_t> client_random = {};
};

// Reads the first record only: a client puts nothing before a ClientHello.
DatagramPeek peek(Bytes datagram);

}  // namespace sluice::dtls::endpoint
