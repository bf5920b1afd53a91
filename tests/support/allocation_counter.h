// Counts what a test program allocates. Link allocation_counter.cc in: it replaces operator new,
// and malloc where no sanitizer does.
#pragma once

#include <cstdint>

namespace sluice::test {

// By operator new, since the program began, in this thread.
std::uint64_t news();

// By malloc, calloc and realloc, those of the C libraries included; operator new's are among them.
std::uint64_t mallocs();
// Whether mallocs() counts.
bool counts_mallocs();

}  // namespace sluice::test
