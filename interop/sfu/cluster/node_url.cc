#include "sfu/cluster/node_url.h"

#include <algorithm>
#include <cstdint>

#include "common/ip_address.h"
#include "common/sdp/sdp_text.h"

namespace sluice::interop::sfu {
namespace {

bool is_name(std::string_view host) {
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-';
  });
}

}  // namespace

tl::expected<Url, std::string> parse_node_url(const std::string& text) {
  const auto refuse = [](const char* why) {
    return tl::unexpected("The URL of a node " + std::string{why} + ".");
  };
  if (text.size() > kMaxNodeUrl) return refuse("is too long");
  auto url = parse_url(text);
  if (!url) return refuse("begins with http:// or https:// and has a host");
  if (url->path != "/") return refuse("has no path");
  const auto port = number<std::uint16_t>(url->port);
  if (!port || *port == 0) return refuse("has a port from 1 to 65535");
  const bool is_ipv6 = url->origin.find('[') != std::string::npos;
  const auto literal = common::parse_address(url->host);
  if (is_ipv6 ? !literal : !is_name(url->host)) return refuse("has a name or an IP address");
  return url;
}

std::optional<std::vector<std::string>> parse_path(std::string_view text, std::size_t most) {
  std::vector<std::string> path;
  while (!text.empty()) {
    std::string_view word = take(text, ',');
    while (word.starts_with(' ')) word.remove_prefix(1);
    const auto url = parse_node_url(std::string{word});
    if (!url || path.size() == most) return std::nullopt;
    path.push_back(url->origin);
  }
  return path;
}

std::string path_text(const std::vector<std::string>& path) {
  std::string text;
  for (const std::string& node : path) text += (text.empty() ? "" : ", ") + node;
  return text;
}

void NodeNetworks::add_default() {
  for (const char* prefix :
       {"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1", "fc00::/7"}) {
    (void)prefixes_.add(prefix);
  }
}

std::vector<dtls::UdpEndpoint> NodeNetworks::among(std::vector<dtls::UdpEndpoint> addresses) const {
  std::erase_if(addresses, [this](const auto& each) { return !prefixes_.contains(each); });
  return addresses;
}

tl::expected<dtls::UdpEndpoint, std::string> NodeNetworks::resolve(const Url& node) const {
  auto address = interop::resolve(node);
  if (!address) return address;
  if (!prefixes_.contains(*address)) {
    return tl::unexpected<std::string>("it is outside of the networks of the cluster");
  }
  return address;
}

}  // namespace sluice::interop::sfu
