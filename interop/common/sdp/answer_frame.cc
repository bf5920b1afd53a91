#include "common/sdp/answer_frame.h"

#include <sluice/ice_lite/description.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/sdp/transport_attributes.h"

namespace sluice::interop {
namespace {

constexpr unsigned kDiscardPort = 9;  // RFC 8840 section 4.1.1: candidates replace it

// RFC 9143 section 7.3: the group in the offer's order, without rejected sections.
std::string accepted_group(const Offer& offer) {
  std::string group;
  for (const auto& mid : offer.bundle) {
    const auto section = std::ranges::find(offer.sections, mid, &OfferedSection::mid);
    if (section->accepted()) group += " " + mid;
  }
  return group;
}

void add_session_level(SdpAttributes& attributes, const std::string& group,
                       const AgentOptions& agent) {
  if (!group.empty()) attributes.add("group", "BUNDLE" + group);
  if (agent.ice_lite) attributes.add("ice-lite");
  // RFC 8445 section 10: a lite agent that conforms to it says ice2. It has no candidates to
  // trickle.
  std::string ice_options = agent.ice_lite ? "ice2" : "trickle";
  if (agent.ice_lite && agent.takes_trickle) ice_options += " trickle";
  if (agent.dtls_in_stun) ice_options += " " + std::string{ice_lite::kDtlsInStunOption};
  attributes.add("ice-options", ice_options);
}

// The mid of the section that describes the transport. Empty: there is no group.
std::string tagged_mid(const std::string& group) {
  return group.substr(group.empty() ? 0 : 1, group.find(' ', 1) - 1);
}

}  // namespace

SdpDocument begin_answer(const Offer& offer, const TransportDescription& transport,
                         const AgentOptions& agent) {
  SdpDocument document;
  const std::string group = accepted_group(offer);
  const std::string tagged = tagged_mid(group);
  add_session_level(document.attributes, group, agent);

  for (const auto& section : offer.sections) {
    SdpMedia media{.kind = section.media,
                   .port = section.accepted() ? kDiscardPort : 0,
                   .protocol = section.protocol,
                   .formats = section.formats,
                   .attributes = {}};
    if (!section.mid.empty()) media.attributes.add("mid", section.mid);
    if (section.accepted()) {
      add_transport(media.attributes, transport);
      if (section.mid == tagged || group.empty()) add_candidates(media.attributes, transport);
      // RFC 9335 section 4: in all RTP sections of a BUNDLE group.
      if (section.is_rtp() && transport.cryptex) media.attributes.add("cryptex");
    } else if (section.is_rtp()) {
      media.attributes.add("inactive");
    }
    document.media.push_back(std::move(media));
  }
  return document;
}

SdpDocument begin_fragment(const Offer& offer, const AgentOptions& agent) {
  const std::string group = accepted_group(offer);
  SdpDocument fragment;
  add_session_level(fragment.attributes, group, agent);
  const std::string tagged = tagged_mid(group);
  for (const auto& section : offer.sections) {
    if (!section.accepted() || (!group.empty() && section.mid != tagged)) continue;
    // RFC 8840 section 4.4: of this line only the place matters. One format is enough.
    SdpMedia media{.kind = section.media,
                   .port = kDiscardPort,
                   .protocol = section.protocol,
                   .formats = {section.formats.front()},
                   .attributes = {}};
    if (!section.mid.empty()) media.attributes.add("mid", section.mid);
    fragment.media.push_back(std::move(media));
    break;
  }
  return fragment;
}

}  // namespace sluice::interop
