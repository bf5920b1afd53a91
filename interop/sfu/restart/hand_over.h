// The end of a process, and the next one that goes on: on a signal.
#pragma once

#include <csignal>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/stop_signals.h"
#include "sfu/operations/event_log.h"

namespace sluice::interop::sfu {

enum class Ending : std::uint8_t {
  stopped,   // the sessions end
  moved,     // they go into the state file, for who comes next
  replaced,  // likewise, and the next process is there
};

struct HandOverOptions {
  std::vector<std::string> arguments;  // of this process, the program first
  bool has_state_file = false;
  Log log = {};
};

// SIGTERM: moved, where there is a state file; else stopped. SIGINT: stopped. SIGUSR2 starts the
// next process and waits until it is ready; one that does not come so far changes nothing. Make it
// before the first thread starts.
class HandOver {
 public:
  explicit HandOver(HandOverOptions options) : options_(std::move(options)) {}

  [[nodiscard]] const common::StopSignals& stop() const { return stop_; }
  // Returns when this process is to end. The next one gets `sockets`.
  [[nodiscard]] Ending wait(std::span<const int> sockets) const;

 private:
  [[nodiscard]] bool replace(std::span<const int> sockets) const;
  void fail(const std::string& why) const;

  HandOverOptions options_;
  common::StopSignals stop_;
  common::RequestSignal replace_{SIGUSR2};
};

}  // namespace sluice::interop::sfu
