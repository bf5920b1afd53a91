#include "demo/sdp_answer.h"

#include <sluice/data_channel/association.h>
#include <sluice/data_channel/sctp_init.h>
#include <sluice/ice_lite/description.h>

#include <algorithm>

#include "demo/media_echo.h"

namespace sluice::interop::demo {
namespace {

constexpr unsigned kDiscardPort = 9;  // RFC 8840 section 4.1.1: candidates replace it
constexpr std::string_view kStream = "sluice-echo";

// RFC 9143 section 7.1.3 wants these attributes in the tagged section only, and receivers ignore
// them elsewhere. Browsers repeat them in all sections, and aiortc refuses a section without them.
void add_transport(SdpAttributes& attributes, const nice::Description& transport) {
  attributes.add("ice-ufrag", transport.ice.ufrag);
  attributes.add("ice-pwd", transport.ice.pwd);
  for (const auto& fingerprint : transport.fingerprints) {
    attributes.add("fingerprint", fingerprint.to_sdp());
  }
  attributes.add("setup", std::string{nice::to_string(transport.setup)});
  if (!transport.tls_id.empty()) attributes.add("tls-id", transport.tls_id);
}

void add_candidates(SdpAttributes& attributes, const nice::Description& transport) {
  for (const auto& candidate : transport.candidates) {
    attributes.add("candidate", candidate.substr(candidate.find(':') + 1));
  }
  attributes.add("end-of-candidates");
}

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

void add_data(SdpMedia& media, const OfferedSection& section, const AnswerOptions& options) {
  media.formats = section.formats;
  // RFC 8841 section 5: each side names its own port. Ours is the same as the offered one.
  const auto port = std::to_string(section.sctp_port);
  if (section.has_sctpmap) {
    media.attributes.add("sctpmap", port + " webrtc-datachannel " +
                                        std::to_string(data_channel::Options{}.max_channels));
  } else {
    media.attributes.add("sctp-port", port);
  }
  media.attributes.add("max-message-size", std::to_string(options.max_message_size));
  if (!options.sctp_init.empty()) {
    media.attributes.add("sctp-init", data_channel::write_sctp_init(options.sctp_init));
  }
}

}  // namespace

SdpResult<nice::Setup> choose_setup(nice::Setup offered, std::optional<nice::Setup> requested,
                                    nice::Setup preferred) {
  if (offered == nice::Setup::actpass) return requested.value_or(preferred);
  const auto left = offered == nice::Setup::active ? nice::Setup::passive : nice::Setup::active;
  if (requested && *requested != left) {
    return tl::unexpected(
        SdpError{"The offer says a=setup:" + std::string{nice::to_string(offered)} +
                 ", so the answer can only be " + std::string{nice::to_string(left)} + "."});
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
  // RFC 8842 section 5.3 lets the answerer choose, and recommends active.
  if (answer.transport.setup != nice::Setup::active) return "The answer must say a=setup:active.";
  return {};
}

std::string write_answer(const Offer& offer, const nice::Description& transport,
                         const AnswerOptions& options) {
  SdpDocument document;
  // RFC 9143 section 7.3: the group in the offer's order, without rejected sections.
  std::string group;
  for (const auto& mid : offer.bundle) {
    const auto section = std::ranges::find(offer.sections, mid, &OfferedSection::mid);
    if (section->accepted()) group += " " + mid;
  }
  const std::string tagged = group.substr(group.empty() ? 0 : 1, group.find(' ', 1) - 1);
  if (!group.empty()) document.attributes.add("group", "BUNDLE" + group);
  if (options.ice_lite) document.attributes.add("ice-lite");
  // RFC 8445 section 10: a lite agent that conforms to it says ice2. It has no candidates to
  // trickle.
  std::string ice_options = options.ice_lite ? "ice2" : "trickle";
  if (options.dtls_in_stun) ice_options += " " + std::string{ice_lite::kDtlsInStunOption};
  document.attributes.add("ice-options", ice_options);
  document.attributes.add("msid-semantic", " WMS " + std::string{kStream});

  for (std::size_t i = 0; i < offer.sections.size(); ++i) {
    const auto& section = offer.sections[i];
    SdpMedia media{.kind = section.media,
                   .port = section.accepted() ? kDiscardPort : 0,
                   .protocol = section.protocol,
                   .formats = section.formats,
                   .attributes = {}};
    if (!section.mid.empty()) media.attributes.add("mid", section.mid);
    if (section.accepted()) {
      add_transport(media.attributes, transport);
      if (section.mid == tagged || group.empty()) add_candidates(media.attributes, transport);
      if (section.is_rtp()) {
        add_rtp(media, section, options.ssrcs[i]);
      } else {
        add_data(media, section, options);
      }
    } else if (section.is_rtp()) {
      media.attributes.add("inactive");
    }
    document.media.push_back(std::move(media));
  }
  return write_sdp(document, options.session_id);
}

}  // namespace sluice::interop::demo
