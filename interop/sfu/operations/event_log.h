// The log: a line for each event, as logfmt or as JSON.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::interop::sfu {

enum class LogLevel : std::uint8_t { error, warning, info, debug };
inline constexpr std::array<std::string_view, 4> kLogLevelNames = {"error", "warning", "info",
                                                                   "debug"};
enum class LogFormat : std::uint8_t { logfmt, json };

struct LogEntry {
  LogLevel level = LogLevel::info;
  std::string_view event;  // a name for programs: "session_ended"
  // What is empty is left out.
  std::vector<std::pair<std::string_view, std::string>> fields = {};
};

// From any thread. Empty: nothing is logged.
using Log = std::function<void(const LogEntry&)>;

// The line of an entry, without its end. Values are cut to kMaxLogValue bytes, and what is not
// ASCII is escaped as in JSON. `time`: "2026-11-30T17:00:00.000Z".
std::string log_line(const LogEntry& entry, LogFormat format, const std::string& time);
inline constexpr std::size_t kMaxLogValue = 256;

// To standard error, without what is below `least`. Where that is the journal of systemd, lines
// begin with their priority (sd-daemon(3)), which the journal takes off.
Log log_to_stderr(LogLevel least, LogFormat format);

}  // namespace sluice::interop::sfu
