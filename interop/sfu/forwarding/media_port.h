// What tracks and viewers send by.
#pragma once

#include <cstddef>

#include <sluice/dtls/clock.h>
#include <sluice/ice_lite/ice_lite_server.h>
#include <sluice/srtp/session.h>

#include "common/media_clock.h"
#include "sfu/forwarding/counters.h"
#include "sfu/forwarding/outlet.h"
#include "sfu/forwarding/rtcp_path.h"

namespace sluice::interop::sfu {

using common::media_time;

// References: everything in it outlives what uses it.
struct MediaPort {
  ice_lite::IceLiteServer& server;
  Outlet& outlet;
  Counters& counters;
};

// To the peer of a session of the server.
class SessionRtcp final : public RtcpPath {
 public:
  // `port` outlives it.
  SessionRtcp(MediaPort& port, ice_lite::SessionHandle session) : port_(&port), session_(session) {}

  dtls::MutableBytes room() override {
    return room_ = port_->outlet.room(kMaxCompound + srtp::kMaxTrailer);
  }
  std::size_t send(std::size_t size) override {
    const auto sent = port_->server.protect_rtcp(session_, room_, size);
    if (!sent) return 0;
    port_->outlet.commit(sent->size, sent->path);
    constexpr std::size_t kUdpAndIp = 28;
    return sent->size + kUdpAndIp;
  }

 private:
  MediaPort* port_;
  ice_lite::SessionHandle session_;
  dtls::MutableBytes room_ = {};
};

}  // namespace sluice::interop::sfu
