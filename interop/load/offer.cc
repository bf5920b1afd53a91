#include "load/offer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <sluice/ice_lite/description.h>

#include "common/ip_address.h"
#include "common/letter_case.h"
#include "common/random_numbers.h"
#include "common/sdp/answer_frame.h"
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

TransportDescription own_transport(const ClientOffer& offer, Setup setup) {
  return {.ice = offer.ice,
          .candidates = {ice_lite::candidate({.address = offer.own}, 0xffff)},
          .end_of_candidates = true,
          .setup = setup,
          .fingerprints = {offer.fingerprint}};
}

std::vector<std::string> feedback_of(const ClientOffer& offer, SectionKind kind) {
  std::vector<std::string> feedback;
  if (kind == SectionKind::video) feedback = {"nack pli", "ccm fir"};
  if (offer.has_nack) feedback.emplace_back("nack");
  return feedback;
}

void add_media(SdpAttributes& attributes, Direction direction, const OfferedCodec& codec,
               const std::vector<std::string>& feedback) {
  attributes.add(std::string{to_string(direction)});
  attributes.add("rtcp-mux");
  attributes.add("rtpmap", codec.type + " " + codec.map);
  if (!codec.parameters.empty()) attributes.add("fmtp", codec.type + " " + codec.parameters);
  for (const std::string& each : feedback) attributes.add("rtcp-fb", codec.type + " " + each);
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
  add_media(attributes, offer.publishes ? Direction::sendonly : Direction::recvonly, codec,
            feedback_of(offer, stream.kind));
  if (offer.publishes) {
    const std::string ssrc = std::to_string(rtp::number(stream.ssrc));
    attributes.add("msid", "sluice-load sluice-load-" + std::to_string(mid));
    attributes.add("ssrc", ssrc + " cname:sluice-load");
  }
  return media;
}

// Null: it has another one.
const Codec* find_codec(const OfferedSection& section, const OfferedStream& wanted) {
  const auto found = std::ranges::find_if(section.codecs, [&](const Codec& each) {
    return equal_ignoring_case(each.name, codec_of(wanted).name);
  });
  return found == section.codecs.end() ? nullptr : &*found;
}

}  // namespace

std::string write_offer(const ClientOffer& offer) {
  const auto transport = own_transport(offer, Setup::actpass);
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
    const Codec* const codec = find_codec(section, offer.streams[i]);
    if (!section.accepted() || codec == nullptr) {
      return tl::unexpected("the answer does not take " + codec_of(offer.streams[i]).name +
                            " in section " + std::to_string(i) +
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

tl::expected<OfferTaken, std::string> take_offer(const ClientOffer& own, Offer offered) {
  std::vector<OfferedStream> wanted = own.streams;
  std::vector<const Codec*> taken(offered.sections.size());
  for (std::size_t i = 0; i < taken.size(); ++i) {
    OfferedSection& section = offered.sections[i];
    if (!section.accepted()) continue;
    const bool is_sent =
        section.direction == Direction::sendonly || section.direction == Direction::sendrecv;
    const auto stream = std::ranges::find_if(wanted, [&](const OfferedStream& each) {
      return is_sent && each.kind == section.kind && find_codec(section, each) != nullptr;
    });
    if (stream == wanted.end()) {
      section.rejected = "it has nothing to watch";
      continue;
    }
    taken[i] = find_codec(section, *stream);
    wanted.erase(stream);
  }
  if (wanted.size() == own.streams.size()) {
    return tl::unexpected<std::string>("the server's offer has nothing to watch");
  }
  OfferTaken made;
  SdpDocument document = begin_answer(offered, own_transport(own, Setup::active), {});
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (taken[i] == nullptr) continue;
    const Codec& codec = *taken[i];
    const SectionKind kind = offered.sections[i].kind;
    const std::string type = std::to_string(codec.payload_type);
    auto feedback = feedback_of(own, kind);
    std::erase_if(feedback, [&](const std::string& each) { return !codec.has_feedback(each); });
    document.media[i].formats = {type};
    add_media(document.media[i].attributes, Direction::recvonly,
              {type, codec.name, codec.rtpmap, codec.parameters}, feedback);
    made.kinds.at(codec.payload_type) = kind;
  }
  made.answer = write_sdp(document, common::random_u32());
  return made;
}

}  // namespace sluice::interop::load
