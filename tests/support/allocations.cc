#include "support/allocations.h"

#include <malloc.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>
#include <new>

// NOLINTBEGIN(cppcoreguidelines-no-malloc): beneath the containers and smart pointers.
namespace sluice::test {
namespace {

thread_local Allocations counted;
thread_local std::span<const std::byte> watched;
thread_local std::uint64_t found;

void search(void* memory) {
  if (memory == nullptr || watched.empty()) return;
  const std::span block(static_cast<const std::byte*>(memory), malloc_usable_size(memory));
  if (!std::ranges::search(block, watched).empty()) ++found;
}

void* note(void* memory) {
  if (memory != nullptr) {
    ++counted.count;
    counted.bytes += static_cast<std::int64_t>(malloc_usable_size(memory));
    counted.peak_bytes = std::max(counted.peak_bytes, counted.bytes);
  }
  return memory;
}

void forget(void* memory) {
  if (memory != nullptr) counted.bytes -= static_cast<std::int64_t>(malloc_usable_size(memory));
}

void* allocate(std::size_t size) { return note(std::malloc(std::max<std::size_t>(size, 1))); }

void release(void* memory) {
  forget(memory);
  std::free(memory);
}

void release_from_delete(void* memory) {
  search(memory);
  release(memory);
}

void* allocate_or_throw(std::size_t size) {
  void* memory = allocate(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

Allocations allocations() { return counted; }
void reset_peak() { counted.peak_bytes = counted.bytes; }

void watch_freed_blocks(std::span<const std::byte> secret) {
  watched = secret;
  found = 0;
}
std::uint64_t secrets_freed() { return found; }

bool count_libcrypto() {
  return CRYPTO_set_mem_functions([](std::size_t size, const char*,
                                     int) { return size == 0 ? nullptr : allocate(size); },
                                  [](void* memory, std::size_t size, const char*, int) {
                                    forget(memory);
                                    return note(std::realloc(memory, size));
                                  },
                                  [](void* memory, const char*, int) { release(memory); }) == 1;
}

}  // namespace sluice::test
// NOLINTEND(cppcoreguidelines-no-malloc)

// The aligned forms stay the standard library's: nothing here is over-aligned.
using sluice::test::allocate;
using sluice::test::allocate_or_throw;
using sluice::test::release_from_delete;

void* operator new(std::size_t size) { return allocate_or_throw(size); }
void* operator new[](std::size_t size) { return allocate_or_throw(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* memory) noexcept { release_from_delete(memory); }
void operator delete[](void* memory) noexcept { release_from_delete(memory); }
void operator delete(void* memory, std::size_t) noexcept { release_from_delete(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release_from_delete(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { release_from_delete(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  release_from_delete(memory);
}
