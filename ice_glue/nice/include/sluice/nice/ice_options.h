// Options of ICE.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/nice/transport_error.h>

namespace sluice::nice {

// RFC 8445 section 6.1.1: as a rule the side that made the offer controls. A conflict is resolved
// by ICE itself.
enum class IceRole : std::uint8_t { controlling, controlled };

enum class Nomination : std::uint8_t {
  regular,     // RFC 8445: a pair is nominated once it has been checked
  aggressive,  // RFC 5245: every check nominates; some 40 ms sooner, the pair may change at first
};

struct StunServer {
  std::string host = {};  // an IP literal or a name
  std::uint16_t port = 3478;
};

struct TurnServer {
  enum class Transport : std::uint8_t { udp, tcp };

  std::string host = {};  // an IP literal or a name
  std::uint16_t port = 3478;
  std::string username = {};
  std::string password = {};
  Transport transport = Transport::udp;
};

struct IceOptions {
  IceRole role = IceRole::controlled;
  Nomination nomination = Nomination::regular;

  std::optional<StunServer> stun_server = {};
  // At most kMaxTurnServers, in order of preference.
  std::vector<TurnServer> turn_servers = {};
  // Only relayed candidates: the peer never learns an address of this host.
  bool relay_only = false;

  // IP literals of the addresses for host candidates. Empty: all of the interfaces that are up, but
  // not loopback.
  std::vector<std::string> local_addresses = {};
  // With an empty local_addresses: loopback too. A host without a network has nothing else.
  bool include_loopback = false;
  // The UDP ports for host candidates (min_port <= max_port); both 0: any. A session takes one port
  // per local address, and as many again during an ICE restart.
  std::uint16_t min_port = 0;
  std::uint16_t max_port = 0;
  // TCP candidates too (RFC 6544), used where UDP finds no path.
  bool tcp = false;

  // Ta, the time between two checks: 1 ms or more. RFC 8445 section 14.2 sets 50 ms as the default
  // and 5 ms as the least on the open network. Each candidate pair is one check.
  std::chrono::milliseconds pacing{20};
  // RFC 7675: sending stops when the peer no longer consents. Off: libnice sends keep-alives only.
  bool consent_freshness = true;
  // Without a path after this time, counted from the remote description, ICE has failed
  // (IceState::failed). 0: no limit.
  std::chrono::milliseconds timeout{30000};

  static constexpr std::size_t kMaxTurnServers = 8;
  static constexpr std::size_t kMaxLocalAddresses = 64;
};

// New for every ICE generation; RFC 8839 section 5.4.
struct IceCredentials {
  std::string ufrag = {};  // 4 to 256 ice-char
  std::string pwd = {};    // 22 to 256 ice-char

  friend bool operator==(const IceCredentials&, const IceCredentials&) = default;
};

// Whether all fields are in their ranges. Errors: invalid_options, invalid_credentials.
TransportResult<void> check(const IceOptions& options);
TransportResult<void> check(const IceCredentials& credentials);

}  // namespace sluice::nice
