#include <sluice/nice/transport_error.h>

namespace sluice::nice {

std::string_view to_string(TransportErrc code) {
  switch (code) {
    case TransportErrc::invalid_options:
      return "invalid_options";
    case TransportErrc::invalid_credentials:
      return "invalid_credentials";
    case TransportErrc::invalid_setup:
      return "invalid_setup";
    case TransportErrc::no_fingerprint:
      return "no_fingerprint";
    case TransportErrc::no_cryptex:
      return "no_cryptex";
    case TransportErrc::needs_ice_restart:
      return "needs_ice_restart";
    case TransportErrc::gathering_failed:
      return "gathering_failed";
    case TransportErrc::closed:
      return "closed";
    case TransportErrc::no_random_numbers:
      return "no_random_numbers";
  }
  return "unknown";
}

}  // namespace sluice::nice
