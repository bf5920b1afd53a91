// The offer of a client, and what its answer says about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/udp_endpoint.h>
#include <sluice/ice_lite/session.h>
#include <sluice/rtp/numbers.h>

#include "common/sdp/answer_reader.h"
#include "load/recording/recording.h"
#include "load/viewer.h"

namespace sluice::interop::load {

// A section of the offer.
struct OfferedStream {
  SectionKind kind = SectionKind::video;
  rtp::Ssrc ssrc{};                                 // of a publisher
  std::shared_ptr<const Recording> recording = {};  // which has another codec; null: VP8 or Opus
};

struct ClientOffer {
  bool publishes = false;
  std::vector<OfferedStream> streams = {};
  // A viewer asks for lost packets. Their repetition comes under their own number: RTX is not
  // offered.
  bool has_nack = false;
  ice_lite::Credentials ice = {};
  dtls::Fingerprint fingerprint = {};
  dtls::UdpEndpoint own = {};  // the only candidate
};

// VP8 and Opus, or the codecs of recordings, one BUNDLE group, actpass, and no candidates to come.
std::string write_offer(const ClientOffer& offer);

// The payload types that the answer takes, in order of the offer's sections. The error says which
// section it does not take.
tl::expected<std::vector<rtp::PayloadType>, std::string> accepted_types(const ClientOffer& offer,
                                                                        const Answer& answer);
// The same for a viewer, which needs one section.
tl::expected<PayloadKinds, std::string> accepted_kinds(const ClientOffer& offer,
                                                       const Answer& answer);

// A viewer's answer to an offer of the server, and what comes by it.
struct OfferTaken {
  std::string answer;
  PayloadKinds kinds = {};
};
// Takes the sections that `own` has, too: of each as many as there, with the codec that it has. The
// others are rejected. The error: there are none.
tl::expected<OfferTaken, std::string> take_offer(const ClientOffer& own, Offer offered);

}  // namespace sluice::interop::load
