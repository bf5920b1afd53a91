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
// With sluice::ice_glue.
void add_srtp(Measures& measures);
void add_demultiplexing(Measures& measures);

}  // namespace sluice::bench
