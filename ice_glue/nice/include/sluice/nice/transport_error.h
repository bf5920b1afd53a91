// Errors of a NiceTransport's methods.
#pragma once

#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>

namespace sluice::nice {

enum class TransportErrc : std::uint8_t {
  invalid_options,      // TransportError::detail names the field
  invalid_credentials,  // not of RFC 8839 section 5.4's lengths, or with other characters than its
                        // own and "-_=#", which some peers use
  invalid_setup,        // an answer that says actpass (RFC 8842 section 5.3)
  no_fingerprint,       // a description needs one (RFC 8842 section 5)
  no_cryptex,           // a description without a=cryptex, where srtp::Cryptex::required is set
  needs_ice_restart,    // a new fingerprint, tls-id or role without one (RFC 8842 section 6)
  gathering_failed,     // no local address, or no free port on any
  closed,               // the transport has ended
  no_random_numbers,    // the Environment has none
};

struct TransportError {
  TransportErrc code;
  std::string_view detail = {};  // an explanation for the log; of static lifetime, may be empty
};

template <class T>
using TransportResult = tl::expected<T, TransportError>;

std::string_view to_string(TransportErrc code);

}  // namespace sluice::nice
