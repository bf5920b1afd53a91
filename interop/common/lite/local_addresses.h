// The addresses of this machine.
#pragma once

#include <vector>

#include <sluice/dtls/udp_endpoint.h>

namespace sluice::interop {

// Of all interfaces that are up, loopback included and last; without link-local ones, which mean
// nothing without the name of an interface. The port is 0.
std::vector<dtls::UdpEndpoint> local_addresses();

}  // namespace sluice::interop
