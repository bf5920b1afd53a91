// Counts this thread's allocations: replaces operator new and, when asked, libcrypto's allocator.
// Only in programs that link sluice_test_allocations.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::test {

struct Allocations {
  std::uint64_t count = 0;      // calls so far
  std::int64_t bytes = 0;       // live now, as the allocator rounds them up
  std::int64_t peak_bytes = 0;  // the most since reset_peak()
};

// Of this thread, up to now.
Allocations allocations();
void reset_peak();

// From now on libcrypto's allocations count as well. To be called before it makes any; false if it
// has.
bool count_libcrypto();

}  // namespace sluice::test
