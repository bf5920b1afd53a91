// The data channels of a room that is on several workers.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "sfu/workers/directory.h"
#include "sfu/workers/exchange.h"

namespace sluice::interop::sfu {

// What the DataHub of a worker has of the others.
class DataBridge {
 public:
  // Both outlive it.
  DataBridge(Directory& directory, Exchange& exchange, std::size_t worker)
      : directory_(directory), exchange_(exchange), worker_(worker) {}

  // A peer of this worker has opened a channel with this label, and closed it.
  void open_label(const std::string& room, const std::string& label) {
    directory_.open_label(room, label);
  }
  void close_label(const std::string& room, const std::string& label) {
    directory_.close_label(room, label, worker_);
  }
  // Whether a peer of any worker has one.
  [[nodiscard]] bool has_label(const std::string& room, const std::string& label) const {
    return directory_.has_label(room, label);
  }
  // To all workers with sessions of the room. How many have no room for it.
  std::size_t pass_on(CrossedMessage message) {
    const auto shared = std::make_shared<const CrossedMessage>(std::move(message));
    std::size_t failed = 0;
    for (const std::size_t to : directory_.workers_of(shared->room)) {
      if (to == worker_) continue;
      if (!exchange_.messages(to).put(shared)) ++failed;
      exchange_.wake_up(to).notify();
    }
    return failed;
  }

 private:
  Directory& directory_;
  Exchange& exchange_;
  std::size_t worker_;
};

}  // namespace sluice::interop::sfu
