// Counts this thread's allocations: replaces operator new and, when asked, libcrypto's allocator.
// Only in programs that link sluice_test_allocations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice::test {

struct Allocations {
  std::uint64_t count = 0;      // calls so far
  std::int64_t bytes = 0;       // live now, as they were asked for
  std::int64_t peak_bytes = 0;  // the most since reset_peak()
};

// Of this thread, up to now.
Allocations allocations();
void reset_peak();

// From now on each block that this thread frees with operator delete is searched for `secret`,
// which must live on; empty: no more.
void watch_freed_blocks(std::span<const std::byte> secret);
// How many of them contained it.
std::uint64_t secrets_freed();

// From now on libcrypto's allocations count as well. To be called before it makes any; false if it
// has.
bool count_libcrypto();

}  // namespace sluice::test
