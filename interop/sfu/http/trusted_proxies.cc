#include "sfu/http/trusted_proxies.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ranges>
#include <system_error>
#include <variant>

#include "common/ip_address.h"
#include "sfu/http/forwarded_field.h"

namespace sluice::interop::sfu {
namespace {

constexpr std::size_t kByteBits = 8;

std::vector<std::uint8_t> bytes_of(const dtls::UdpEndpoint& address) {
  return std::visit([](const auto& bytes) { return std::vector(bytes.begin(), bytes.end()); },
                    address.address);
}

bool bit_at(const std::vector<std::uint8_t>& bytes, std::size_t index) {
  return (bytes[index / kByteBits] >> (kByteBits - 1 - index % kByteBits) & 1) != 0;
}

// The lines of a field as one (RFC 9110 section 5.3). Empty: the request has none.
std::optional<std::string> field_of(const httplib::Request& request, const char* name) {
  const auto [first, last] = request.headers.equal_range(name);
  if (first == last) return std::nullopt;
  std::string all = first->second;
  for (auto line = std::next(first); line != last; ++line) all += "," + line->second;
  return all;
}

}  // namespace

tl::expected<void, std::string> TrustedProxies::add(const std::string& text) {
  const auto slash = text.find('/');
  const auto address = common::read_address(text.substr(0, slash));
  if (!address) return tl::unexpected(text + ": no IP address or prefix of one");
  Prefix prefix{.bytes = bytes_of(*address), .bits = 0};
  const std::size_t all = prefix.bytes.size() * kByteBits;
  prefix.bits = all;
  if (slash != std::string::npos) {
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + slash + 1, end, prefix.bits);
    if (read.ec != std::errc{} || read.ptr != end || prefix.bits > all) {
      return tl::unexpected(text + ": no length of a prefix");
    }
  }
  for (std::size_t i = prefix.bits; i < all; ++i) {
    if (bit_at(prefix.bytes, i)) return tl::unexpected(text + ": bits are set after the prefix");
  }
  prefixes_.push_back(std::move(prefix));
  return {};
}

bool TrustedProxies::contains(const std::string& address) const {
  const auto read = common::read_address(address);
  return read && contains(*read);
}

bool TrustedProxies::contains(const dtls::UdpEndpoint& address) const {
  const auto bytes = bytes_of(address);
  return std::ranges::any_of(prefixes_, [&](const Prefix& prefix) {
    if (prefix.bytes.size() != bytes.size()) return false;
    for (std::size_t i = 0; i < prefix.bits; ++i) {
      if (bit_at(prefix.bytes, i) != bit_at(bytes, i)) return false;
    }
    return true;
  });
}

tl::expected<std::string, std::string> TrustedProxies::last_untrusted(
    const std::vector<std::string>& nodes) const {
  std::optional<dtls::UdpEndpoint> found;
  std::size_t proxies = 0;
  for (const std::string& node : std::views::reverse(nodes)) {
    found = node_address(node);
    if (!found) return tl::unexpected<std::string>("The proxy says no address of its client.");
    if (!contains(*found)) break;
    if (++proxies == kMaxProxies) return tl::unexpected<std::string>("There are too many proxies.");
  }
  // All of them are proxies: the first of them has asked by itself.
  return common::address_text(*found);
}

tl::expected<std::string, std::string> TrustedProxies::client_of(
    const httplib::Request& request) const {
  const auto own = common::read_address(request.remote_addr);
  std::string peer = own ? common::address_text(*own) : request.remote_addr;
  if (!own || !contains(*own)) return peer;
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
