// The addresses of this machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sluice/dtls/udp_endpoint.h>

namespace sluice::interop {

// Of all interfaces that are up, loopback included and last; without link-local ones, which mean
// nothing without the name of an interface. The port is 0.
std::vector<dtls::UdpEndpoint> local_addresses();

// Of an IP literal. Empty: it is none.
std::optional<dtls::UdpEndpoint> parse_address(const std::string& literal);

}  // namespace sluice::interop
