// What an Endpoint has to know of a datagram before anybody has authenticated it.
#pragma once

#include <array>
#include <optional>
#include <span>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/path.h>

namespace sluice::dtls::endpoint {

// An address as bytes: equal for equal ones and for no others.
inline constexpr std::size_t kEncodedEndpoint = 19;
std::array<std::byte, kEncodedEndpoint> encode(const UdpEndpoint& endpoint);
inline constexpr std::size_t kEncodedPath = 4 + 2 * kEncodedEndpoint;
std::array<std::byte, kEncodedPath> encode(const UdpPath& path);

// The end of a ClientHello's random, which a client makes anew for each association and repeats
// with each repetition of the hello (RFC 6347 section 4.2.1). Its first bytes may be the time.
std::uint32_t tail_of(std::span<const std::byte, 32> random);

struct Glance {
  enum class Kind : std::uint8_t {
    client_hello,  // a plaintext record that begins with a ClientHello or a piece of one
    plaintext,     // another record of epoch 0
    other,
  };
  Kind kind = Kind::other;
  // tail_of() a ClientHello; empty for a piece that isn't its first.
  std::optional<std::uint32_t> hello = {};
};

// Looks at the first record alone: clients don't put a ClientHello behind anything.
Glance glance(Bytes datagram);

}  // namespace sluice::dtls::endpoint
