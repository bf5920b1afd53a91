// Where the RTCP of the server to one peer goes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <span>

#include <sluice/rtp/rtcp.h>
#include <sluice/srtp/session.h>

#include "sfu/forwarding/media_port.h"

namespace sluice::interop::sfu {

// An RTCP compound fits the MTU of a path with SRTCP's overhead.
inline constexpr std::size_t kMaxCompound = 1100;
inline constexpr std::size_t kUdpAndIp = 28;  // headers of UDP and IPv4

// Sends a compound of up to kMaxCompound bytes. The size of what was sent, with the headers of UDP
// and IP; 0: it could not be sent.
using RtcpPath = std::function<std::size_t(rtp::Bytes compound)>;

// To the peer of a session of the server. `port` outlives it.
inline RtcpPath rtcp_path(MediaPort& port, ice_lite::SessionHandle session) {
  return [&port, session](rtp::Bytes compound) -> std::size_t {
    const dtls::MutableBytes room = port.outlet.room(compound.size() + srtp::kMaxTrailer);
    if (room.empty()) return 0;
    std::ranges::copy(compound, room.begin());
    const auto sent = port.server.protect_rtcp(session, room, compound.size());
    if (!sent) return 0;
    port.outlet.commit(sent->size, sent->path);
    return sent->size + kUdpAndIp;
  };
}

// A report and what goes with it: a compound begins with one (RFC 3550 section 6.1). What the path
// has returned.
template <class Report, class Packet>
std::size_t send_rtcp(const RtcpPath& path, MediaCounters& counters, const Report& report,
                      const Packet& packet) {
  std::array<std::byte, kMaxCompound> bytes{};
  rtp::CompoundWriter writer(rtp::CompoundForm::full, bytes);
  const bool is_written = writer.add(report) && writer.add(packet);
  const std::size_t size = is_written ? path(writer.compound()) : 0;
  ++(size > 0 ? counters.rtcp_sent : counters.rtcp_not_sent);
  return size;
}

}  // namespace sluice::interop::sfu
