// What an Endpoint's connections cost, by how many there are.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice::bench {

// A handshake each comes first, some 0.5 ms: one million take minutes, and 8 GB.
void register_endpoint_benchmarks(const std::vector<std::int64_t>& connections);

}  // namespace sluice::bench
