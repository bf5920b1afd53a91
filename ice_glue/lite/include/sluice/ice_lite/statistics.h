// What an IceLiteServer counts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <sluice/stun/decode_error.h>

namespace sluice::ice_lite {

// Why a datagram had no effect. A session's MediaTransport counts what it drops itself.
enum class Drop : std::uint8_t {
  // Neither STUN nor an early ClientHello, from an address pair that no session has.
  unknown_tuple,
  // ---- a ClientHello before the first check (ServerOptions::max_early_tuples)
  early_full,           // the tuple has two of them, or its host has too many such tuples
  early_large,          // above kMaxEarlyDatagram
  early_displaced,      // made room for a later tuple's
  early_expired,        // no valid check came within kEarlyLifetime
  early_undeliverable,  // the session that the check was for could not take it
  // ---- STUN
  malformed_stun,       // decode() has refused it: see ServerStatistics::malformed
  no_fingerprint,       // RFC 8445 section 7.3 requires it
  unexpected_method,    // a method other than Binding
  unexpected_response,  // a lite agent sends no requests
  indication,           // a Binding indication, such as one that keeps a binding of a NAT alive
  // ---- checks that are refused. Those marked * are answered with this error, as long as
  // ServerOptions::max_error_responses allows it, and never with more bytes than came.
  bad_request,         // * 400: no USERNAME, no MESSAGE-INTEGRITY, or no PRIORITY
  unknown_ufrag,       // * 401: USERNAME has the ufrag of no session
  wrong_integrity,     // * 401
  unknown_attribute,   // * 420
  role_conflict,       // * 487: the peer says that it is controlled
  wrong_remote_ufrag,  // authentic, but not the peer that signalling has named
  repeated_elsewhere,  // a replay: a recent check of another path
  tuple_in_use,        // of a path that another session has used within tuple_hold
  too_many_tuples,     // ServerOptions::max_tuples
  too_many_of_host,    // ServerOptions::max_tuples_per_host
  // ---- responses that were not sent
  response_budget,  // an error response above max_error_responses
  response_larger,  // it would have been larger than the request
  response_queue,   // kMaxQueuedResponses wait to be polled
};
inline constexpr std::size_t kDropReasons = 24;

std::string_view to_string(Drop reason);

struct ServerStatistics {
  std::uint64_t datagrams_received = 0;
  std::uint64_t checks = 0;            // answered with success
  std::uint64_t error_responses = 0;   // put in the queue
  std::uint64_t tuples_added = 0;      // by a valid check from a new address pair
  std::uint64_t tuples_expired = 0;    // without a check for 30 s
  std::uint64_t tuples_closed = 0;     // path_closed()
  std::uint64_t tuples_displaced = 0;  // above max_tuples_per_session: the longest unchecked
  std::uint64_t tuples_taken = 0;      // PathTaken
  std::uint64_t selections = 0;        // PathSelected
  std::uint64_t expired = 0;           // Expired
  std::uint64_t early_kept = 0;        // datagrams that have waited for a check
  std::uint64_t early_delivered = 0;
  std::uint64_t sessions_exported = 0;
  std::uint64_t sessions_restored = 0;
  std::uint64_t dtls_in_stun_received = 0;  // datagrams in checks
  std::uint64_t dtls_in_stun_sent = 0;      // datagrams in responses
  std::array<std::uint64_t, kDropReasons> dropped = {};
  std::array<std::uint64_t, stun::kDecodeErrors> malformed = {};

  [[nodiscard]] std::uint64_t count(Drop reason) const {
    return dropped[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t count(stun::DecodeError error) const {
    return malformed[static_cast<std::size_t>(error)];
  }
};

// As dtls::for_each_counter() of dtls::Statistics.
template <class Visit>
void for_each_counter(const ServerStatistics& statistics, Visit&& visit) {
  constexpr std::string_view kNone;
  visit(std::string_view("datagrams_received"), kNone, statistics.datagrams_received);
  visit(std::string_view("checks"), kNone, statistics.checks);
  visit(std::string_view("error_responses"), kNone, statistics.error_responses);
  visit(std::string_view("tuples_added"), kNone, statistics.tuples_added);
  visit(std::string_view("tuples_expired"), kNone, statistics.tuples_expired);
  visit(std::string_view("tuples_closed"), kNone, statistics.tuples_closed);
  visit(std::string_view("tuples_displaced"), kNone, statistics.tuples_displaced);
  visit(std::string_view("tuples_taken"), kNone, statistics.tuples_taken);
  visit(std::string_view("selections"), kNone, statistics.selections);
  visit(std::string_view("expired"), kNone, statistics.expired);
  visit(std::string_view("early_kept"), kNone, statistics.early_kept);
  visit(std::string_view("early_delivered"), kNone, statistics.early_delivered);
  visit(std::string_view("sessions_exported"), kNone, statistics.sessions_exported);
  visit(std::string_view("sessions_restored"), kNone, statistics.sessions_restored);
  visit(std::string_view("dtls_in_stun_received"), kNone, statistics.dtls_in_stun_received);
  visit(std::string_view("dtls_in_stun_sent"), kNone, statistics.dtls_in_stun_sent);
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    visit(std::string_view("dropped"), to_string(static_cast<Drop>(i)), statistics.dropped[i]);
  }
  for (std::size_t i = 0; i < stun::kDecodeErrors; ++i) {
    visit(std::string_view("malformed"), to_string(static_cast<stun::DecodeError>(i)),
          statistics.malformed[i]);
  }
}

}  // namespace sluice::ice_lite
