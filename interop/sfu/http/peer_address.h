// Addresses of HTTP clients.
#pragma once

#include <optional>
#include <string>

#include <sluice/dtls/udp_endpoint.h>

namespace sluice::interop::sfu {

// Of an IP literal; an IPv4 address within an IPv6 one (RFC 4291 section 2.5.5.2) is the IPv4
// address. Empty: it is none.
std::optional<dtls::UdpEndpoint> read_address(const std::string& literal);
// The IP literal.
std::string address_text(const dtls::UdpEndpoint& address);

bool is_loopback(const dtls::UdpEndpoint& address);

}  // namespace sluice::interop::sfu
