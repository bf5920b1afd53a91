// The names of reasons, for logs and metrics.
#include <sluice/ice_lite/event.h>
#include <sluice/ice_lite/statistics.h>

namespace sluice::ice_lite {

std::string_view to_string(EndReason reason) {
  switch (reason) {
    case EndReason::closed:
      return "closed";
    case EndReason::closed_by_peer:
      return "closed_by_peer";
    case EndReason::failed:
      return "failed";
  }
  return "unknown";
}

std::string_view to_string(Drop reason) {
  switch (reason) {
    case Drop::unknown_tuple:
      return "unknown_tuple";
    case Drop::early_full:
      return "early_full";
    case Drop::early_large:
      return "early_large";
    case Drop::early_displaced:
      return "early_displaced";
    case Drop::early_expired:
      return "early_expired";
    case Drop::early_undeliverable:
      return "early_undeliverable";
    case Drop::malformed_stun:
      return "malformed_stun";
    case Drop::no_fingerprint:
      return "no_fingerprint";
    case Drop::unexpected_method:
      return "unexpected_method";
    case Drop::unexpected_response:
      return "unexpected_response";
    case Drop::indication:
      return "indication";
    case Drop::bad_request:
      return "bad_request";
    case Drop::unknown_ufrag:
      return "unknown_ufrag";
    case Drop::wrong_integrity:
      return "wrong_integrity";
    case Drop::unknown_attribute:
      return "unknown_attribute";
    case Drop::role_conflict:
      return "role_conflict";
    case Drop::wrong_remote_ufrag:
      return "wrong_remote_ufrag";
    case Drop::repeated_elsewhere:
      return "repeated_elsewhere";
    case Drop::tuple_in_use:
      return "tuple_in_use";
    case Drop::too_many_tuples:
      return "too_many_tuples";
    case Drop::too_many_of_host:
      return "too_many_of_host";
    case Drop::response_budget:
      return "response_budget";
    case Drop::response_larger:
      return "response_larger";
    case Drop::response_queue:
      return "response_queue";
  }
  return "unknown";
}

}  // namespace sluice::ice_lite
