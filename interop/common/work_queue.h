// Work that other threads leave for the thread of a loop.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include <sluice/udp/descriptor.h>

namespace sluice::interop::common {

template <class Work>
class WorkQueue {
 public:
  // Work that has been posted and was not taken yet.
  static constexpr std::size_t kMaxPosted = 1024;

  static tl::expected<udp::Descriptor, std::string> open() {
    udp::Descriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake.is_open()) return tl::unexpected<std::string>("eventfd failed");
    return wake;
  }
  // `wake`: of open().
  explicit WorkQueue(udp::Descriptor wake) : wake_(std::move(wake)) {}

  // From any thread. False: kMaxPosted wait already.
  bool post(Work work) {
    {
      const std::scoped_lock lock(mutex_);
      if (posted_.size() == kMaxPosted) return false;
      posted_.push_back(std::move(work));
    }
    wake();
    return true;
  }
  // Makes the descriptor readable.
  void wake() const {
    const std::uint64_t one = 1;
    // It fails only where the number is at its end: then the descriptor is readable.
    [[maybe_unused]] const auto written = write(wake_.number(), &one, sizeof one);
  }

  // ---- on the thread of the loop

  // Readable when there is something to take.
  [[nodiscard]] int descriptor() const { return wake_.number(); }
  std::vector<Work> take() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = read(wake_.number(), &count, sizeof count);
    const std::scoped_lock lock(mutex_);
    return std::exchange(posted_, {});
  }

 private:
  udp::Descriptor wake_;
  std::mutex mutex_;
  std::vector<Work> posted_;
};

}  // namespace sluice::interop::common
