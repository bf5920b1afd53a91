// What systemd tells a service.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace sluice::interop::common {

// Whether standard error goes to the journal, by JOURNAL_STREAM (systemd.exec(5)).
bool stderr_is_journal();

// Tells it what has changed, one ASSIGNMENT=VALUE a line (sd_notify(3)), by the socket that
// NOTIFY_SOCKET names. Does nothing where there is none; a failure can't be reported.
void tell_service_manager(std::string_view what);

// A socket that systemd has opened and bound for this process.
struct PassedSocket {
  int descriptor;
  bool is_stream;  // TCP, listening; else UDP
  std::uint16_t port;
};

// SD_LISTEN_FDS_START.
inline constexpr int kFirstPassed = 3;
// Those of LISTEN_FDS (sd_listen_fds(3)), in their order; none where LISTEN_PID is another process.
// The error says which one is of no use.
tl::expected<std::vector<PassedSocket>, std::string> passed_sockets();

// The number in an environment variable; empty: it is not there, or no number.
std::optional<int> number_in(const char* variable);
// `count` sockets, by their descriptors from `first` on; the error says which one is none of UDP or
// TCP, or that they are too many.
tl::expected<std::vector<PassedSocket>, std::string> sockets_from(int first, int count);

}  // namespace sluice::interop::common
