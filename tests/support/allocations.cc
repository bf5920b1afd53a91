#include "support/allocations.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

// NOLINTBEGIN(cppcoreguidelines-no-malloc): beneath the containers and smart pointers.
namespace sluice::test {
namespace {

thread_local Allocations counted;
thread_local std::span<const std::byte> watched;
thread_local std::uint64_t found;

// Precedes each block. malloc_usable_size() would not do for its size: the same block has 16 bytes
// more where malloc() finds a free one that is not worth dividing.
struct alignas(std::max_align_t) Head {
  std::size_t size;
};

Head* head_of(void* memory) { return static_cast<Head*>(memory) - 1; }

void search(void* memory) {
  if (memory == nullptr || watched.empty()) return;
  const std::span block(static_cast<const std::byte*>(memory), head_of(memory)->size);
  if (!std::ranges::search(block, watched).empty()) ++found;
}

// `previous`: null, or a block that this one replaces.
void* reallocate(void* previous, std::size_t size) {
  Head* const head = previous != nullptr ? head_of(previous) : nullptr;
  const std::size_t size_before = head != nullptr ? head->size : 0;
  auto* const block = static_cast<Head*>(std::realloc(head, sizeof(Head) + size));
  if (block == nullptr) return nullptr;
  block->size = size;
  ++counted.count;
  counted.bytes += static_cast<std::int64_t>(size) - static_cast<std::int64_t>(size_before);
  counted.peak_bytes = std::max(counted.peak_bytes, counted.bytes);
  return block + 1;
}

void* allocate(std::size_t size) { return reallocate(nullptr, size); }

void release(void* memory) {
  if (memory == nullptr) return;
  counted.bytes -= static_cast<std::int64_t>(head_of(memory)->size);
  std::free(head_of(memory));
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
                                    if (size != 0) return reallocate(memory, size);
                                    release(memory);
                                    return static_cast<void*>(nullptr);
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
