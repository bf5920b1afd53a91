// What the process takes of the system.
#pragma once

#include <cstdint>
#include <optional>

namespace sluice::interop::common {

struct ProcessUsage {
  std::uint64_t resident_bytes;
  std::uint64_t open_descriptors;
  std::uint64_t max_descriptors;  // RLIMIT_NOFILE
  double cpu_seconds;             // of all threads
};

// Empty where /proc is not there.
std::optional<ProcessUsage> process_usage();

// Of the calling thread.
double thread_cpu_seconds();

}  // namespace sluice::interop::common
