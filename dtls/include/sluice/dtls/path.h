// Ways to the peer.
#pragma once

#include <cstdint>

namespace sluice::dtls {

// A way to the peer, as the caller numbers them: a socket and address, an ICE candidate pair.
enum class PathId : std::uint32_t {};

}  // namespace sluice::dtls
