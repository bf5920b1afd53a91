// UDP datagrams with the headers that a socket would have put before them.
#pragma once

#include <sluice/dtls/pcapng.h>

namespace sluice::dtls::capture {

// An IP packet, of version 4 when both addresses are.
Buffer udp_packet(const UdpEndpoint& source, const UdpEndpoint& destination, Bytes payload);

}  // namespace sluice::dtls::capture
