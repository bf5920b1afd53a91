// The offer of a node that pulls a publisher from another one, and what its answer says.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/udp_endpoint.h>
#include <sluice/ice_lite/session.h>
#include <sluice/rtp/numbers.h>

#include "common/sdp/answer_reader.h"
#include "sfu/signalling/negotiation.h"

namespace sluice::interop::sfu {

// One audio and one video section with all formats that are forwarded, NACK and the header
// extensions that are forwarded, without RTX: what is sent again comes under its own number.
// `own`: the only candidate.
std::string write_pull_offer(const ice_lite::Credentials& ice, const dtls::Fingerprint& fingerprint,
                             const dtls::UdpEndpoint& own);

// A track that comes, and the SSRC of each of its layers.
struct PulledTrack {
  PublishedTrack agreed;
  std::vector<rtp::Ssrc> sources = {};
};
struct PullAnswer {
  Answer answer;
  std::vector<PulledTrack> tracks = {};  // one or two
};
// The error says what is wrong: an answer is as little trusted as an offer is.
tl::expected<PullAnswer, std::string> read_pull_answer(std::string_view sdp);

}  // namespace sluice::interop::sfu
