// What systemd tells a service.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace sluice::interop::common {

// Whether standard error goes to the journal, by JOURNAL_STREAM (systemd.exec(5)).
bool stderr_is_journal();

// A socket that systemd has opened and bound for this process.
struct PassedSocket {
  int descriptor;
  bool is_stream;  // TCP, listening; else UDP
  std::uint16_t port;
};

// Those of LISTEN_FDS (sd_listen_fds(3)), in their order; none where LISTEN_PID is another process.
// The error says which one is of no use.
tl::expected<std::vector<PassedSocket>, std::string> passed_sockets();

}  // namespace sluice::interop::common
