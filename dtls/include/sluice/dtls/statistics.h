// What a connection has seen and done, for monitoring.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/protocol.h>

namespace sluice::dtls {

// Why a record, or a whole datagram, was dropped without any other effect (RFC 6347
// section 4.1.2.7).
enum class Discard : std::uint8_t {
  malformed_record,       // a header or length that can't be
  unknown_version,        // not a DTLS record of the version in use
  unknown_epoch,          // no key for it: too old, not yet, or epoch 0 after the handshake
  replayed,               // seen before, or older than the window
  authentication_failed,  // the AEAD refused it
  unexpected_content,     // a content type that this state ignores
  stale_message,          // a handshake message that was already taken
  reassembly_full,        // ConfigOptions::max_reassembly reached, or too far ahead
  unaccepted_data_full,   // ConfigOptions::max_unaccepted_data reached
  after_close,            // the connection has ended
};
inline constexpr std::size_t kDiscardReasons = 10;

std::string_view to_string(Discard reason);

struct Statistics {
  std::uint64_t datagrams_received = 0;
  std::uint64_t records_received = 0;  // accepted ones
  std::uint64_t records_sent = 0;
  std::uint32_t flights_retransmitted = 0;
  std::uint32_t timeouts = 0;
  std::array<std::uint32_t, kDiscardReasons> discarded = {};
  // Time from a flight to its first answer, where the flight went out only once (Karn's rule).
  std::optional<Duration> rtt = {};

  [[nodiscard]] std::uint32_t discards(Discard reason) const {
    return discarded[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t total_discarded() const {
    std::uint64_t sum = 0;
    for (const auto count : discarded) sum += count;
    return sum;
  }
};

// What the handshake agreed on.
struct ConnectionInfo {
  Role role;
  ProtocolVersion version;
  CipherSuite cipher_suite;
  std::optional<NamedGroup> group;  // none in DTLS 1.2 with a PSK alone, or resumed
  std::optional<SrtpProfile> srtp_profile;
  bool extended_master_secret;
  // By a PSK, and not by certificates; in DTLS 1.3 a resumed session is that too.
  bool psk;
  bool resumed;
  std::string application_protocol;  // RFC 7301; empty: none
  std::string server_name;           // that the client has asked for; empty: none
  Buffer srtp_mki;                   // that SRTP packets carry; empty: none
  // The most that seal() takes: what the peer's record_size_limit leaves (RFC 8449), or
  // kMaxApplicationData.
  std::size_t max_application_data;
};

}  // namespace sluice::dtls
