// Outcomes as a table on the screen and as JSON.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "suite.h"

namespace sluice::bench {

void print_header(std::ostream& out);
void print(std::ostream& out, const Outcome& outcome);

// {"measures":[{"name","unit","ours","spread","peers":{},"ratios":{},"goal","met"}]}; "goal" and
// "met" are null where there is none.
void write_json(std::ostream& out, const std::vector<Outcome>& outcomes);

}  // namespace sluice::bench
