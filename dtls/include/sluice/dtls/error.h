// How a call fails: an Error is a value, returned in a Result; nothing here throws.
#pragma once

#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include <sluice/dtls/protocol.h>

namespace sluice::dtls {

enum class Errc : std::uint8_t {
  invalid_config,         // Error::detail names the field
  invalid_certificate,    // a certificate or key that can't be read, or that do not fit each other
  invalid_argument,       // the call can't mean anything: an unknown QuestionId, an empty label
  not_connected,          // asked before the handshake is complete and the peer accepted
  closed,                 // the connection has ended
  alert_received,         // the peer ended the connection; Error::alert is what it sent
  peer_rejected,          // the peer's certificate isn't the one that was announced
  untrusted_certificate,  // its chain doesn't lead to the TrustStore, or isn't for the name: detail
  decode_error,           // a message that doesn't follow its syntax
  illegal_parameter,      // a message of good syntax with a value it must not have
  unexpected_message,     // a message that the present state doesn't allow
  unsupported_extension,  // an extension in a ServerHello that was not asked for
  no_common_version,      // negotiation found nothing that both sides support
  no_common_cipher_suite,
  no_common_group,
  no_common_signature_scheme,
  no_common_application_protocol,
  missing_certificate,      // the peer sent none although one is required
  unsupported_certificate,  // a certificate whose key doesn't fit the cipher suite, or too weak
  signing_failed,           // the caller has no signature for SignatureRequested
  bad_signature,            // CertificateVerify or ServerKeyExchange did not verify
  bad_finished,             // verify_data did not match
  psk_mismatch,             // no PSK that both sides know, or its binder did not verify
  bad_key_share,            // the peer's ephemeral public key is not a valid point
  missing_extended_master_secret,
  excessive_message,        // a handshake message above its bound
  integrity_limit_reached,  // more forged records than one key bears (RFC 9147 section 4.5.3)
  message_seq_exhausted,    // the 16 bit message_seq must not wrap (RFC 6347 section 4.2.2)
  handshake_timeout,        // RetransmissionTimers::total has passed
  srtp_not_negotiated,      // the handshake chose no SRTP profile
  too_many_connections,     // EndpointOptions::max_connections
  buffer_too_small,
  libcrypto_failure,  // Error::libcrypto holds its first error code
};

struct Error {
  Errc code;
  // The alert that goes to the peer or, with Errc::alert_received, that came from it.
  std::optional<Alert> alert = {};
  // ERR_get_error()'s code where libcrypto refused, else 0. libcrypto's queue is left empty.
  unsigned long libcrypto = 0;
  // A word more, for people; of static lifetime, may be empty.
  std::string_view detail = {};
  std::source_location where = std::source_location::current();
};

// Kept to what std::expected has, so that it can become it.
template <class T>
using Result = tl::expected<T, Error>;

// The error of a Result that has failed, to return it as another Result:
//   if (!hash) return forward_error(hash);
template <class T>
tl::unexpected<Error> forward_error(const Result<T>& failed) {
  return tl::unexpected(failed.error());
}

std::string_view to_string(Errc code);
// One line: code, alert, detail and the place in the source. Holds no secret.
std::string to_string(const Error& error);

}  // namespace sluice::dtls
