#include "table/host_counts.h"

#include <algorithm>
#include <span>

namespace sluice::dtls::table {
namespace {

// RFC 4291 section 2.5.5.2.
constexpr std::size_t kMappedPrefix = 12;

}  // namespace

HostCounts::Host HostCounts::host_of(const UdpEndpoint& peer) const {
  Host host{};
  if (const auto* v4 = std::get_if<Ipv4Address>(&peer.address)) {
    host[10] = host[11] = std::byte{0xff};
    std::ranges::copy(std::as_bytes(std::span(*v4)), host.begin() + kMappedPrefix);
    return host;
  }
  std::ranges::copy(std::as_bytes(std::span(std::get<Ipv6Address>(peer.address))), host.begin());
  // On a socket for both versions IPv4 addresses come mapped: each is a host.
  const bool is_mapped =
      std::all_of(host.begin(), host.begin() + 10, [](auto byte) { return byte == std::byte{}; }) &&
      host[10] == std::byte{0xff} && host[11] == std::byte{0xff};
  if (is_mapped) return host;
  for (std::size_t i = 0; i < host.size(); ++i) {
    const auto bits = std::clamp(static_cast<int>(ipv6_prefix_) - static_cast<int>(8 * i), 0, 8);
    host[i] &= static_cast<std::byte>(0xff00U >> bits);
  }
  return host;
}

std::uint32_t HostCounts::find(const Host& host, std::uint64_t hash) const {
  return index_.find(hash, [&](std::uint32_t entry) { return entries_[entry].host == host; });
}

std::uint32_t HostCounts::of(const crypto::KeyedHash& hash, const UdpEndpoint& peer) const {
  const Host host = host_of(peer);
  const std::uint32_t found = find(host, hash(host));
  return found == kNoSlot ? 0 : entries_[found].count;
}

void HostCounts::add(const crypto::KeyedHash& hash, const UdpEndpoint& peer) {
  const Host host = host_of(peer);
  const std::uint64_t value = hash(host);
  std::uint32_t entry = find(host, value);
  if (entry == kNoSlot) {
    if (free_ == kNoSlot) {
      entry = static_cast<std::uint32_t>(entries_.size());
      entries_.emplace_back();
    } else {
      entry = free_;
      free_ = entries_[entry].next_free;
    }
    entries_[entry] = {host, 0, kNoSlot};
    index_.insert(value, entry);
  }
  ++entries_[entry].count;
}

void HostCounts::remove(const crypto::KeyedHash& hash, const UdpEndpoint& peer) {
  const Host host = host_of(peer);
  const std::uint64_t value = hash(host);
  const std::uint32_t entry = find(host, value);
  if (entry == kNoSlot || --entries_[entry].count != 0) return;
  index_.erase(value, entry);
  entries_[entry].next_free = free_;
  free_ = entry;
}

}  // namespace sluice::dtls::table
