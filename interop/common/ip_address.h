// IP addresses as text, and the hosts that limits count.
#pragma once

#include <optional>
#include <string>

#include <sluice/dtls/udp_endpoint.h>

namespace sluice::interop::common {

// Of an IP literal. Empty: it is none. The port is 0.
std::optional<dtls::UdpEndpoint> parse_address(const std::string& literal);
// Likewise; an IPv4 address within an IPv6 one (RFC 4291 section 2.5.5.2) is the IPv4 address.
std::optional<dtls::UdpEndpoint> read_address(const std::string& literal);
// The IP literal.
std::string address_text(const dtls::UdpEndpoint& address);

bool is_loopback(const dtls::UdpEndpoint& address);

// What the limits of an address count by: an IPv4 address, and of an IPv6 address its first 64
// bits, "2001:db8:1:2::/64". A household has them all (RFC 6177), and takes the other bits at
// random (RFC 8981). What is no address counts by itself.
std::string host_of(const std::string& address);

}  // namespace sluice::interop::common
