// All measures, by subject.
#pragma once

#include <vector>

#include "suite.h"

namespace sluice::bench {

using Measures = std::vector<Measure>;

void add_handshakes(Measures& measures);
void add_records(Measures& measures);
void add_memory(Measures& measures);
void add_threads(Measures& measures);
void add_set_up_times(Measures& measures);
void add_endpoints(Measures& measures, const Plan& plan);
void add_strangers(Measures& measures);
// `small`: of the fleet that this one is compared with.
void add_live_fleet(Measures& measures, std::size_t sessions, std::size_t small);
void add_fleet_exports(Measures& measures, std::size_t sessions);
// With sluice::session_stores; what this machine does not have is left out, with a word.
void add_lmdb_fleet(Measures& measures, std::size_t sessions);
void add_redis_fleet(Measures& measures, std::size_t sessions);
// With sluice::ice_glue.
void add_srtp(Measures& measures);
void add_demultiplexing(Measures& measures);
// With sluice::ice_lite and sluice::udp.
void add_fan_outs(Measures& measures, const Plan& plan);
void add_lite_sessions(Measures& measures);
// With libnice.
void add_stun(Measures& measures);

}  // namespace sluice::bench
