#include "sfu/cluster/pull_offer.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <sluice/ice_lite/description.h>

#include "common/random_numbers.h"
#include "common/sdp/sdp_text.h"
#include "common/sdp/simulcast.h"
#include "common/sdp/transport_attributes.h"

namespace sluice::interop::sfu {
namespace {

// The payload type of the first format: dynamic, and none that could be RTCP (RFC 5761 section 4).
constexpr std::uint8_t kFirstType = 96;

SdpMedia offered_section(SectionKind kind) {
  SdpMedia media{.kind = std::string{to_string(kind)},
                 .port = 9,  // RFC 8840 section 4.1.1: candidates replace it
                 .protocol = "UDP/TLS/RTP/SAVPF",
                 .formats = {},
                 .attributes = {}};
  auto& attributes = media.attributes;
  attributes.add("mid", std::string{to_string(kind)});
  attributes.add("recvonly");
  attributes.add("rtcp-mux");
  for (const std::string_view uri : forwarded_extensions()) {
    attributes.add("extmap",
                   std::to_string(rtp::number(*extension_of(uri))) + " " + std::string{uri});
  }
  for (const Format& format : formats()) {
    if (format.kind != kind) continue;
    const std::string type = std::to_string(kFirstType + rtp::number(format.payload_type));
    media.formats.push_back(type);
    attributes.add("rtpmap", type + " " + std::string{format.rtpmap});
    if (!format.parameters.empty()) {
      attributes.add("fmtp", type + " " + std::string{format.parameters});
    }
    attributes.add("rtcp-fb", type + " nack");
    if (kind == SectionKind::video) attributes.add("rtcp-fb", type + " nack pli");
  }
  return media;
}

// The SSRCs of a section, in the order in which they stand there first. Empty: there are more than
// a track has layers, or one can't be read.
std::optional<std::vector<rtp::Ssrc>> read_sources(const SdpMedia& media) {
  std::vector<rtp::Ssrc> sources;
  for (std::string_view line : media.attributes.all("ssrc")) {
    const auto source = number<std::uint32_t>(take(line, ' '));
    if (!source) return std::nullopt;
    if (std::ranges::find(sources, rtp::Ssrc{*source}) != sources.end()) continue;
    if (sources.size() == kMaxSimulcastStreams) return std::nullopt;
    sources.push_back(rtp::Ssrc{*source});
  }
  return sources;
}

tl::expected<PulledTrack, std::string> read_pulled(const OfferedSection& section,
                                                   const SdpMedia& media) {
  const std::string where = "section " + section.mid;
  const Format* const format =
      section.codecs.size() == 1 ? format_of(section.kind, section.codecs.front()) : nullptr;
  if (format == nullptr) return tl::unexpected(where + " has not one codec that is forwarded");
  auto sources = read_sources(media);
  if (!sources || sources->size() != std::max<std::size_t>(section.simulcast.size(), 1)) {
    return tl::unexpected(where + " has another number of a=ssrc than of layers");
  }
  PulledTrack track{.agreed = {.format = format, .mid = section.mid, .rids = section.simulcast},
                    .sources = *std::move(sources)};
  track.agreed.payload_types.at(section.codecs.front().payload_type) = true;
  track.agreed.has_nack = section.codecs.front().has_feedback("nack");
  for (const OfferedExtension& each : section.extensions) {
    const auto id = extension_of(each.uri);
    if (id && each.id <= kMaxExtensionId) track.agreed.extension_ids.at(each.id) = rtp::number(*id);
  }
  return track;
}

bool has_common_source(const std::vector<PulledTrack>& tracks) {
  return tracks.size() == 2 && std::ranges::find_first_of(tracks[0].sources, tracks[1].sources) !=
                                   tracks[0].sources.end();
}

}  // namespace

std::string write_pull_offer(const ice_lite::Credentials& ice, const dtls::Fingerprint& fingerprint,
                             const dtls::UdpEndpoint& own) {
  const TransportDescription transport{
      .ice = ice,
      .candidates = {ice_lite::candidate({.address = own}, 0xffff)},
      .end_of_candidates = true,
      .setup = Setup::actpass,
      .fingerprints = {fingerprint}};
  SdpDocument document;
  document.attributes.add("group", "BUNDLE audio video");
  document.attributes.add("ice-options", "ice2");
  for (const SectionKind kind : {SectionKind::audio, SectionKind::video}) {
    SdpMedia media = offered_section(kind);
    add_transport(media.attributes, transport);
    if (kind == SectionKind::audio) add_candidates(media.attributes, transport);
    document.media.push_back(std::move(media));
  }
  return write_sdp(document, common::random_u32());
}

tl::expected<PullAnswer, std::string> read_pull_answer(std::string_view sdp) {
  auto answer = read_answer(sdp);
  if (!answer) return tl::unexpected(answer.error().sentence);
  const auto document = parse_sdp(sdp);
  PullAnswer read{.answer = *std::move(answer)};
  for (std::size_t i = 0; i < read.answer.sections.size(); ++i) {
    const OfferedSection& section = read.answer.sections[i];
    if (!section.accepted() || !section.is_rtp()) continue;
    if (std::ranges::any_of(read.tracks, [&](const PulledTrack& each) {
          return each.agreed.format->kind == section.kind;
        })) {
      return tl::unexpected<std::string>("there are two sections of one kind");
    }
    auto track = read_pulled(section, document->media[i]);
    if (!track) return tl::unexpected(track.error());
    read.tracks.push_back(*std::move(track));
  }
  if (read.tracks.empty()) return tl::unexpected<std::string>("there is neither audio nor video");
  if (has_common_source(read.tracks)) {
    return tl::unexpected<std::string>("two sections have one SSRC");
  }
  return read;
}

}  // namespace sluice::interop::sfu
