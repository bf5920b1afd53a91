// The SSRCs that one direction of a session knows, by age of use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include <sluice/srtp/session.h>

#include "absent_ssrcs.h"
#include "packet.h"
#include "sent_packets.h"
#include "ssrc_map.h"

namespace sluice::srtp {

// The highest indices that have been received of an inbound SSRC.
struct ReceivedIndices {
  std::optional<std::uint64_t> rtp = {};
  std::optional<std::uint64_t> srtcp = {};
};

// What a session keeps of an SSRC beside libsrtp's stream.
struct SsrcState {
  std::uint32_t ssrc = 0;
  std::size_t shard = 0;                   // where libsrtp's stream is
  std::uint64_t order = 0;                 // of its first packet
  std::unique_ptr<SentPackets> sent = {};  // outbound, from the first RTP packet on
  SsrcStatistics counts = {};              // of packets that were accepted
  ReceivedIndices received = {};           // inbound: by libsrtp's stream
  ReceivedBefore before = {};              // inbound: before it was removed, or moved
  // Inbound: the counter of the first RTP packet, if it was told.
  std::optional<std::uint32_t> expected_roll_overs = {};
  std::list<SsrcState>::iterator place = {};  // in the table

  [[nodiscard]] const IndexHistory& received_before(PacketKind kind) const {
    return kind == PacketKind::rtp ? before.rtp : before.srtcp;
  }
  // By its stream or before.
  [[nodiscard]] std::optional<std::uint64_t> highest_received(PacketKind kind) const;
  // The counter of the first RTP packet, where that has not come.
  [[nodiscard]] std::optional<std::uint32_t> still_expected() const {
    return highest_received(PacketKind::rtp) ? std::nullopt : expected_roll_overs;
  }
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
  [[nodiscard]] SsrcState* find(std::uint32_t ssrc) {
    // Packets of one SSRC often come in a row.
    const bool is_newest = !by_use_.empty() && by_use_.back().ssrc == ssrc;
    return is_newest ? &by_use_.back() : find_in_index(ssrc);
  }
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
  [[nodiscard]] SsrcState* find_in_index(std::uint32_t ssrc) const;

  std::list<SsrcState> by_use_;  // the oldest first
  // Most sessions have few SSRCs: it begins with less than the 13 buckets that it would take by
  // itself.
  SsrcMap<SsrcState*> index_{1};
  std::uint64_t added_ = 0;
};

}  // namespace sluice::srtp
