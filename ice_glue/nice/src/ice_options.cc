#include <arpa/inet.h>
#include <sluice/nice/ice_options.h>

#include <algorithm>
#include <array>
#include <limits>

#include "ice_text.h"

namespace sluice::nice {
namespace {

bool is_ip_literal(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

auto invalid(std::string_view field) {
  return tl::unexpected(TransportError{TransportErrc::invalid_options, field});
}

bool is_server(const std::string& host, std::uint16_t port) { return !host.empty() && port != 0; }

}  // namespace

TransportResult<void> check(const IceOptions& options) {
  using Milliseconds = std::chrono::milliseconds;
  if (options.stun_server && !is_server(options.stun_server->host, options.stun_server->port)) {
    return invalid("stun_server");
  }
  const auto& relays = options.turn_servers;
  if (relays.size() > IceOptions::kMaxTurnServers ||
      !std::all_of(relays.begin(), relays.end(),
                   [](const TurnServer& server) { return is_server(server.host, server.port); })) {
    return invalid("turn_servers");
  }
  if (options.relay_only && relays.empty()) return invalid("relay_only");
  const auto& addresses = options.local_addresses;
  if (addresses.size() > IceOptions::kMaxLocalAddresses ||
      !std::all_of(addresses.begin(), addresses.end(), is_ip_literal)) {
    return invalid("local_addresses");
  }
  if ((options.min_port == 0) != (options.max_port == 0)) return invalid("min_port");
  if (options.min_port > options.max_port) return invalid("max_port");
  if (options.pacing < Milliseconds{1} || options.pacing > Milliseconds{1000}) {
    return invalid("pacing");
  }
  if (options.timeout < Milliseconds{0}) return invalid("timeout");
  return {};
}

TransportResult<void> check(const IceCredentials& credentials) {
  const auto invalid_part = [](std::string_view part) {
    return tl::unexpected(TransportError{TransportErrc::invalid_credentials, part});
  };
  const auto fits = [](const std::string& text, std::size_t least) {
    return text.size() >= least && text.size() <= 256 && is_credential_text(text);
  };
  if (!fits(credentials.ufrag, 4)) return invalid_part("ufrag");
  if (!fits(credentials.pwd, 22)) return invalid_part("pwd");
  return {};
}

}  // namespace sluice::nice
