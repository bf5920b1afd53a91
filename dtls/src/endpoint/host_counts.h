// How many connections each host has.
#pragma once

#include <array>
#include <vector>

#include <sluice/dtls/udp_endpoint.h>

#include "crypto/keyed_hash.h"
#include "endpoint/slot_index.h"

namespace sluice::dtls::endpoint {

// Hosts with nothing to count take no memory but the room for the most there have been at once.
class HostCounts {
 public:
  // Of an IPv6 address so many bits say which host it is.
  explicit HostCounts(unsigned ipv6_prefix) : ipv6_prefix_(ipv6_prefix) {}

  [[nodiscard]] std::uint32_t of(const crypto::KeyedHash& hash, const UdpEndpoint& peer) const;
  void add(const crypto::KeyedHash& hash, const UdpEndpoint& peer);
  void remove(const crypto::KeyedHash& hash, const UdpEndpoint& peer);

  // Hosts that have something to count.
  [[nodiscard]] std::size_t hosts() const { return index_.size(); }

 private:
  using Host = std::array<std::byte, 16>;  // an IPv4 address is mapped (RFC 4291 section 2.5.5.2)
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

}  // namespace sluice::dtls::endpoint
