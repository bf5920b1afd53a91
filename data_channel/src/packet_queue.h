// SCTP packets that wait to be polled.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "byte_order.h"

namespace sluice::data_channel {

// A ring of buffers that are used again: in steady state nothing is allocated.
class PacketQueue {
 public:
  // More than a congestion window of 1 MB holds.
  static constexpr std::size_t kMaxPackets = 1024;

  // False: full, the packet is dropped.
  bool push(Bytes packet) {
    if (size_ == kMaxPackets) return false;
    if (size_ == ring_.size()) grow();
    ring_[(first_ + size_) % ring_.size()].assign(packet.begin(), packet.end());
    ++size_;
    return true;
  }
  // Valid until the next pop().
  std::optional<Bytes> pop() {
    if (size_ == 0) return std::nullopt;
    std::swap(popped_, ring_[first_]);
    first_ = (first_ + 1) % ring_.size();
    --size_;
    return popped_;
  }
  void clear() { size_ = 0; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  void grow() {
    std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(first_), ring_.end());
    first_ = 0;
    ring_.resize(ring_.size() + 8);
  }

  std::vector<Buffer> ring_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  Buffer popped_;
};

}  // namespace sluice::data_channel
