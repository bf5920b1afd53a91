// The header fields in which proxies say whom a request came from.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/dtls/udp_endpoint.h>

namespace sluice::interop::sfu {

// The values of "for" in the field Forwarded (RFC 7239 section 4), in their order; that of an
// element without it is empty. Empty: the field breaks the grammar.
std::optional<std::vector<std::string>> forwarded_nodes(std::string_view field);

// The elements of X-Forwarded-For, which has no grammar but commas.
std::vector<std::string> x_forwarded_for_nodes(std::string_view field);

// The address of a node, which may have a port: "192.0.2.1:80", "[2001:db8::1]:80", "2001:db8::1".
// Empty: it has none, as "unknown" and "_hidden" have none (RFC 7239 section 6).
std::optional<dtls::UdpEndpoint> node_address(std::string_view node);

}  // namespace sluice::interop::sfu
