// The port of an ice_lite::IceLiteServer: its sockets, and the addresses that it announces.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include <sluice/dtls/environment.h>
#include <sluice/ice_lite/description.h>
#include <sluice/ice_lite/ice_lite_server.h>
#include <sluice/tcp/listener.h>
#include <sluice/udp/socket.h>

namespace sluice::interop {

// Which candidates are announced. The server takes both.
enum class LiteCandidates : std::uint8_t { udp_and_tcp, udp, tcp };

// Descriptors of bound sockets with the same port, that of TCP listening.
struct AdoptedSockets {
  int udp;
  int tcp;
};

struct LiteOptions {
  // The UDP and TCP port of all sessions; 0: any that both have free.
  std::uint16_t port = 0;
  LiteCandidates candidates = LiteCandidates::udp_and_tcp;
  // IP literals of the addresses for candidates. Empty: those of all interfaces that are up,
  // loopback included.
  std::vector<std::string> addresses = {};
  // "ADDRESS:PORT", in place of the own ones: where a NAT (1:1) or a relay takes datagrams for us.
  std::vector<std::string> announced = {};
  // Sockets to take over in place of `port`.
  std::optional<AdoptedSockets> adopted = {};
};

struct LiteSockets {
  udp::Socket udp;
  tcp::Listener tcp;
};

// Each error says what is wrong. `environment` outlives the result.
tl::expected<LiteSockets, std::string> open_sockets(const LiteOptions& options,
                                                    dtls::Environment& environment);
// With the port of the sockets, those of UDP first; or LiteOptions::announced.
tl::expected<std::vector<ice_lite::AnnouncedAddress>, std::string> announced_addresses(
    const LiteOptions& options, std::uint16_t port);

// Of a session that was restored: connections have ended with the process before this one, and its
// peer makes new ones.
void forget_connections(ice_lite::IceLiteServer& server, ice_lite::SessionHandle session,
                        dtls::Instant now);

}  // namespace sluice::interop
