// The SSRCs that one direction of a session knows, by age of use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <sluice/srtp/session.h>

#include "index_history.h"
#include "packet.h"
#include "sent_packets.h"

namespace sluice::srtp {

// Pairwise independent with a key of this process, since peers choose SSRCs.
struct SsrcHash {
  std::size_t operator()(std::uint32_t ssrc) const;
};

// The highest indices that have been received of an inbound SSRC.
struct ReceivedIndices {
  std::optional<std::uint64_t> rtp = {};
  std::optional<std::uint64_t> srtcp = {};
};

// What has been received of an inbound SSRC before its stream in libsrtp began.
struct ReceivedBefore {
  IndexHistory rtp = {};
  IndexHistory srtcp = {};
};

// What a session keeps of an SSRC beside libsrtp's stream.
struct SsrcState {
  std::uint32_t ssrc = 0;
  std::size_t shard = 0;                   // where libsrtp's stream is
  std::uint64_t order = 0;                 // of its first packet
  std::unique_ptr<SentPackets> sent = {};  // outbound, from the first RTP packet on
  ReceivedIndices received = {};           // inbound: by libsrtp's stream
  ReceivedBefore before = {};              // inbound: before it was removed, or moved
  // Inbound: the counter of the first RTP packet, if it was told.
  std::optional<std::uint32_t> expected_roll_overs = {};
  SsrcStatistics counts = {};                 // of packets that were accepted
  std::list<SsrcState>::iterator place = {};  // in the table

  // A packet of so many bytes in plaintext has been accepted.
  void count(PacketKind kind, std::size_t size) {
    if (kind == PacketKind::rtcp) {
      ++counts.rtcp;
      return;
    }
    ++counts.rtp;
    counts.rtp_bytes += size;
  }
};

// Look-up takes constant time.
class SsrcTable {
 public:
  // Null when it isn't known.
  [[nodiscard]] SsrcState* find(std::uint32_t ssrc);
  [[nodiscard]] const SsrcState* find(std::uint32_t ssrc) const {
    return const_cast<SsrcTable*>(this)->find(ssrc);
  }
  // An SSRC that isn't known, as the one used last.
  SsrcState& add(std::uint32_t ssrc, std::size_t shard);
  // Makes one of the table the one used last.
  void touch(const SsrcState& state) {
    if (&state != &by_use_.back()) by_use_.splice(by_use_.end(), by_use_, state.place);
  }
  // The one that was used the longest time ago. There is one.
  [[nodiscard]] const SsrcState& oldest() const { return by_use_.front(); }
  // All, the oldest first.
  [[nodiscard]] const std::list<SsrcState>& by_use() const { return by_use_; }
  void remove(std::uint32_t ssrc);

  [[nodiscard]] std::size_t size() const { return by_use_.size(); }
  // In the order of their first packets.
  [[nodiscard]] std::vector<SsrcStatistics> statistics() const;
  [[nodiscard]] std::vector<std::uint32_t> ssrcs() const;

 private:
  using List = std::list<SsrcState>;

  List by_use_;  // the oldest first
  std::unordered_map<std::uint32_t, SsrcState*, SsrcHash> index_;
  std::uint64_t added_ = 0;
};

template <class T>
using SsrcMap = std::unordered_map<std::uint32_t, T, SsrcHash>;
using SsrcSet = std::unordered_set<std::uint32_t, SsrcHash>;

}  // namespace sluice::srtp
