#include "sfu/http/trusted_proxies.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <ranges>

#include "common/ip_address.h"
#include "sfu/http/forwarded_field.h"

namespace sluice::interop::sfu {
namespace {

// The lines of a field as one (RFC 9110 section 5.3). Empty: the request has none.
std::optional<std::string> field_of(const httplib::Request& request, const char* name) {
  const auto [first, last] = request.headers.equal_range(name);
  if (first == last) return std::nullopt;
  std::string all = first->second;
  for (auto line = std::next(first); line != last; ++line) all += "," + line->second;
  return all;
}

}  // namespace

bool TrustedProxies::contains(const std::string& address) const {
  const auto read = common::read_address(address);
  return read && prefixes_.contains(*read);
}

tl::expected<std::string, std::string> TrustedProxies::last_untrusted(
    const std::vector<std::string>& nodes) const {
  std::optional<dtls::UdpEndpoint> found;
  std::size_t proxies = 0;
  for (const std::string& node : std::views::reverse(nodes)) {
    found = node_address(node);
    if (!found) return tl::unexpected<std::string>("The proxy says no address of its client.");
    if (!prefixes_.contains(*found)) break;
    if (++proxies == kMaxProxies) return tl::unexpected<std::string>("There are too many proxies.");
  }
  // All of them are proxies: the first of them has asked by itself.
  return common::address_text(*found);
}

tl::expected<std::string, std::string> TrustedProxies::client_of(
    const httplib::Request& request) const {
  const auto own = common::read_address(request.remote_addr);
  std::string peer = own ? common::address_text(*own) : request.remote_addr;
  if (!own || !prefixes_.contains(*own)) return peer;
  const auto forwarded = field_of(request, "Forwarded");
  const auto x_forwarded_for = field_of(request, "X-Forwarded-For");
  if ((forwarded && forwarded->size() > kMaxField) ||
      (x_forwarded_for && x_forwarded_for->size() > kMaxField)) {
    return tl::unexpected<std::string>("The header field of the proxies is too long.");
  }
  std::optional<std::string> client;
  if (forwarded) {
    const auto nodes = forwarded_nodes(*forwarded);
    if (!nodes) return tl::unexpected<std::string>("The field Forwarded can't be read.");
    auto found = last_untrusted(*nodes);
    if (!found) return found;
    client = *std::move(found);
  }
  if (x_forwarded_for) {
    auto found = last_untrusted(x_forwarded_for_nodes(*x_forwarded_for));
    if (!found) return found;
    // A client that sends the field that its proxy leaves alone would choose its address.
    if (client && *client != *found) {
      return tl::unexpected<std::string>("Forwarded and X-Forwarded-For name different clients.");
    }
    client = *std::move(found);
  }
  return client.value_or(peer);
}

}  // namespace sluice::interop::sfu
