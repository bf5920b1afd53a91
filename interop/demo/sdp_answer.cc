#include "demo/sdp_answer.h"

#include <algorithm>

#include "common/sdp/answer_frame.h"
#include "common/sdp/data_section.h"
#include "demo/media_echo.h"

namespace sluice::interop::demo {
namespace {

constexpr std::string_view kStream = "sluice-echo";

void add_rtp(SdpMedia& media, const OfferedSection& section, std::uint32_t ssrc) {
  const auto payload_type = std::to_string(section.codec.payload_type);
  auto& attributes = media.attributes;
  media.formats = {payload_type};
  attributes.add(std::string{to_string(answer_direction(section.direction))});
  if (section.mid_extension) {
    attributes.add("extmap",
                   std::to_string(*section.mid_extension) + " urn:ietf:params:rtp-hdrext:sdes:mid");
  }
  attributes.add("rtcp-mux");
  if (section.reduced_size_rtcp) attributes.add("rtcp-rsize");
  attributes.add("rtpmap", payload_type + " " + section.codec.rtpmap);
  if (!section.codec.parameters.empty()) {
    attributes.add("fmtp", payload_type + " " + section.codec.parameters);
  }
  // Only feedback that the echo can forward to the browser's own source. Bandwidth estimation
  // (transport-cc, goog-remb) would need feedback that the echo generates itself.
  for (const auto* type : {"nack", "nack pli", "ccm fir"}) {
    if (section.codec.has_feedback(type)) attributes.add("rtcp-fb", payload_type + " " + type);
  }
  if (answer_direction(section.direction) != Direction::sendrecv) return;
  const std::string track = std::string{kStream} + " " + std::string{to_string(section.kind)} +
                            (section.mid.empty() ? "" : "-" + section.mid);
  attributes.add("msid", track);
  attributes.add("ssrc", std::to_string(ssrc) + " cname:" + std::string{kCname});
  attributes.add("ssrc", std::to_string(ssrc) + " msid:" + track);
}

}  // namespace

SdpResult<Setup> choose_setup(Setup offered, std::optional<Setup> requested, Setup preferred) {
  if (offered == Setup::actpass) return requested.value_or(preferred);
  const auto left = offered == Setup::active ? Setup::passive : Setup::active;
  if (requested && *requested != left) {
    return tl::unexpected(SdpError{"The offer says a=setup:" + std::string{to_string(offered)} +
                                   ", so the answer can only be " + std::string{to_string(left)} +
                                   "."});
  }
  return left;
}

Direction answer_direction(Direction offered) {
  switch (offered) {
    case Direction::sendrecv:
      return Direction::sendrecv;
    case Direction::sendonly:
      return Direction::recvonly;
    case Direction::recvonly:
    case Direction::inactive:
      return Direction::inactive;
  }
  return Direction::inactive;
}

Offer own_offer() {
  constexpr std::uint16_t kSctpPort = 5000;
  OfferedSection data;
  data.kind = SectionKind::data;
  data.media = "application";
  data.protocol = "UDP/DTLS/SCTP";
  data.formats = {"webrtc-datachannel"};
  data.mid = "0";
  data.sctp_port = kSctpPort;
  Offer offer;
  offer.sections = {data};
  offer.bundle = {data.mid};
  return offer;
}

std::string fault_of_answer(const Offer& answer) {
  const auto& section = answer.sections.front();
  if (answer.sections.size() != 1 || section.kind != SectionKind::data || section.mid != "0") {
    return "The answer must have the sections of the offer.";
  }
  // RFC 8842 section 5.3 lets the answerer choose.
  if (answer.transport.setup == Setup::actpass) {
    return "The answer must say a=setup:active or a=setup:passive.";
  }
  return {};
}

std::string write_answer(const Offer& offer, const TransportDescription& transport,
                         const AnswerOptions& options) {
  SdpDocument document = begin_answer(
      offer, transport, {.ice_lite = options.ice_lite, .dtls_in_stun = options.dtls_in_stun});
  document.attributes.add("msid-semantic", " WMS " + std::string{kStream});
  for (std::size_t i = 0; i < offer.sections.size(); ++i) {
    const auto& section = offer.sections[i];
    if (!section.accepted()) continue;
    if (section.is_rtp()) {
      add_rtp(document.media[i], section, options.ssrcs[i]);
    } else {
      answer_data_section(
          document.media[i], section,
          {.max_message_size = options.max_message_size, .sctp_init = options.sctp_init});
    }
  }
  return write_sdp(document, options.session_id);
}

}  // namespace sluice::interop::demo
