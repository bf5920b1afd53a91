#include "sfu/http/address_prefixes.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>
#include <variant>

#include "common/ip_address.h"

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

}  // namespace

tl::expected<void, std::string> AddressPrefixes::add(const std::string& text) {
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

bool AddressPrefixes::contains(const dtls::UdpEndpoint& address) const {
  const auto bytes = bytes_of(address);
  return std::ranges::any_of(prefixes_, [&](const Prefix& prefix) {
    if (prefix.bytes.size() != bytes.size()) return false;
    for (std::size_t i = 0; i < prefix.bits; ++i) {
      if (bit_at(prefix.bytes, i) != bit_at(bytes, i)) return false;
    }
    return true;
  });
}

}  // namespace sluice::interop::sfu
