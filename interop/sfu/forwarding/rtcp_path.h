// Where the RTCP of the server to one peer goes, such as the feedback to a publisher.
#pragma once

#include <cstddef>

#include <sluice/dtls/bytes.h>
#include <sluice/rtp/rtcp.h>

#include "sfu/forwarding/counters.h"

namespace sluice::interop::sfu {

// An RTCP compound fits the MTU of a path with SRTCP's overhead.
inline constexpr std::size_t kMaxCompound = 1100;

class RtcpPath {
 public:
  RtcpPath() = default;
  RtcpPath(const RtcpPath&) = delete;
  RtcpPath& operator=(const RtcpPath&) = delete;
  virtual ~RtcpPath() = default;

  // Room for a compound of kMaxCompound bytes at least, valid until send(). Empty: there is none.
  virtual dtls::MutableBytes room() = 0;
  // The first `size` bytes of the last room() are a compound. The size of what was sent, with the
  // headers of UDP and IP; 0: it could not be sent.
  virtual std::size_t send(std::size_t size) = 0;
};

// `write` adds packets to a rtp::CompoundWriter; nothing is sent if it adds none. What
// RtcpPath::send() has returned.
template <class Write>
std::size_t send_rtcp(RtcpPath& path, Counters& counters, Write write) {
  const dtls::MutableBytes room = path.room();
  if (room.empty()) {
    ++counters.rtcp_not_sent;
    return 0;
  }
  rtp::CompoundWriter writer(rtp::CompoundForm::full, room.first(kMaxCompound));
  write(writer);
  if (writer.compound().empty()) return 0;
  const std::size_t size = path.send(writer.compound().size());
  ++(size > 0 ? counters.rtcp_sent : counters.rtcp_not_sent);
  return size;
}

}  // namespace sluice::interop::sfu
