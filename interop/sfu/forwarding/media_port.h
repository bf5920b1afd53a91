// What tracks and viewers send by.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <sluice/dtls/clock.h>
#include <sluice/ice_lite/ice_lite_server.h>
#include <sluice/rtp/rtcp.h>
#include <sluice/srtp/session.h>

#include "common/media_clock.h"
#include "sfu/forwarding/counters.h"
#include "sfu/forwarding/outlet.h"

namespace sluice::interop::sfu {

// An RTCP compound fits the MTU of a path with SRTCP's overhead.
inline constexpr std::size_t kMaxCompound = 1100;

using common::media_time;

// References: everything in it outlives what uses it.
struct MediaPort {
  ice_lite::IceLiteServer& server;
  Outlet& outlet;
  Counters& counters;

  // `write` adds packets to a rtp::CompoundWriter; nothing is sent if it adds none. The size of
  // what was sent, with the headers of UDP and IP; 0: nothing.
  template <class Write>
  std::size_t send_rtcp(ice_lite::SessionHandle session, Write write) {
    const dtls::MutableBytes room = outlet.room(kMaxCompound + srtp::kMaxTrailer);
    if (room.empty()) {
      ++counters.rtcp_not_sent;
      return 0;
    }
    rtp::CompoundWriter writer(rtp::CompoundForm::full, room.first(kMaxCompound));
    write(writer);
    if (writer.compound().empty()) return 0;
    const auto sent = server.protect_rtcp(session, room, writer.compound().size());
    if (!sent) {
      ++counters.rtcp_not_sent;
      return 0;
    }
    outlet.commit(sent->size, sent->path);
    ++counters.rtcp_sent;
    constexpr std::size_t kUdpAndIp = 28;
    return sent->size + kUdpAndIp;
  }
};

}  // namespace sluice::interop::sfu
