#include "sfu/operations/event_log.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <iostream>

#include <nlohmann/json.hpp>

#include "common/service_manager.h"

namespace sluice::interop::sfu {
namespace {

using LogJson = nlohmann::ordered_json;

std::string ascii_json(const LogJson& json) {
  return json.dump(-1, ' ', true, LogJson::error_handler_t::replace);
}

// A value of logfmt has quotes where it has anything that needs them.
std::string logfmt_value(const std::string& value) {
  const bool is_plain = !value.empty() && std::ranges::all_of(value, [](char letter) {
    return letter > ' ' && letter <= '~' && letter != '"' && letter != '=' && letter != '\\';
  });
  return is_plain ? value : ascii_json(value);
}

// RFC 3339, in UTC.
std::string wall_time() {
  using std::chrono::milliseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(now).count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
  const auto fraction = std::to_string(std::chrono::floor<milliseconds>(now).count() % 1000 + 1000);
  return std::string(text.data(), size) + fraction.substr(1) + "Z";
}

}  // namespace

std::string log_line(const LogEntry& entry, LogFormat format, const std::string& time) {
  LogJson json = {{"time", time},
                  {"level", kLogLevelNames.at(static_cast<std::size_t>(entry.level))},
                  {"event", entry.event}};
  for (const auto& [name, value] : entry.fields) {
    if (!value.empty()) json[std::string{name}] = value.substr(0, kMaxLogValue);
  }
  if (format == LogFormat::json) return ascii_json(json);
  std::string line;
  for (const auto& [name, value] : json.items()) {
    if (!line.empty()) line += ' ';
    line += name + "=" + logfmt_value(value.get<std::string>());
  }
  return line;
}

Log log_to_stderr(LogLevel least, LogFormat format) {
  constexpr std::array kPriorities = {"<3>", "<4>", "<6>", "<7>"};  // those of syslog(3)
  const bool has_priorities = common::stderr_is_journal();
  return [=](const LogEntry& entry) {
    if (entry.level > least) return;
    std::string line = log_line(entry, format, wall_time()) + "\n";
    if (has_priorities) line.insert(0, kPriorities.at(static_cast<std::size_t>(entry.level)));
    std::clog << line;  // at once, so that lines of several threads stay whole
  };
}

}  // namespace sluice::interop::sfu
