// Adds UDP and IP headers to a datagram.
#pragma once

#include <sluice/dtls/pcapng.h>

namespace sluice::dtls::capture {

// Makes an IP packet: IPv4 if both addresses are IPv4, else IPv6.
Buffer udp_packet(const UdpEndpoint& source, const UdpEndpoint& destination, Bytes payload);

}  // namespace sluice::dtls::capture
