#include "support/allocation_counter.h"

#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLUICE_TEST_COUNTS_MALLOCS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLUICE_TEST_COUNTS_MALLOCS 0
#endif
#endif
#ifndef SLUICE_TEST_COUNTS_MALLOCS
#define SLUICE_TEST_COUNTS_MALLOCS 1
#endif

namespace {

// No constructor runs for these: malloc() is called before any.
constinit thread_local std::uint64_t new_count = 0;
constinit thread_local std::uint64_t malloc_count = 0;

}  // namespace

namespace sluice::test {

std::uint64_t news() { return new_count; }
std::uint64_t mallocs() { return malloc_count; }
bool counts_mallocs() { return SLUICE_TEST_COUNTS_MALLOCS != 0; }

}  // namespace sluice::test

// The array forms call these.
void* operator new(std::size_t size) {
  ++new_count;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

#if SLUICE_TEST_COUNTS_MALLOCS
// glibc's own names for what it lets a program replace.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);

void* malloc(std::size_t size) {
  ++malloc_count;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++malloc_count;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  ++malloc_count;
  return __libc_realloc(memory, size);
}
}
#endif
