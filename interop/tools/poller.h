// Waits for readable descriptors or for a time (epoll).
#pragma once

#include <sluice/dtls/clock.h>

#include <optional>
#include <vector>

namespace sluice::interop::tools {

class Poller {
 public:
  Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();

  // Watches a descriptor. wait() treats a regular file as always readable.
  void add(int descriptor);
  void remove(int descriptor);
  // Returns once a descriptor is readable or `until` is reached.
  void wait(std::optional<dtls::Instant> until);
  // Whether the last wait() found the descriptor readable.
  [[nodiscard]] bool is_ready(int descriptor) const;

 private:
  int epoll_;
  std::vector<int> always_;
  std::vector<int> ready_;
};

}  // namespace sluice::interop::tools
