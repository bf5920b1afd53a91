// The URL of a node of a cluster, which is its name: "http://192.0.2.1:8080".
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/client/whip_client.h"
#include "sfu/http/address_prefixes.h"

namespace sluice::interop::sfu {

inline constexpr std::size_t kMaxNodeUrl = 256;

// Only what the server prints of itself is one: http or https, a name or an IP literal, and a port
// where it is not the scheme's; no user, path, query or fragment, but for one "/" at the end. The
// error is a sentence.
tl::expected<Url, std::string> parse_node_url(const std::string& text);

// The nodes that a stream has come over, in a header field: URLs with ", " between them. Empty: one
// of them is none, or there are more than `most`.
std::optional<std::vector<std::string>> parse_path(std::string_view text, std::size_t most);
std::string path_text(const std::vector<std::string>& path);

// The networks of the nodes. What comes from the registry or a node may name others, and neither a
// request with the token nor media must go there.
class NodeNetworks {
 public:
  // "192.0.2.1", "2001:db8::/32". The error says what is wrong.
  tl::expected<void, std::string> add(const std::string& text) { return prefixes_.add(text); }
  // The address that the node is to be asked at. The error says that it is outside, or that its
  // name has no address. Waits for the system's resolver.
  [[nodiscard]] tl::expected<dtls::UdpEndpoint, std::string> resolve(const Url& node) const;
  // Those of these addresses that are of nodes: an answer may name others, too.
  [[nodiscard]] std::vector<dtls::UdpEndpoint> among(
      std::vector<dtls::UdpEndpoint> addresses) const;
  // Where none is added: loopback, and the private networks of RFC 1918 and RFC 4193.
  void add_default();

 private:
  AddressPrefixes prefixes_;
};

}  // namespace sluice::interop::sfu
