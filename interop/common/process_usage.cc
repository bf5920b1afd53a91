#include "common/process_usage.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace sluice::interop::common {
namespace {

double seconds(const timeval& time) {
  constexpr double kMicrosecond = 1e-6;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * kMicrosecond;
}

}  // namespace

std::optional<ProcessUsage> process_usage() {
  // proc(5): the sizes of the program and of its resident part, in pages.
  std::ifstream sizes("/proc/self/statm");
  std::uint64_t pages = 0;
  std::uint64_t resident_pages = 0;
  std::error_code failed;
  const std::filesystem::directory_iterator descriptors("/proc/self/fd", failed);
  if (!(sizes >> pages >> resident_pages) || failed) return std::nullopt;
  const auto open = std::distance(begin(descriptors), end(descriptors));
  rlimit limit{};
  rusage used{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || getrusage(RUSAGE_SELF, &used) != 0) {
    return std::nullopt;
  }
  return ProcessUsage{
      .resident_bytes = resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)),
      // Without the two that are open here.
      .open_descriptors = static_cast<std::uint64_t>(open) - 2,
      .max_descriptors = limit.rlim_cur,
      .cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime)};
}

double thread_cpu_seconds() {
  constexpr double kNanosecond = 1e-9;
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * kNanosecond;
}

}  // namespace sluice::interop::common
