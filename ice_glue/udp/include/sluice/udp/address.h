// Addresses of sockets as text.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include <sluice/dtls/socket_address.h>

namespace sluice::udp {

// Reads "host:port", "[2001:db8::1]:port", or "*:port" and "port" for all local addresses: those of
// IPv6 and IPv4 together, where the machine has IPv6. A host may be a name, which the system's
// resolver looks up meanwhile: give addresses where nothing may wait. The error says what is wrong.
tl::expected<dtls::SocketAddress, std::string> resolve(const std::string& text);

// "192.0.2.1:443" or "[2001:db8::1]:443".
std::string to_string(const dtls::UdpEndpoint& endpoint);

}  // namespace sluice::udp
