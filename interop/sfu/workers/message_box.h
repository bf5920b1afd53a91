// Messages of data channels that other workers leave for one.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <sluice/data_channel/event.h>
#include <sluice/dtls/bytes.h>

namespace sluice::interop::sfu {

struct CrossedMessage {
  std::string room;
  data_channel::ChannelOptions channel;
  data_channel::MessageType type;
  dtls::Buffer data;
};
using CrossedMessages = std::vector<std::shared_ptr<const CrossedMessage>>;

// Guarded by a mutex: messages are few, beside the packets of media.
class MessageBox {
 public:
  // Of all that wait.
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;

  // From any thread. False: there is no room.
  bool put(std::shared_ptr<const CrossedMessage> message) {
    const std::scoped_lock lock(mutex_);
    const std::size_t size = message->data.size() + sizeof(CrossedMessage);
    if (bytes_ + size > kMostBytes) return false;
    bytes_ += size;
    messages_.push_back(std::move(message));
    has_any_.store(true, std::memory_order_release);
    return true;
  }

  // The thread that reads.
  [[nodiscard]] bool has_any() const { return has_any_.load(std::memory_order_acquire); }
  CrossedMessages take() {
    if (!has_any()) return {};
    const std::scoped_lock lock(mutex_);
    has_any_.store(false, std::memory_order_relaxed);
    bytes_ = 0;
    return std::exchange(messages_, {});
  }

 private:
  std::mutex mutex_;
  CrossedMessages messages_;
  std::size_t bytes_ = 0;
  std::atomic<bool> has_any_ = false;
};

}  // namespace sluice::interop::sfu
