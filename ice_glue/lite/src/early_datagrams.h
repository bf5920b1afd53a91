// ClientHellos that are ahead of their first check.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/path.h>
#include <sluice/ice_lite/ice_lite_server.h>

#include "crypto/keyed_hash.h"
#include "table/host_counts.h"
#include "table/slot_index.h"

namespace sluice::ice_lite {

// Whether it is a plaintext handshake record of DTLS (RFC 9147 section 4, RFC 6347 section 4.1), as
// the datagrams of a ClientHello are.
bool may_be_client_hello(dtls::Bytes datagram);

// Tuples take their places one after the other, so that a new one displaces the oldest. The memory
// stays as large as it has ever been.
class EarlyDatagrams {
 public:
  // What became of the datagrams that were there, beside that of keep().
  struct Gone {
    std::size_t displaced = 0;
    std::size_t expired = 0;
  };
  enum class Kept : std::uint8_t { yes, full, large };

  explicit EarlyDatagrams(const ServerOptions& options)
      : max_tuples_(options.max_early_tuples),
        max_of_host_(options.max_early_tuples_per_host),
        hosts_(options.ipv6_host_prefix) {}

  // `hash` is the keyed hash of the path. Copies the datagram.
  Kept keep(const dtls::crypto::KeyedHash& keyed, std::uint64_t hash, const dtls::UdpPath& path,
            dtls::Bytes datagram, dtls::Instant now, Gone& gone);
  // The datagrams of this path in their order, which are no longer kept: valid until keep().
  std::span<dtls::Buffer> take(const dtls::crypto::KeyedHash& keyed, std::uint64_t hash,
                               const dtls::UdpPath& path, dtls::Instant now);

 private:
  struct Entry {
    dtls::UdpPath path;
    std::uint64_t hash = 0;
    dtls::Instant since{};
    std::array<dtls::Buffer, kMaxEarlyDatagrams> datagrams;
    std::size_t count = 0;  // 0: the entry is free
  };
  using Number = dtls::table::SlotNumber;

  [[nodiscard]] Number find(std::uint64_t hash, const dtls::UdpPath& path) const;
  void release(const dtls::crypto::KeyedHash& keyed, Number number);
  void expire(const dtls::crypto::KeyedHash& keyed, dtls::Instant now, Gone& gone);

  std::size_t max_tuples_;
  std::size_t max_of_host_;
  dtls::table::HostCounts hosts_;
  dtls::table::SlotIndex index_;
  std::vector<Entry> entries_;
  std::size_t next_ = 0;    // the entry that the next tuple takes: free, or the oldest in use
  std::size_t oldest_ = 0;  // from here on entries in use become younger
};

}  // namespace sluice::ice_lite
