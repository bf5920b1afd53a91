// Which packets of a source have not come, and when it is asked for them again (RFC 4585).
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include <sluice/dtls/clock.h>
#include <sluice/rtp/numbers.h>
#include <sluice/rtp/rtcp.h>

namespace sluice::interop::sfu {

class MissingPackets {
 public:
  // After a larger gap a key frame is of more use than its packets.
  static constexpr std::size_t kMost = 64;
  // Later a packet comes too late for viewers.
  static constexpr dtls::Duration kPatience = std::chrono::seconds{1};
  // Between two requests for a packet: the round-trip time of most paths, so that what is under way
  // is not asked for again.
  static constexpr dtls::Duration kInterval = std::chrono::milliseconds{100};
  // A packet may come so many places late before it counts as lost.
  static constexpr int kReordering = 2;

  void on_packet(rtp::SequenceNumber number, dtls::Instant now);
  // How many places the packet, which has come, is behind the newest one.
  [[nodiscard]] int behind(rtp::SequenceNumber number) const {
    return rtp::distance(number, highest_.value_or(number));
  }
  // The packets that are due, as entries of a NACK.
  std::vector<rtp::NackEntry> due(dtls::Instant now);
  // Another source has begun.
  void reset() { *this = MissingPackets(); }

 private:
  struct Missing {
    rtp::SequenceNumber number{};
    dtls::Instant since{};
    std::optional<dtls::Instant> asked_at = {};
  };

  std::optional<rtp::SequenceNumber> highest_ = {};
  std::vector<Missing> missing_ = {};  // up to kMost, in the order of their numbers
};

}  // namespace sluice::interop::sfu
