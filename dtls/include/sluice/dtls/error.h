// Errors are values, returned in a Result; no function here throws.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include <sluice/dtls/protocol.h>

namespace sluice::dtls {

enum class Errc : std::uint8_t {
  invalid_config,         // Error::detail names the field
  invalid_certificate,    // an unreadable certificate or key, or a key of another certificate
  invalid_argument,       // not valid now, such as an unknown QuestionId; nothing changed
  not_connected,          // before the handshake is complete and the peer accepted
  closed,                 // the connection has ended
  closed_by_peer,         // the peer sent close_notify before the handshake was complete
  alert_received,         // a fatal alert of the peer's, in Error::alert
  peer_rejected,          // the peer's certificate matches no fingerprint, or was rejected
  untrusted_certificate,  // chain not verified by the TrustStore, or another name: see detail
  decode_error,           // a message with wrong syntax
  illegal_parameter,      // a message with correct syntax and a forbidden value
  unexpected_message,     // a message that is not allowed in this state
  unsupported_extension,  // an extension in a ServerHello that was not offered
  no_common_version,      // negotiation found nothing that both sides support
  no_common_cipher_suite,
  no_common_group,
  no_common_signature_scheme,
  no_common_application_protocol,
  missing_certificate,      // the peer sent no certificate, but one is required
  unsupported_certificate,  // its key is too weak, or does not fit the cipher suite
  signing_failed,           // SignatureRequested was answered with NoSignature
  bad_signature,            // CertificateVerify or ServerKeyExchange did not verify
  bad_finished,             // verify_data did not match
  psk_mismatch,             // no PSK in common, or its binder did not verify
  bad_key_share,            // the peer's ephemeral public key is not a valid point
  missing_extended_master_secret,
  excessive_message,        // above max_handshake_message; one of ours: above its length fields
  integrity_limit_reached,  // too many forged records under one key (RFC 9147 section 4.5.3)
  message_seq_exhausted,    // the 16-bit message_seq is used up (RFC 6347 section 4.2.2)
  handshake_timeout,        // RetransmissionTimers::total has passed
  srtp_not_negotiated,      // the handshake chose no SRTP profile
  export_blocked,           // see ExportBlocked; Error::detail says which
  session_refused,          // the Config no longer allows what a stored session has: see detail
  unknown_state_key,        // StateKeys has not the key that has sealed it
  state_not_authentic,      // altered since StateKeys::seal(), or of another context
  connection_ids_used_up,   // RoutableConnectionIds needs another key
  too_many_connections,     // EndpointOptions::max_connections
  connection_id_in_use,     // the ConnectionIdSource makes no ID that is new to the Endpoint, or a
                            // session has one that a connection of the Endpoint has
  not_wanted,               // Endpoint::restore_wanted(): nothing waits for the session any more
  buffer_too_small,
  libcrypto_failure,  // Error::libcrypto holds its first error code
};

// What was seen, and what to look at; for the log, may be empty. Most texts are literals. Copies of
// a text that was composed share it; it is composed when a connection ends, never for a datagram
// that is discarded.
class ErrorDetail {
 public:
  ErrorDetail() = default;
  // `text` has static lifetime.
  ErrorDetail(const char* text) : view_(text) {}       // NOLINT(google-explicit-constructor)
  ErrorDetail(std::string_view text) : view_(text) {}  // NOLINT(google-explicit-constructor)
  explicit ErrorDetail(std::string composed)
      : composed_(std::make_shared<const std::string>(std::move(composed))), view_(*composed_) {}
  // Not inline, and marked as rarely called: a Result has these calls in every function that it
  // passes through, but nearly all Results hold a value.
  [[gnu::cold]] ErrorDetail(const ErrorDetail& other);
  [[gnu::cold]] ErrorDetail(ErrorDetail&& other) noexcept;
  [[gnu::cold]] ErrorDetail& operator=(const ErrorDetail& other);
  [[gnu::cold]] ErrorDetail& operator=(ErrorDetail&& other) noexcept;
  [[gnu::cold]] ~ErrorDetail();

  [[nodiscard]] std::string_view view() const { return view_; }
  [[nodiscard]] bool empty() const { return view_.empty(); }
  [[nodiscard]] bool starts_with(std::string_view start) const { return view_.starts_with(start); }
  // Valid as long as this object or a copy of it lives.
  operator std::string_view() const { return view_; }  // NOLINT(google-explicit-constructor)

 private:
  std::shared_ptr<const std::string> composed_;
  std::string_view view_;
};

struct Error {
  Errc code{};
  // The alert that is sent to the peer; with alert_received and closed_by_peer the alert that came.
  std::optional<Alert> alert = {};
  // libcrypto's first error code (ERR_get_error()), or 0. libcrypto's error queue is left empty.
  unsigned long libcrypto = 0;
  ErrorDetail detail = {};
  // The place in Sluice's source, for bug reports.
  std::source_location where = std::source_location::current();
  // The input that returned this Error has ended the connection or transport. Told once: later
  // inputs succeed and change nothing. If clear, nothing has changed; the caller made a mistake
  // (invalid_argument, not_connected, closed), or nothing was made yet.
  bool is_fatal = false;
};

// Uses only what std::expected also has.
template <class T>
using Result = tl::expected<T, Error>;

// The error of a Result that has failed, to return it as another Result:
//   if (!hash) return forward_error(hash);
template <class T>
[[gnu::cold]] tl::unexpected<Error> forward_error(const Result<T>& failed) {
  return tl::unexpected(failed.error());
}

std::string_view to_string(Errc code);
enum class SourcePlace : std::uint8_t { omit, include };
// One line for a log: code, detail and alert, on request also the place in Sluice's source.
// Contains no secret.
std::string to_string(const Error& error, SourcePlace place = SourcePlace::omit);

}  // namespace sluice::dtls
