#include "sfu/signalling/negotiation.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "common/random_numbers.h"
#include "common/sdp/answer_frame.h"
#include "common/sdp/data_section.h"
#include "common/sdp/simulcast.h"
#include "sfu/data/data_session.h"
#include "sfu/signalling/ice_session.h"

namespace sluice::interop::sfu {
namespace {

tl::unexpected<SdpError> refuse_offer(std::string sentence) {
  return tl::unexpected(SdpError{std::move(sentence)});
}

std::string section_name(const OfferedSection& section) {
  return section.mid.empty() ? "The " + section.media + " section"
                             : "Section " + section.mid + " (" + section.media + ")";
}

std::string known_names(SectionKind kind) {
  std::string names;
  for (const Format& format : formats()) {
    if (format.kind == kind) names += (names.empty() ? "" : ", ") + std::string{format.name};
  }
  return names;
}

// Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01).
constexpr std::string_view kTransportFeedback = "transport-cc";

// Elements that are not forwarded, but read from publishers or written for viewers.
using Uris = std::span<const std::string_view>;
constexpr std::array kReadUris = {rtp::kMidUri, rtp::kTransportSequenceNumberUri, rtp::kRidUri};
constexpr Uris kReadWithoutSimulcast = Uris(kReadUris).first(2);
constexpr std::array kWrittenUris = {rtp::kMidUri, rtp::kAbsoluteSendTimeUri};

// What each ID stands for in all sections of an answer: they are one BUNDLE group (RFC 9143
// section 12).
using AgreedIds = std::map<std::uint8_t, std::string>;

// Those that both sides have, for the answer; `map` is told the ID of both where the element is
// forwarded.
template <class Map>
std::vector<OfferedExtension> agree_on_extensions(const OfferedSection& section, Uris own,
                                                  AgreedIds& ids, Map map) {
  std::vector<OfferedExtension> agreed;
  for (const OfferedExtension& offered : section.extensions) {
    const auto forwarded = extension_of(offered.uri);
    const bool is_own = std::ranges::find(own, offered.uri) != own.end();
    if ((!forwarded && !is_own) || offered.id > kMaxExtensionId) continue;
    if (std::ranges::find(agreed, offered.id, &OfferedExtension::id) != agreed.end()) continue;
    if (ids.try_emplace(offered.id, offered.uri).first->second != offered.uri) continue;
    agreed.push_back(offered);
    if (forwarded) map(offered.id, rtp::number(*forwarded));
  }
  return agreed;
}

// The ID of one that is agreed on.
std::optional<rtp::ExtensionId> id_of(const std::vector<OfferedExtension>& agreed,
                                      std::string_view uri) {
  const auto found = std::ranges::find(agreed, uri, &OfferedExtension::uri);
  if (found == agreed.end()) return std::nullopt;
  return rtp::ExtensionId{found->id};
}

// The publisher sends what the first format of its offer is: its own preference.
const Format* preferred_format(const OfferedSection& section) {
  for (const Codec& codec : section.codecs) {
    if (const Format* format = format_of(section.kind, codec)) return format;
  }
  return nullptr;
}

// Its payload type for packets that are sent again.
const Codec* rtx_of(const OfferedSection& section, const Codec& codec) {
  const auto found = std::ranges::find_if(section.codecs, [&](const Codec& each) {
    return each.name == "rtx" && each.parameter("apt") == std::to_string(codec.payload_type);
  });
  return found == section.codecs.end() ? nullptr : &*found;
}

// Where each codec of the answer has RTX: a stream of its own for it.
void agree_on_rtx(const OfferedSection& section, AnsweredSection& answered, ViewedStream& stream,
                  rtp::Ssrc (*ssrc)()) {
  rtp::RtxOptions rtx;
  std::vector<Codec> codecs;
  for (const Codec& codec : answered.codecs) {
    const Codec* again = rtx_of(section, codec);
    if (again == nullptr) return;
    const Format& format = *format_of(section.kind, codec);
    rtx.payload_types.at(rtp::number(format.payload_type)) = rtp::PayloadType{again->payload_type};
    codecs.push_back(codec);
    codecs.push_back(*again);
  }
  rtx.ssrc = ssrc();
  stream.rtx = rtx;
  answered.codecs = std::move(codecs);
}

// Feedback that the server takes from viewers, and that it gives to publishers.
using Feedback = std::span<const std::string_view>;
constexpr std::array<std::string_view, 4> kViewersFeedback = {"nack", "nack pli", "ccm fir",
                                                              "goog-remb"};
constexpr std::array<std::string_view, 3> kOwnFeedback = {"nack", "nack pli", kTransportFeedback};

void write_codecs(SdpMedia& media, const AnsweredSection& section) {
  media.formats.clear();
  for (const Codec& codec : section.codecs) {
    const std::string type = std::to_string(codec.payload_type);
    media.formats.push_back(type);
    media.attributes.add("rtpmap", type + " " + codec.rtpmap);
    if (!codec.parameters.empty()) media.attributes.add("fmtp", type + " " + codec.parameters);
    for (const auto feedback :
         section.stream ? Feedback(kViewersFeedback) : Feedback(kOwnFeedback)) {
      if (codec.has_feedback(feedback)) {
        media.attributes.add("rtcp-fb", type + " " + std::string{feedback});
      }
    }
  }
}

void write_section(SdpMedia& media, const OfferedSection& offered, const AnsweredSection& section) {
  auto& attributes = media.attributes;
  attributes.add(section.stream ? "sendonly" : "recvonly");
  for (const auto& extension : section.extensions) {
    attributes.add("extmap", std::to_string(extension.id) + " " + extension.uri);
  }
  attributes.add("rtcp-mux");
  attributes.add("rtcp-mux-only");  // RFC 9725 section 4.4.1
  if (offered.reduced_size_rtcp) attributes.add("rtcp-rsize");
  write_codecs(media, section);
  write_simulcast(attributes, section.rids, section.stream ? "send" : "recv");
  if (!section.stream) return;
  const std::string stream = "seat-" + std::to_string(section.stream->seat);
  std::string track = stream + " " + stream;
  track += "-";
  track += to_string(offered.kind);
  attributes.add("msid", track);
  std::vector<std::string> ssrcs = {std::to_string(rtp::number(section.stream->ssrc))};
  if (section.stream->rtx) {
    ssrcs.push_back(std::to_string(rtp::number(section.stream->rtx->ssrc)));
    attributes.add("ssrc-group", "FID " + ssrcs[0] + " " + ssrcs[1]);  // RFC 5576 section 4.2
  }
  for (std::size_t i = 1; i < section.layers.size(); ++i) {
    ssrcs.push_back(std::to_string(rtp::number(section.layers[i])));
  }
  const std::string cname = " cname:" + cname_of(section.stream->seat);
  const std::string msid = " msid:" + track;
  for (const std::string& ssrc : ssrcs) {
    attributes.add("ssrc", ssrc + cname);
    attributes.add("ssrc", ssrc + msid);
  }
}

// The answer, and what the track has by it.
AnsweredSection publish_section(const OfferedSection& section, AgreedIds& ids,
                                PublishedTrack& track) {
  AnsweredSection answered;
  bool has_transport_feedback = false;
  for (const Codec& codec : section.codecs) {
    if (format_of(section.kind, codec) != track.format) continue;
    track.payload_types.at(codec.payload_type) = true;
    track.has_nack = track.has_nack || codec.has_feedback("nack");
    has_transport_feedback = has_transport_feedback || codec.has_feedback(kTransportFeedback);
    answered.codecs.push_back(codec);
  }
  const bool may_simulcast = section.kind == SectionKind::video && !section.simulcast.empty();
  const Uris own = may_simulcast ? Uris(kReadUris) : kReadWithoutSimulcast;
  answered.extensions = agree_on_extensions(
      section, own, ids,
      [&](std::uint8_t theirs, std::uint8_t ours) { track.extension_ids[theirs] = ours; });
  track.mid_extension = id_of(answered.extensions, rtp::kMidUri);
  track.rid_extension = id_of(answered.extensions, rtp::kRidUri);
  if (has_transport_feedback) {
    track.transport_number_extension = id_of(answered.extensions, rtp::kTransportSequenceNumberUri);
  }
  // Without the extension a packet does not tell its layer.
  if (track.rid_extension) track.rids = section.simulcast;
  answered.rids = track.rids;
  return answered;
}

}  // namespace

std::string cname_of(std::size_t seat) { return "sluice-" + std::to_string(seat); }

rtp::Ssrc random_ssrc() { return rtp::Ssrc{std::max(common::random_u32(), 1U)}; }

PublishAgreement agree_on_publishing(const Offer& offer) {
  Agreement<PublishedTrack> agreement;
  AgreedIds ids;
  for (const OfferedSection& section : offer.sections) {
    if (!section.accepted()) {
      return refuse_offer(section_name(section) + " can't be taken: " + section.rejected + ".");
    }
    if (!section.is_rtp()) {  // data channels
      agreement.answer.emplace_back();
      continue;
    }
    if (section.direction != Direction::sendonly && section.direction != Direction::sendrecv) {
      return refuse_offer(section_name(section) + " must say a=sendonly.");
    }
    if (std::ranges::any_of(agreement.parts, [&](const PublishedTrack& track) {
          return track.format->kind == section.kind;
        })) {
      return refuse_offer("Only one " + section.media + " section can be published.");
    }
    const Format* format = preferred_format(section);
    if (format == nullptr) {
      return refuse_offer(section_name(section) + " has none of the codecs " +
                          known_names(section.kind) + ".");
    }
    agreement.parts.push_back({.format = format, .mid = section.mid});
    agreement.answer.push_back(publish_section(section, ids, agreement.parts.back()));
  }
  if (agreement.parts.empty()) return refuse_offer("The offer has neither audio nor video.");
  return agreement;
}

ViewAgreement agree_on_viewing(Offer& offer, rtp::Ssrc (*ssrc)()) {
  Agreement<ViewedStream> agreement;
  AgreedIds ids;
  std::array<std::size_t, 2> seats = {};  // by kind
  for (OfferedSection& section : offer.sections) {
    auto& answered = agreement.answer.emplace_back();
    if (!section.accepted() || !section.is_rtp()) continue;
    if (section.direction != Direction::recvonly && section.direction != Direction::sendrecv) {
      return refuse_offer(section_name(section) + " must say a=recvonly.");
    }
    ViewedStream stream{.kind = section.kind, .mid = section.mid};
    for (const Codec& codec : section.codecs) {
      const Format* format = format_of(section.kind, codec);
      if (format == nullptr || stream.takes(*format)) continue;
      stream.payload_types.at(rtp::number(format->payload_type)) =
          rtp::PayloadType{codec.payload_type};
      stream.has_nack = stream.has_nack || codec.has_feedback("nack");
      answered.codecs.push_back(codec);
    }
    if (answered.codecs.empty()) {
      section.rejected = "it has none of the codecs " + known_names(section.kind);
      continue;
    }
    answered.extensions = agree_on_extensions(
        section, kWrittenUris, ids,
        [&](std::uint8_t theirs, std::uint8_t ours) { stream.extension_ids[ours] = theirs; });
    stream.mid_extension = id_of(answered.extensions, rtp::kMidUri);
    stream.send_time_extension = id_of(answered.extensions, rtp::kAbsoluteSendTimeUri);
    stream.ssrc = ssrc();
    if (stream.has_nack) agree_on_rtx(section, answered, stream, ssrc);
    stream.seat = seats.at(section.kind == SectionKind::audio ? 0 : 1)++;
    answered.stream = stream;
    agreement.parts.push_back(std::move(stream));
  }
  if (agreement.parts.size() > kMaxViewedStreams) {
    return refuse_offer("At most " + std::to_string(kMaxViewedStreams) +
                        " sections can be watched.");
  }
  if (agreement.parts.empty()) return refuse_offer("Nothing in the offer can be watched.");
  return agreement;
}

std::string write_answer(const Offer& offer, const std::vector<AnsweredSection>& sections,
                         const TransportDescription& transport, std::uint64_t session_id,
                         dtls::Bytes sctp_init) {
  SdpDocument document = begin_answer(offer, transport, agent_options(offer));
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const OfferedSection& offered = offer.sections[i];
    if (!offered.accepted()) continue;
    if (offered.is_rtp()) {
      write_section(document.media[i], offered, sections[i]);
    } else {
      answer_data_section(document.media[i], offered,
                          {.max_message_size = kMaxDataMessage,
                           .max_channels = kDataStreams,
                           .sctp_init = sctp_init});
    }
  }
  return write_sdp(document, session_id);
}

}  // namespace sluice::interop::sfu
