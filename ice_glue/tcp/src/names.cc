// The names of reasons, for logs and metrics.
#include <sluice/tcp/statistics.h>

namespace sluice::tcp {

std::string_view to_string(CloseReason reason) {
  switch (reason) {
    case CloseReason::by_peer:
      return "by_peer";
    case CloseReason::failed:
      return "failed";
    case CloseReason::frame_too_large:
      return "frame_too_large";
    case CloseReason::unconfirmed:
      return "unconfirmed";
    case CloseReason::idle:
      return "idle";
    case CloseReason::displaced:
      return "displaced";
  }
  return "unknown";
}

std::string_view to_string(Refusal reason) {
  switch (reason) {
    case Refusal::too_many:
      return "too_many";
    case Refusal::too_many_of_host:
      return "too_many_of_host";
    case Refusal::no_resources:
      return "no_resources";
  }
  return "unknown";
}

std::string_view to_string(SendDrop reason) {
  switch (reason) {
    case SendDrop::no_connection:
      return "no_connection";
    case SendDrop::queue_full:
      return "queue_full";
    case SendDrop::queue_full_in_all:
      return "queue_full_in_all";
    case SendDrop::too_large:
      return "too_large";
    case SendDrop::cut_off:
      return "cut_off";
  }
  return "unknown";
}

}  // namespace sluice::tcp
