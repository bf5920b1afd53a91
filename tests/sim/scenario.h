// Who meets whom in the simulations. All chance of a handshake comes from one seed.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>

#include <sluice/dtls/packet_observer.h>

#include "support/virtual_network.h"

namespace sluice::test {

struct VersionRange {
  dtls::ProtocolVersion lowest = dtls::ProtocolVersion::dtls12;
  dtls::ProtocolVersion highest = dtls::ProtocolVersion::dtls13;
};

// How a handshake goes, beyond its version.
enum class Course : std::uint8_t {
  plain,
  retry,   // the client's first group isn't the server's: HelloRetryRequest
  resume,  // the client has a ticket, and is to get what resumes the session again
  resume_after_retry,
  resume_from_store,  // the same, by a name in the server's store
  hybrid,             // X25519MLKEM768: both hellos are longer than a datagram
  psk,                // both have the same external PSK
};

struct Scenario {
  std::string name;  // of letters and digits, for GoogleTest
  VersionRange client;
  VersionRange server;
  Course course = Course::plain;
  bool client_certificate = true;

  std::size_t chain = 1;     // certificates of each side
  std::uint64_t number = 0;  // among all_scenarios()
  std::size_t memory = 0;    // for reassembly, in bytes; 0: as the Config has it

  // What both are to agree on.
  [[nodiscard]] dtls::ProtocolVersion version() const {
    using enum dtls::ProtocolVersion;
    return client.highest == dtls13 && server.highest == dtls13 ? dtls13 : dtls12;
  }
  [[nodiscard]] bool resumes() const {
    return course == Course::resume || course == Course::resume_after_retry ||
           course == Course::resume_from_store;
  }
};
// So GoogleTest prints it.
void PrintTo(const Scenario& scenario, std::ostream* out);

// Both versions against themselves and against an endpoint that speaks both, with and without
// HelloRetryRequest, client certificates and tickets.
std::span<const Scenario> all_scenarios();

// What both ends take the path's round trip for, and twice that: their first timeout.
inline constexpr dtls::Duration kRtt = std::chrono::milliseconds{100};
inline constexpr dtls::Duration kFirstTimeout = 2 * kRtt;

struct Encounter {
  Peer client;
  Peer server;
};
// Two that are about to begin; the same seed gives the same bytes. Ends the encounter before it,
// whose chance it takes over.
Encounter meet(const Scenario& scenario, std::size_t mtu, std::uint64_t seed);
// Shows all that happens in encounters from now on; null: to nobody.
void show_encounters(dtls::PacketObserver* observer);

// Sanitizers slow a handshake down so much that there a share of the runs has to do.
#ifdef __has_feature  // clang has it, and the sanitizers
inline constexpr bool kSanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace sluice::test
