// Included by the sources that switch.py writes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <type_traits>

namespace sluice_mutation {

// Writes a number to the file that the environment names, once. Nothing is allocated, because tests
// count that.
inline void record(int number) {
  static std::FILE* const file = [] {
    const char* const path = std::getenv("SLUICE_REACHED");
    return path == nullptr ? nullptr : std::fopen(path, "w");
  }();
  if (file == nullptr) return;
  constexpr std::size_t kPlaces = 8192;  // far more than there are mutants
  static std::atomic<int> recorded[kPlaces];
  for (std::size_t place = static_cast<std::size_t>(number);; ++place) {
    int present = 0;
    if (recorded[place % kPlaces].compare_exchange_strong(present, number)) {
      std::fprintf(file, "%d\n", number);
      std::fflush(file);
      return;
    }
    if (present == number) return;
  }
}

inline bool chosen_by_environment(int number) {
  static const int choice = [] {
    const char* const text = std::getenv("SLUICE_MUTANT");
    return text == nullptr ? -1 : std::atoi(text);
  }();
  record(number);
  return number == choice;
}

// Whether the environment chooses this mutant. Constants stay what the original computes.
constexpr bool chosen(int number) {
  return !std::is_constant_evaluated() && chosen_by_environment(number);
}

}  // namespace sluice_mutation
