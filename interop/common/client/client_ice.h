// What a client's offer says of ICE, and what the answer does.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include <sluice/dtls/udp_endpoint.h>
#include <sluice/ice_lite/session.h>

namespace sluice::interop {

// Random ones.
ice_lite::Credentials make_credentials();

// The addresses of the UDP candidates that a socket of `own`'s family can send to, those of the
// highest priority first. Others, and lines that can't be read, are left out.
std::vector<dtls::UdpEndpoint> usable_candidates(const std::vector<std::string>& candidates,
                                                 const dtls::UdpEndpoint& own);

// The address that the system would send from to a server, with port 0.
tl::expected<dtls::UdpEndpoint, std::string> address_towards(const dtls::UdpEndpoint& server);

}  // namespace sluice::interop
