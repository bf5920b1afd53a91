// A call that goes on in the next process: what the demo itself keeps of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include <sluice/dtls/secret.h>

#include "common/sdp/sdp_offer.h"
#include "demo/channel_echo.h"
#include "demo/media_echo.h"

namespace sluice::interop::demo {

// Times since the offer. Empty: not yet.
struct SetupTimes {
  std::optional<dtls::Duration> ice = {};    // first working path
  std::optional<dtls::Duration> dtls = {};   // handshake complete, peer accepted
  std::optional<dtls::Duration> media = {};  // first RTP packet
  std::optional<dtls::Duration> data = {};   // first open data channel
};

struct MovedCall {
  std::string id;
  std::string address;  // the client's
  // Of the offer, what is needed after the answer; the rest is empty.
  std::vector<OfferedSection> sections;
  std::vector<std::uint32_t> ssrcs;  // parallel to the sections
  SetupTimes times;
  dtls::Duration age{};
  std::vector<EchoStreamState> streams;
  Channels channels;
  // An ice_lite::SessionState.
  dtls::SecretBytes transport;
};

struct MovedCalls {
  // Of the system's clock, in microseconds since 1970.
  std::int64_t left_at = 0;
  std::vector<MovedCall> calls = {};
};

// Contains the secrets of the calls.
dtls::SecretBytes encode(const MovedCalls& calls);
// The error says what is wrong.
tl::expected<MovedCalls, std::string> decode_moved_calls(dtls::Bytes bytes);

}  // namespace sluice::interop::demo
