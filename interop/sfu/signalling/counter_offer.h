// What the server offers to a viewer whose own offer can't be taken (draft-ietf-wish-whep-04).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <sluice/rtp/numbers.h>

#include "common/sdp/answer_reader.h"
#include "common/sdp/sdp_offer.h"
#include "common/sdp/transport_description.h"
#include "sfu/forwarding/media_format.h"
#include "sfu/signalling/negotiation.h"

namespace sluice::interop::sfu {

// An offer of the server. Within it, it is what a viewer would have offered to get that as the
// answer: one way of negotiating is enough.
class CounterOffer {
 public:
  // One section for each kind in `published`: what somebody sends now, its codecs first, and all
  // others of the kind after them, for publishers that come later. `has_data`: and data channels.
  CounterOffer(std::span<const Format* const> published, bool has_data, rtp::Ssrc (*ssrc)());

  // `transport` is ours.
  [[nodiscard]] std::string write(TransportDescription transport, std::uint64_t session_id) const;

  // What the viewer's answer accepts, with the SSRCs of the offer. `answer` has its sections that
  // can't be used rejected afterwards. The error is a sentence: it is no answer to this offer, or
  // takes nothing of it.
  [[nodiscard]] SdpResult<Agreement<ViewedStream>> agree(Answer& answer, rtp::Ssrc (*ssrc)()) const;

 private:
  Offer mirrored_;
  std::vector<AnsweredSection> sections_;
};

}  // namespace sluice::interop::sfu
