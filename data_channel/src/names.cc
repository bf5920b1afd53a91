// The names of enumerators, for logs and metrics.
#include <array>

#include <sluice/data_channel/error.h>
#include <sluice/data_channel/event.h>
#include <sluice/data_channel/statistics.h>

namespace sluice::data_channel {
namespace {

template <class Enumerator, std::size_t Count>
std::string_view name_in(const std::array<std::string_view, Count>& names, Enumerator value) {
  const auto index = static_cast<std::size_t>(value);
  return index < Count ? names[index] : "unknown";
}

}  // namespace

std::string_view to_string(Errc code) {
  constexpr std::array<std::string_view, 11> kNames = {
      "invalid_options", "library_failure", "closed",          "unknown_channel",
      "channel_closing", "channel_in_use",  "no_free_channel", "message_too_large",
      "queue_full",      "invalid_init",    "wrong_state"};
  return name_in(kNames, code);
}

std::string_view to_string(CloseReason reason) {
  constexpr std::array<std::string_view, 3> kNames = {"local", "peer", "timeout"};
  return name_in(kNames, reason);
}

std::string_view to_string(Drop reason) {
  constexpr std::array<std::string_view, kDropReasons> kNames = {
      "message_too_large", "unknown_protocol", "unknown_channel", "refused_open",
      "expired",           "channel_closed",   "not_sent",        "packets_full",
      "packet_too_large",  "early_full",       "window_exceeded"};
  return name_in(kNames, reason);
}

}  // namespace sluice::data_channel
