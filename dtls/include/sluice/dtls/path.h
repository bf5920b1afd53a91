// Ways to the peer.
#pragma once

#include <cstdint>

#include <sluice/dtls/udp_endpoint.h>

namespace sluice::dtls {

// A way to the peer, as the caller numbers them: a socket and address, an ICE candidate pair.
enum class PathId : std::uint32_t {};

// A socket, as the caller numbers them. A link-local address (RFC 4291 section 2.5.6) means nothing
// without its interface: give each interface a number of its own where there are such peers.
enum class SocketId : std::uint32_t {};

// A way to the peer, as an Endpoint tells connections apart by it.
struct UdpPath {
  SocketId socket = {};
  UdpEndpoint peer = {};
  // The address the datagram came to (IP_PKTINFO). May be left as it is where a socket has one
  // address only, or nobody minds which one answers.
  UdpEndpoint own = {};

  friend bool operator==(const UdpPath&, const UdpPath&) = default;
};

}  // namespace sluice::dtls
