// The memory of this process that the machine holds, as the kernel counts it.
#pragma once

#include <fstream>
#include <stdexcept>
#include <string>

namespace sluice::bench {

// In MB of 10^6 bytes.
struct Resident {
  double anonymous = 0;
  double files = 0;  // mapped: the program itself, and LMDB's database
};

inline Resident resident_memory() {
  constexpr double kPerMegabyte = 1024.0 / 1e6;  // the kernel says kB and means 1024 bytes
  std::ifstream status("/proc/self/status");
  Resident resident;
  int found = 0;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) {
      resident.anonymous = std::stod(line.substr(8)) * kPerMegabyte;
      ++found;
    } else if (line.starts_with("RssFile:")) {
      resident.files = std::stod(line.substr(8)) * kPerMegabyte;
      ++found;
    }
  }
  if (found != 2) throw std::runtime_error("/proc/self/status tells no resident memory");
  return resident;
}

}  // namespace sluice::bench
