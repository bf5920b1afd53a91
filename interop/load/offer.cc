#include "load/offer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <sluice/ice_lite/description.h>

#include "common/ip_address.h"
#include "common/letter_case.h"
#include "common/random_numbers.h"
#include "common/sdp/transport_attributes.h"

namespace sluice::interop::load {
namespace {

struct OfferedCodec {
  std::string type;  // of the payload
  std::string name;
  std::string map;
  std::string parameters = {};
};

OfferedCodec codec_of(const OfferedStream& stream) {
  if (stream.kind == SectionKind::audio) return {"111", "opus", "opus/48000/2"};
  if (!stream.recording) return {"96", "VP8", "VP8/90000"};
  const std::string& name = stream.recording->codec();
  return {"96", name, name + "/90000", stream.recording->parameters()};
}

SdpMedia section(const ClientOffer& offer, const OfferedStream& stream, std::size_t mid) {
  const OfferedCodec codec = codec_of(stream);
  SdpMedia media{.kind = std::string{to_string(stream.kind)},
                 .port = 9,  // RFC 8840 section 4.1.1: candidates replace it
                 .protocol = "UDP/TLS/RTP/SAVPF",
                 .formats = {codec.type},
                 .attributes = {}};
  auto& attributes = media.attributes;
  attributes.add("mid", std::to_string(mid));
  attributes.add(offer.publishes ? "sendonly" : "recvonly");
  attributes.add("rtcp-mux");
  const std::string& type = codec.type;
  attributes.add("rtpmap", type + " " + codec.map);
  if (!codec.parameters.empty()) attributes.add("fmtp", type + " " + codec.parameters);
  if (stream.kind == SectionKind::video) {
    attributes.add("rtcp-fb", type + " nack pli");
    attributes.add("rtcp-fb", type + " ccm fir");
  }
  if (offer.has_nack) attributes.add("rtcp-fb", type + " nack");
  if (offer.publishes) {
    const std::string ssrc = std::to_string(rtp::number(stream.ssrc));
    attributes.add("msid", "sluice-load sluice-load-" + std::to_string(mid));
    attributes.add("ssrc", ssrc + " cname:sluice-load");
  }
  return media;
}

}  // namespace

std::string write_offer(const ClientOffer& offer) {
  const TransportDescription transport{
      .ice = offer.ice,
      .candidates = {ice_lite::candidate({.address = offer.own}, 0xffff)},
      .end_of_candidates = true,
      .setup = Setup::actpass,
      .fingerprints = {offer.fingerprint}};
  SdpDocument document;
  std::string group = "BUNDLE";
  for (std::size_t i = 0; i < offer.streams.size(); ++i) group += " " + std::to_string(i);
  document.attributes.add("group", group);
  document.attributes.add("ice-options", "ice2");
  for (std::size_t i = 0; i < offer.streams.size(); ++i) {
    SdpMedia media = section(offer, offer.streams[i], i);
    add_transport(media.attributes, transport);
    if (i == 0) add_candidates(media.attributes, transport);
    document.media.push_back(std::move(media));
  }
  return write_sdp(document, common::random_u32());
}

tl::expected<std::vector<rtp::PayloadType>, std::string> accepted_types(const ClientOffer& offer,
                                                                        const Answer& answer) {
  std::vector<rtp::PayloadType> types;
  if (answer.sections.size() != offer.streams.size()) {
    return tl::unexpected<std::string>("the answer has another number of sections than the offer");
  }
  for (std::size_t i = 0; i < offer.streams.size(); ++i) {
    const OfferedSection& section = answer.sections[i];
    const OfferedCodec wanted = codec_of(offer.streams[i]);
    const auto codec = std::ranges::find_if(section.codecs, [&](const Codec& each) {
      return equal_ignoring_case(each.name, wanted.name);
    });
    if (!section.accepted() || codec == section.codecs.end()) {
      return tl::unexpected("the answer does not take " + wanted.name + " in section " +
                            std::to_string(i) +
                            (section.accepted() ? "" : ": " + section.rejected));
    }
    types.push_back(rtp::PayloadType{codec->payload_type});
  }
  return types;
}

tl::expected<PayloadKinds, std::string> accepted_kinds(const ClientOffer& offer,
                                                       const Answer& answer) {
  PayloadKinds kinds = {};
  for (std::size_t i = 0; i < std::min(offer.streams.size(), answer.sections.size()); ++i) {
    const OfferedSection& section = answer.sections[i];
    for (const Codec& codec : section.codecs) {
      if (!section.accepted()) break;
      if (!equal_ignoring_case(codec.name, codec_of(offer.streams[i]).name)) continue;
      kinds.at(codec.payload_type) = offer.streams[i].kind;
    }
  }
  if (std::ranges::none_of(kinds, [](const auto& kind) { return kind.has_value(); })) {
    return tl::unexpected<std::string>("the answer has nothing to watch");
  }
  return kinds;
}

}  // namespace sluice::interop::load
