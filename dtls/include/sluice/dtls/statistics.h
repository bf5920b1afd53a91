// Counters of a connection, and the result of its handshake.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/connection_id.h>
#include <sluice/dtls/peer_info.h>
#include <sluice/dtls/protocol.h>

namespace sluice::dtls {

// Why a record or a datagram was dropped; a drop has no other effect (RFC 6347 section
// 4.1.2.7).
enum class Discard : std::uint8_t {
  malformed_record,       // an invalid header or length; in plaintext, invalid contents
  unknown_version,        // not a DTLS record of the version in use
  unknown_epoch,          // no key: too old, too early, or epoch 0 after the handshake
  wrong_connection_id,    // not the connection ID that this side has asked for, or none of it
  replayed,               // seen before, or older than the window
  authentication_failed,  // forged, damaged, or sealed with another key
  // Not allowed in this state, a plaintext alert of someone else's, or a message of a return
  // routability check that answers nothing.
  unexpected_content,
  stale_message,         // a handshake message that was received before
  reassembly_full,       // above max_reassembly or max_handshake_message, or too far ahead
  unaccepted_data_full,  // ConfigOptions::max_unaccepted_data reached
  after_close,           // the connection has ended
};
inline constexpr std::size_t kDiscardReasons = 11;

std::string_view to_string(Discard reason);

struct Statistics {
  std::uint64_t datagrams_received = 0;
  std::uint64_t datagrams_sent = 0;  // by poll_transmit() and seal()
  std::uint64_t bytes_received = 0;  // UDP payload of those datagrams
  std::uint64_t bytes_sent = 0;
  std::uint64_t records_received = 0;  // without discarded ones
  std::uint64_t records_sent = 0;
  std::uint32_t flights_retransmitted = 0;
  std::uint32_t timeouts = 0;
  // Return routability checks of this side (RFC 9853): messages sent, addresses that the peer
  // answered from, and addresses that it did not.
  std::uint32_t path_challenges = 0;
  std::uint32_t paths_validated = 0;
  std::uint32_t paths_refused = 0;
  std::array<std::uint32_t, kDiscardReasons> discarded = {};
  // Round-trip time: from a flight to its first answer, if it was sent only once (Karn's rule).
  std::optional<Duration> rtt = {};
  // From this side's first flight, or the peer's first message, to the end of the handshake,
  // without the time that the peer then waits to be accepted; at most 71 minutes. Empty until then.
  std::optional<Duration> handshake_duration = {};

  [[nodiscard]] std::uint32_t count(Discard reason) const {
    return discarded[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t total_discarded() const {
    std::uint64_t sum = 0;
    for (const auto count : discarded) sum += count;
    return sum;
  }
};

// Calls visit(name, reason, value) for each counter: the name as a std::string_view, the reason of
// an element of an array as a std::string_view that is empty otherwise, and a std::uint64_t. The
// names and reasons are those of the source, and fit as metric and label of a time series.
// Durations are left out.
template <class Visit>
void for_each_counter(const Statistics& statistics, Visit&& visit) {
  constexpr std::string_view kNone;
  visit(std::string_view("datagrams_received"), kNone, statistics.datagrams_received);
  visit(std::string_view("datagrams_sent"), kNone, statistics.datagrams_sent);
  visit(std::string_view("bytes_received"), kNone, statistics.bytes_received);
  visit(std::string_view("bytes_sent"), kNone, statistics.bytes_sent);
  visit(std::string_view("records_received"), kNone, statistics.records_received);
  visit(std::string_view("records_sent"), kNone, statistics.records_sent);
  visit(std::string_view("flights_retransmitted"), kNone,
        std::uint64_t{statistics.flights_retransmitted});
  visit(std::string_view("timeouts"), kNone, std::uint64_t{statistics.timeouts});
  visit(std::string_view("path_challenges"), kNone, std::uint64_t{statistics.path_challenges});
  visit(std::string_view("paths_validated"), kNone, std::uint64_t{statistics.paths_validated});
  visit(std::string_view("paths_refused"), kNone, std::uint64_t{statistics.paths_refused});
  for (std::size_t i = 0; i < kDiscardReasons; ++i) {
    visit(std::string_view("discarded"), to_string(static_cast<Discard>(i)),
          std::uint64_t{statistics.discarded[i]});
  }
}

// The result of the handshake.
struct ConnectionInfo {
  Role role;
  ProtocolVersion version;
  CipherSuite cipher_suite;
  // None with a PSK only (in DTLS 1.3 psk_ke). Of a resumed DTLS 1.2 session: that of its first
  // handshake.
  std::optional<NamedGroup> group;
  std::optional<SrtpProfile> srtp_profile;
  bool extended_master_secret;
  // Authenticated by a PSK, not by certificates; true for a resumed DTLS 1.3 session.
  bool psk;
  // The kind of that PSK: resumption for a resumed DTLS 1.3 session. Empty: none.
  std::optional<PskKind> psk_kind;
  bool resumed;
  std::string application_protocol;  // ALPN (RFC 7301); empty: none
  std::string server_name;           // SNI, asked for by the client; empty: none
  Buffer srtp_mki;                   // MKI of SRTP packets; empty: none
  // The largest data that seal() accepts, in bytes: the peer's record_size_limit (RFC 8449), or
  // kMaxApplicationData; in DTLS 1.2 with a peer_connection_id one less.
  std::size_t max_application_data = 0;
  // The connection IDs that the peer's records carry, and this side's; empty: none.
  ConnectionId own_connection_id = {};
  ConnectionId peer_connection_id = {};
  // Whether both sides have the return routability check (ConfigOptions::return_routability).
  bool return_routability = false;
  PeerInfo peer = {};
};

}  // namespace sluice::dtls
