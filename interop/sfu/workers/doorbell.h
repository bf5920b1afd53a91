// Wakes a thread that waits for RecordQueues.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include <sluice/udp/descriptor.h>

namespace sluice::interop::sfu {

// The thread that reads:                      A thread that writes:
//
//   bell.lie_down();                            queue.push(...);
//   if (nothing in the queues) poll(...);       bell.ring();  // once for many
//   bell.get_up(descriptor is readable);
//
// A thread that is awake costs those that write no system call. Each exchange sees what the one
// before it has made visible: so either the writer sees the reader lie down, or the reader sees the
// record.
class Doorbell {
 public:
  static tl::expected<udp::Descriptor, std::string> open() {
    udp::Descriptor made(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!made.is_open()) return tl::unexpected<std::string>("eventfd failed");
    return made;
  }
  // `descriptor`: of open().
  explicit Doorbell(udp::Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  // ---- the thread that reads

  // Readable when it rings.
  [[nodiscard]] int descriptor() const { return descriptor_.number(); }
  void lie_down() { is_down_.exchange(true, std::memory_order_acq_rel); }
  void get_up(bool is_readable) {
    is_down_.exchange(false, std::memory_order_acq_rel);
    if (!is_readable) return;
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = read(descriptor_.number(), &count, sizeof count);
  }

  // ---- any thread

  void ring() {
    if (!is_down_.exchange(false, std::memory_order_acq_rel)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(descriptor_.number(), &one, sizeof one);
  }

 private:
  udp::Descriptor descriptor_;
  std::atomic<bool> is_down_ = false;
};

}  // namespace sluice::interop::sfu
