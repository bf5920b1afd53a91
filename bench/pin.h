// On which cores a thread may run.
#pragma once

#include <cstddef>
#include <vector>

namespace sluice::bench {

// That this process may use, as it was started.
std::vector<std::size_t> cores();
// The calling thread runs on this one alone from now on.
void pin_to(std::size_t core);
// The calling thread, and those that it starts, run on any of them from now on.
void unpin();

}  // namespace sluice::bench
