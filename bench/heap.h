// What of the heap is in use, as glibc counts it: blocks with their heads. What its caches keep for
// the next allocation counts as well, some 100 kB at most: measure many of what is measured.
#pragma once

#include <malloc.h>

#include <cstddef>

namespace sluice::bench {

inline double heap_in_use() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

// glibc keeps what was freed below blocks that are in use: this returns it to the system.
inline void trim_heap() { malloc_trim(0); }

}  // namespace sluice::bench
