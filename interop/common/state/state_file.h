// Where the sessions of a server are while it is restarted: a sealed file.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include <sluice/dtls/environment.h>
#include <sluice/dtls/state_keys.h>
#include <sluice/udp/descriptor.h>

#include "common/stop_signals.h"

namespace sluice::interop {

struct StateFileOptions {
  std::string file;
  // Has the key that seals the file; it is made if it is missing. Both files have mode 0600.
  std::string key_file;
  // Whose state it is: that of another program is refused.
  std::string content;
  // What an operator may want to know, in a few words. May be empty.
  std::function<void(const std::string&)> tell = {};
  // Another process has the file, and this one waits for it. May be empty.
  std::function<void()> on_wait = {};
};

// One process has it at a time: the key file is locked until the end of this object. Errors say
// what is wrong.
class StateFile {
 public:
  // Waits for the process that has it, such as the server before this one. Empty: `stop` came
  // first.
  static tl::expected<std::unique_ptr<StateFile>, std::string> open(
      StateFileOptions options, const common::StopSignals& stop);

  // What put() has written, which is gone from the file then: sessions must not be restored twice.
  // Empty: there is nothing, or it is from before the machine was started. A file system that has
  // lost its last changes might give such sessions out a second time.
  tl::expected<std::optional<dtls::SecretBytes>, std::string> take();
  tl::expected<void, std::string> put(dtls::Bytes state);

 private:
  StateFile(StateFileOptions options, std::string boot, dtls::Environment environment)
      : options_(std::move(options)),
        boot_(std::move(boot)),
        environment_(std::move(environment)) {}
  void tell(const std::string& what) const;

  StateFileOptions options_;
  std::string boot_;  // the system's ID of the time since its start
  dtls::Environment environment_;
  dtls::StateKeys keys_;
  udp::Descriptor lock_;
};

}  // namespace sluice::interop
