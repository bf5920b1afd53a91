// The same forwarding by pion/srtp, in a process of its own: bench/pion.
#pragma once

#include <sluice/dtls/udp_endpoint.h>

#include <cstddef>
#include <string>
#include <vector>

namespace sluice::bench {

// What one packet to one receiver takes, in microseconds, for each round of 200 ms. `program` is
// bench/pion, built; it runs on the core of this thread.
std::vector<double> run_pion(const std::string& program,
                             const std::vector<dtls::UdpEndpoint>& receivers, std::size_t payload,
                             int rounds);

}  // namespace sluice::bench
