#include "sfu/negotiation.h"

#include <algorithm>
#include <set>

#include "common/sdp/answer_frame.h"
#include "sfu/ice_session.h"

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

// Those that both sides have, for the answer; `map` is told the ID of both.
template <class Map>
std::vector<OfferedExtension> agree_on_extensions(const OfferedSection& section, Map map) {
  std::vector<OfferedExtension> agreed;
  std::set<std::uint8_t> used;
  for (const OfferedExtension& offered : section.extensions) {
    const auto own = extension_of(offered.uri);
    const bool is_mid = offered.uri == rtp::kMidUri;
    if ((!own && !is_mid) || offered.id > kMaxExtensionId) continue;
    if (!used.insert(offered.id).second) continue;
    agreed.push_back(offered);
    if (own) map(offered.id, rtp::number(*own));
  }
  return agreed;
}

std::optional<rtp::ExtensionId> mid_extension_of(const OfferedSection& section) {
  if (!section.mid_extension || *section.mid_extension > kMaxExtensionId) return std::nullopt;
  return rtp::ExtensionId{*section.mid_extension};
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
  RtxStream rtx;
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

void write_codecs(SdpMedia& media, const AnsweredSection& section) {
  media.formats.clear();
  for (const Codec& codec : section.codecs) {
    const std::string type = std::to_string(codec.payload_type);
    media.formats.push_back(type);
    media.attributes.add("rtpmap", type + " " + codec.rtpmap);
    if (!codec.parameters.empty()) media.attributes.add("fmtp", type + " " + codec.parameters);
    // Feedback that the server takes from viewers, and that it gives to publishers.
    for (const auto* feedback : {"nack", "nack pli", "ccm fir"}) {
      const bool is_used = section.stream || std::string_view{feedback} == "nack pli";
      if (is_used && codec.has_feedback(feedback)) {
        media.attributes.add("rtcp-fb", type + " " + feedback);
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
  const std::string cname = " cname:" + cname_of(section.stream->seat);
  const std::string msid = " msid:" + track;
  for (const std::string& ssrc : ssrcs) {
    attributes.add("ssrc", ssrc + cname);
    attributes.add("ssrc", ssrc + msid);
  }
}

}  // namespace

std::string cname_of(std::size_t seat) { return "sluice-" + std::to_string(seat); }

SdpResult<Agreement<PublishedTrack>> agree_on_publishing(const Offer& offer) {
  Agreement<PublishedTrack> agreement;
  for (const OfferedSection& section : offer.sections) {
    if (!section.is_rtp()) {
      return refuse_offer(section_name(section) + " can't be published: only audio and video can.");
    }
    if (!section.accepted()) {
      return refuse_offer(section_name(section) + " can't be taken: " + section.rejected + ".");
    }
    if (section.direction != Direction::sendonly && section.direction != Direction::sendrecv) {
      return refuse_offer(section_name(section) + " must say a=sendonly.");
    }
    if (std::ranges::any_of(agreement.parts, [&](const PublishedTrack& track) {
          return track.format->kind == section.kind;
        })) {
      return refuse_offer("Only one " + section.media + " section can be published.");
    }
    PublishedTrack track{.format = preferred_format(section), .mid = section.mid};
    if (track.format == nullptr) {
      return refuse_offer(section_name(section) + " has none of the codecs " +
                          known_names(section.kind) + ".");
    }
    track.mid_extension = mid_extension_of(section);
    AnsweredSection answered;
    for (const Codec& codec : section.codecs) {
      if (format_of(section.kind, codec) != track.format) continue;
      track.payload_types.at(codec.payload_type) = true;
      answered.codecs.push_back(codec);
    }
    answered.extensions = agree_on_extensions(section, [&](std::uint8_t theirs, std::uint8_t ours) {
      track.extension_ids[theirs] = ours;
    });
    agreement.parts.push_back(std::move(track));
    agreement.answer.push_back(std::move(answered));
  }
  return agreement;
}

SdpResult<Agreement<ViewedStream>> agree_on_viewing(Offer& offer, rtp::Ssrc (*ssrc)()) {
  Agreement<ViewedStream> agreement;
  std::array<std::size_t, 2> seats = {};  // by kind
  for (OfferedSection& section : offer.sections) {
    auto& answered = agreement.answer.emplace_back();
    if (!section.accepted()) continue;
    if (!section.is_rtp()) {
      section.rejected = "only audio and video can be watched";
      continue;
    }
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
    stream.mid_extension = mid_extension_of(section);
    answered.extensions = agree_on_extensions(section, [&](std::uint8_t theirs, std::uint8_t ours) {
      stream.extension_ids[ours] = theirs;
    });
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
                         const TransportDescription& transport, std::uint64_t session_id) {
  SdpDocument document = begin_answer(offer, transport, agent_options(offer));
  for (std::size_t i = 0; i < sections.size(); ++i) {
    if (!offer.sections[i].accepted()) continue;
    write_section(document.media[i], offer.sections[i], sections[i]);
  }
  return write_sdp(document, session_id);
}

}  // namespace sluice::interop::sfu
