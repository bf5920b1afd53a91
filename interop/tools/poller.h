// Waits for descriptors and for a time (epoll).
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

  // To be told when it can be read. A file can always be read.
  void add(int descriptor);
  void remove(int descriptor);
  // Until one can be read, or it is time.
  void wait(std::optional<dtls::Instant> until);
  // As the last wait() found.
  [[nodiscard]] bool is_ready(int descriptor) const;

 private:
  int epoll_;
  std::vector<int> always_;
  std::vector<int> ready_;
};

}  // namespace sluice::interop::tools
