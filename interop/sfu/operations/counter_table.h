// The counters that have neither a reason nor a kind, with their names.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "sfu/operations/counters.h"

namespace sluice::interop::sfu {

struct NamedCounter {
  std::string_view key;     // in /sessions
  std::string_view metric;  // in /metrics
  std::string_view help;
  std::uint64_t Counters::* value;
};

inline constexpr auto kCounters = std::to_array<NamedCounter>({
    {"publishers", "sluice_sfu_publishers_created_total", "Sessions of publishers that were made.",
     &Counters::publishers},
    {"viewers", "sluice_sfu_viewers_created_total", "Sessions of viewers that were made.",
     &Counters::viewers},
    {"rooms", "sluice_sfu_rooms_created_total", "Rooms that were made.", &Counters::rooms},
    {"pulled", "sluice_sfu_pulled_streams_total",
     "Publishers that were pulled from other nodes of the cluster.", &Counters::pulled},
    {"counter_offers", "sluice_sfu_counter_offers_total",
     "Offers to viewers whose own could not be taken.", &Counters::counter_offers},
    {"ice_restarts", "sluice_sfu_ice_restarts_total", "ICE restarts that were answered.",
     &Counters::ice_restarts},
    {"ice_refused", "sluice_sfu_ice_refused_total", "PATCH requests that were refused.",
     &Counters::ice_refused},
    {"rtp_received", "sluice_sfu_rtp_received_packets_total", "RTP packets of publishers.",
     &Counters::rtp_received},
    {"rtp_dropped", "sluice_sfu_rtp_dropped_packets_total",
     "RTP packets that belong to no track, or were not agreed on.", &Counters::rtp_dropped},
    {"malformed", "sluice_sfu_malformed_packets_total",
     "RTP and RTCP packets that could not be read.", &Counters::malformed},
    {"key_frames_needed", "sluice_sfu_key_frames_needed_total",
     "Requests of viewers for a key frame, and viewers that joined.", &Counters::key_frames_needed},
    {"key_frames_asked", "sluice_sfu_key_frames_asked_total",
     "Requests to publishers for a key frame.", &Counters::key_frames_asked},
    {"nacks_sent", "sluice_sfu_nacks_sent_total",
     "Requests to publishers for packets that were missing.", &Counters::nacks_sent},
    {"nacked", "sluice_sfu_nacked_packets_total", "Packets that viewers have asked for again.",
     &Counters::nacked},
    {"repeated", "sluice_sfu_repeated_packets_total", "Packets that were sent again.",
     &Counters::repeated},
    {"not_cached", "sluice_sfu_not_cached_packets_total",
     "Packets that viewers have asked for and the server did not have.", &Counters::not_cached},
    {"over_budget", "sluice_sfu_over_budget_packets_total",
     "Packets that were not sent again, since the viewer has asked for too many.",
     &Counters::over_budget},
    {"rtcp_sent", "sluice_sfu_rtcp_sent_packets_total", "RTCP packets that were sent.",
     &Counters::rtcp_sent},
    {"rtcp_not_sent", "sluice_sfu_rtcp_not_sent_packets_total",
     "RTCP packets that could not be sent.", &Counters::rtcp_not_sent},
});

// A counter that is missing above would be missing in /sessions and /metrics.
static_assert(sizeof(Counters) ==
              sizeof(std::uint64_t) * (kCounters.size() + kRefusalNames.size() + kEndNames.size()) +
                  sizeof(ice_lite::ForwardCounts) + sizeof(DataCounters));

template <class Numbers>
void add_numbers(Numbers& sum, const Numbers& more) {
  std::ranges::transform(sum, more, sum.begin(), std::plus{});
}

// Of several workers.
inline void add_counters(Counters& sum, const Counters& more) {
  for (const NamedCounter& each : kCounters) sum.*each.value += more.*each.value;
  add_numbers(sum.refused, more.refused);
  add_numbers(sum.ended, more.ended);
  sum.forwarded.packets += more.forwarded.packets;
  sum.forwarded.bytes += more.forwarded.bytes;
  sum.forwarded.no_room += more.forwarded.no_room;
  add_numbers(sum.forwarded.not_forwarded, more.forwarded.not_forwarded);
  add_numbers(sum.forwarded.refused, more.forwarded.refused);
  sum.data.received += more.data.received;
  sum.data.relayed += more.data.relayed;
  sum.data.sent += more.data.sent;
  add_numbers(sum.data.dropped, more.data.dropped);
  add_numbers(sum.data.dropped_by_associations, more.data.dropped_by_associations);
}

// What add_counters() does not know would be missing.
static_assert(sizeof(ice_lite::ForwardCounts) ==
              sizeof(std::uint64_t) * (3 + rtp::kNotForwardedReasons + srtp::kPacketErrors));
static_assert(sizeof(DataCounters) ==
              sizeof(std::uint64_t) * (3 + kDataDropNames.size() + data_channel::kDropReasons));

}  // namespace sluice::interop::sfu
