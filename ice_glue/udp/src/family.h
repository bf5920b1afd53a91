// IPv4 on IPv6 sockets: addresses of the form ::ffff:192.0.2.1 (RFC 4291 section 2.5.5.2).
#pragma once

#include <sluice/dtls/udp_endpoint.h>

namespace sluice::udp {

// An IPv4 address in its IPv6 form as IPv4; others unchanged.
dtls::UdpEndpoint unmapped(const dtls::UdpEndpoint& endpoint);
// An IPv4 address in its IPv6 form; IPv6 unchanged.
dtls::UdpEndpoint mapped(const dtls::UdpEndpoint& endpoint);

}  // namespace sluice::udp
