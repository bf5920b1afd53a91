// What a session is restored from, and its form as bytes (docs/live-sessions.md).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <sluice/dtls/error.h>
#include <sluice/dtls/protocol.h>

#include "index_history.h"

namespace sluice::srtp {

struct OutboundStream {
  std::uint32_t ssrc = 0;
  IndexHistory rtp = {};
  // An SRTCP packet under the newest index that was used. Nobody has sent it.
  dtls::Buffer last_srtcp = {};
};

struct InboundStream {
  std::uint32_t ssrc = 0;
  IndexHistory rtp = {};
  IndexHistory srtcp = {};
  // The roll-over counter of its first RTP packet, which has not come.
  std::optional<std::uint32_t> expected_roll_overs = {};
};

struct StreamStates {
  dtls::SrtpProfile profile = {};
  std::vector<OutboundStream> outbound = {};  // in the order of their last use
  std::vector<std::uint32_t> retired = {};    // outbound, ascending
  std::vector<InboundStream> inbound = {};    // ascending

  [[nodiscard]] dtls::Buffer encode() const;
  // Takes only what encode() writes. Errors: decode_error.
  static dtls::Result<StreamStates> decode(dtls::Bytes bytes);
};

}  // namespace sluice::srtp
