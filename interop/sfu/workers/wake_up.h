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

// The thread that reads:                          A thread that writes:
//
//   wake_up.prepare_wait();                         queue.push(...);
//   if (nothing in the queues) poll(...);           wake_up.notify();  // once for many
//   wake_up.finish_wait(descriptor is readable);
//
// To notify a thread that does not wait costs no system call. Each exchange() sees what the one
// before it has made visible: either the writer sees that the reader waits, or the reader sees the
// record.
class WakeUp {
 public:
  static tl::expected<udp::Descriptor, std::string> open() {
    udp::Descriptor made(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!made.is_open()) return tl::unexpected<std::string>("eventfd failed");
    return made;
  }
  // `descriptor`: of open().
  explicit WakeUp(udp::Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  // ---- the thread that reads

  // Readable when it is notified.
  [[nodiscard]] int descriptor() const { return descriptor_.number(); }
  void prepare_wait() { is_waiting_.exchange(true, std::memory_order_acq_rel); }
  void finish_wait(bool is_readable) {
    is_waiting_.exchange(false, std::memory_order_acq_rel);
    if (!is_readable) return;
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = read(descriptor_.number(), &count, sizeof count);
  }

  // ---- any thread

  void notify() {
    if (!is_waiting_.exchange(false, std::memory_order_acq_rel)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(descriptor_.number(), &one, sizeof one);
  }

 private:
  udp::Descriptor descriptor_;
  std::atomic<bool> is_waiting_ = false;
};

}  // namespace sluice::interop::sfu
