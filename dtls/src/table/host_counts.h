// Counts the connections of each host.
#pragma once

#include <array>
#include <vector>

#include <sluice/dtls/udp_endpoint.h>

#include "crypto/keyed_hash.h"
#include "table/slot_index.h"

namespace sluice::dtls::table {

// The longest prefix of IPv6.
inline constexpr unsigned kIpv6Bits = 128;

// A host whose count is zero has no entry. The entries' memory stays as large as it has ever been.
class HostCounts {
 public:
  // The host of an IPv6 address is its first `ipv6_prefix` bits.
  explicit HostCounts(unsigned ipv6_prefix) : ipv6_prefix_(ipv6_prefix) {}

  [[nodiscard]] std::uint32_t of(const crypto::KeyedHash& hash, const UdpEndpoint& peer) const;
  void add(const crypto::KeyedHash& hash, const UdpEndpoint& peer);
  void remove(const crypto::KeyedHash& hash, const UdpEndpoint& peer);

  // Hosts whose count is not zero.
  [[nodiscard]] std::size_t hosts() const { return index_.size(); }

 private:
  using Host = std::array<std::byte, 16>;  // IPv4 as mapped addresses (RFC 4291 section 2.5.5.2)
  struct Entry {
    Host host;
    std::uint32_t count;
    std::uint32_t next_free;
  };

  [[nodiscard]] Host host_of(const UdpEndpoint& peer) const;
  [[nodiscard]] std::uint32_t find(const Host& host, std::uint64_t hash) const;

  unsigned ipv6_prefix_;
  SlotIndex index_;  // into entries_
  std::vector<Entry> entries_;
  std::uint32_t free_ = kNoSlot;
};

}  // namespace sluice::dtls::table
