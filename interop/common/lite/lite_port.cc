#include "common/lite/lite_port.h"

#include <sluice/dtls/socket_address.h>
#include <sluice/udp/address.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "common/ip_address.h"
#include "common/lite/local_addresses.h"

namespace sluice::interop {

tl::expected<std::vector<ice_lite::AnnouncedAddress>, std::string> announced_addresses(
    const LiteOptions& options, std::uint16_t port) {
  std::vector<dtls::UdpEndpoint> addresses;
  for (const std::string& literal : options.announced) {
    const auto address = udp::resolve(literal);
    if (!address) return tl::unexpected(address.error());
    addresses.push_back(dtls::to_udp_endpoint(*address).value_or(dtls::UdpEndpoint{}));
  }
  const bool has_own = options.announced.empty();
  if (has_own && options.addresses.empty()) addresses = local_addresses();
  for (const std::string& literal : options.addresses) {
    const auto address = common::parse_address(literal);
    if (!address) return tl::unexpected("no IP address: " + literal);
    if (has_own) addresses.push_back(*address);
  }
  std::vector<ice_lite::AnnouncedAddress> announced;
  const auto announce = [&](ice_lite::CandidateTransport transport) {
    for (dtls::UdpEndpoint address : addresses) {
      if (has_own) address.port = port;
      announced.push_back({.address = address, .transport = transport});
    }
  };
  if (options.candidates != LiteCandidates::tcp) announce(ice_lite::CandidateTransport::udp);
  if (options.candidates != LiteCandidates::udp) {
    announce(ice_lite::CandidateTransport::tcp_passive);
  }
  return announced;
}

namespace {

// While a server forwards what has come, all that its clients send waits in one socket: 200 kB, the
// system's default, are full after some 200 reports of viewers, and then media is lost. So it gets
// what every process may have, up to a size that delays nothing for long.
udp::SocketOptions socket_options() {
  constexpr std::size_t kEnough = 1'048'576;
  std::size_t most = 0;
  std::ifstream{"/proc/sys/net/core/rmem_max"} >> most;  // not there: the default remains
  return {.receive_buffer = std::min(most, kEnough)};
}

tl::expected<LiteSockets, std::string> adopt(const AdoptedSockets& passed,
                                             dtls::Environment& environment) {
  auto listener = tcp::Listener::adopt(passed.tcp, environment);
  auto socket = udp::Socket::adopt(passed.udp, socket_options());
  if (!socket) return tl::unexpected("UDP port: " + socket.error());
  if (!listener) return tl::unexpected("TCP port: " + listener.error());
  return LiteSockets{.udp = *std::move(socket), .tcp = *std::move(listener)};
}

}  // namespace

// Port 0: any that is free for both. The kernel chooses that of UDP, which others may have for TCP.
tl::expected<LiteSockets, std::string> open_sockets(const LiteOptions& options,
                                                    dtls::Environment& environment) {
  if (options.adopted) return adopt(*options.adopted, environment);
  constexpr int kTries = 16;
  const std::uint16_t port = options.port;
  for (int tries = 1;; ++tries) {
    const auto address = udp::resolve("*:" + std::to_string(port));
    if (!address) return tl::unexpected(address.error());
    auto socket = udp::Socket::bind(*address, socket_options());
    if (!socket) return tl::unexpected("UDP port: " + socket.error());
    const auto same = udp::resolve("*:" + std::to_string(socket->own().port));
    if (!same) return tl::unexpected(same.error());
    auto listener = tcp::Listener::open(*same, environment);
    if (listener) return LiteSockets{.udp = *std::move(socket), .tcp = *std::move(listener)};
    if (port != 0 || tries == kTries) return tl::unexpected("TCP port: " + listener.error());
  }
}

void forget_connections(ice_lite::IceLiteServer& server, ice_lite::SessionHandle session,
                        dtls::Instant now) {
  for (auto path = server.path_of(session); path && tcp::is_connection(*path);
       path = server.path_of(session)) {
    server.path_closed(*path, now);
  }
}

}  // namespace sluice::interop
