#include "sfu/http/request_log.h"

#include <cstddef>
#include <string_view>

namespace sluice::interop::sfu {
namespace {

LogLevel level_of(int status) {
  if (status >= 500) return LogLevel::warning;
  return status == 401 || status == 403 ? LogLevel::info : LogLevel::debug;
}

std::string without_secrets(const std::string& path) {
  constexpr std::string_view kBefore = "/session/";
  constexpr std::size_t kShown = 8;
  return path.starts_with(kBefore) ? path.substr(0, kBefore.size() + kShown) : path;
}

// The sentence of a refusal, without the line's end.
std::string reason_of(const httplib::Response& response) {
  if (response.status < 400) return {};
  return response.body.substr(0, response.body.find('\n'));
}

}  // namespace

LogEntry request_entry(const httplib::Request& request, const httplib::Response& response,
                       const std::string& address) {
  return {.level = level_of(response.status),
          .event = "request",
          .fields = {{"method", request.method},
                     {"path", without_secrets(request.path)},
                     {"status", std::to_string(response.status)},
                     {"address", address},
                     {"reason", reason_of(response)}}};
}

}  // namespace sluice::interop::sfu
