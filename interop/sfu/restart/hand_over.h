// The end of a process, and the next one that goes on: on a signal.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <optional>
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
  bool takes_hang_up = false;  // SIGHUP asks to read files again; else it ends the process
  Log log = {};
};

// SIGTERM: moved, where there is a state file; else stopped. SIGINT: stopped. SIGUSR2 starts the
// next process and waits until it is ready; one that does not come so far changes nothing. Then the
// service manager is told to follow it. Make it before the first thread starts.
class HandOver {
 public:
  explicit HandOver(HandOverOptions options);

  [[nodiscard]] const common::StopSignals& stop() const { return stop_; }
  // Returns when this process is to end. The next one gets `sockets`. `reload`: for each SIGHUP.
  [[nodiscard]] Ending wait(std::span<const int> sockets,
                            const std::function<void()>& reload) const;

 private:
  [[nodiscard]] bool replace(std::span<const int> sockets) const;
  void fail(const std::string& why) const;

  HandOverOptions options_;
  common::StopSignals stop_;
  common::RequestSignal replace_{SIGUSR2};
  std::optional<common::RequestSignal> hang_up_ = {};
};

}  // namespace sluice::interop::sfu
