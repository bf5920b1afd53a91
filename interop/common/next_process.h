// The next process of a program, which takes over the sockets of this one.
#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include <sluice/udp/descriptor.h>

#include "common/service_manager.h"

namespace sluice::interop::common {

// Seen from the process that is there. The next one ends with this object, unless it is released.
class NextProcess {
 public:
  // Starts `arguments`, of which the first names the program as for execvp(3), so that it may be
  // another version. Its descriptors from 3 on are `sockets`, in their order; all others of this
  // process are closed there. The error names the system call that failed.
  static tl::expected<NextProcess, std::string> start(const std::vector<std::string>& arguments,
                                                      std::span<const int> sockets);
  NextProcess(NextProcess&& other) noexcept;
  NextProcess& operator=(NextProcess&&) = delete;
  ~NextProcess();

  // Readable once it is ready, or has ended.
  [[nodiscard]] int descriptor() const { return ready_.number(); }
  // To be asked then. The error says how it has ended.
  [[nodiscard]] tl::expected<void, std::string> is_ready();
  [[nodiscard]] pid_t id() const { return id_; }
  // It goes on.
  void release() { id_ = 0; }

 private:
  NextProcess(pid_t id, udp::Descriptor ready) : id_(id), ready_(std::move(ready)) {}

  pid_t id_;  // 0: released, or it has ended
  udp::Descriptor ready_;
};

// ---- in the next process

// What NextProcess::start() has passed; empty: it has not started this process. The error says
// which one is of no use.
tl::expected<std::optional<std::vector<PassedSocket>>, std::string> inherited_sockets();
// The process before may hand over now. Does nothing where there is none.
void tell_ready();

}  // namespace sluice::interop::common
