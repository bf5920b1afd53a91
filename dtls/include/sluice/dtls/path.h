// Network paths to a peer.
#pragma once

#include <cstdint>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/udp_endpoint.h>

namespace sluice::dtls {

// A path, numbered by the caller: a socket and address, or an ICE candidate pair.
enum class PathId : std::uint32_t {};

// A socket, numbered by the caller. A link-local address (RFC 4291 section 2.5.6) is ambiguous
// without its interface: give each interface its own number where peers have such addresses.
enum class SocketId : std::uint32_t {};

// A path by its addresses: the key by which an Endpoint finds connections.
struct UdpPath {
  SocketId socket = {};
  UdpEndpoint peer = {};
  // The local address that the datagram was sent to (IP_PKTINFO). Leave it empty where a socket has
  // only one address, or where any may answer.
  UdpEndpoint own = {};

  friend bool operator==(const UdpPath&, const UdpPath&) = default;
};

struct ReceivedDatagram {
  MutableBytes bytes;
  UdpPath path;
};

}  // namespace sluice::dtls
