// What is counted of packets and their feedback.
#pragma once

#include <cstdint>

#include <sluice/ice_lite/forward.h>

namespace sluice::interop::sfu {

struct MediaCounters {
  // ---- from publishers
  std::uint64_t rtp_received = 0;
  // Of no track, of a payload type that was not agreed on, or with a malformed header extension.
  std::uint64_t rtp_dropped = 0;
  std::uint64_t malformed = 0;  // RTP and RTCP that can't be read, of any peer
  std::uint64_t key_frames_asked = 0;
  std::uint64_t nacks_sent = 0;  // each is about up to 64 packets that are missing
  // ---- from viewers
  std::uint64_t key_frames_needed = 0;  // each PLI and FIR, and each viewer that joins
  std::uint64_t nacked = 0;             // packets that viewers have asked for
  std::uint64_t repeated = 0;           // of them those that were sent again
  std::uint64_t not_cached = 0;         // those that the server has not, or no longer
  std::uint64_t over_budget = 0;        // those above kMaxRepeats
  // ---- to all
  std::uint64_t rtcp_sent = 0;
  std::uint64_t rtcp_not_sent = 0;  // no room, or refused by SRTP
  ice_lite::ForwardCounts forwarded;
};

}  // namespace sluice::interop::sfu
