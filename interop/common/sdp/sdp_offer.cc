#include "common/sdp/sdp_offer.h"

#include <sluice/data_channel/sctp_init.h>
#include <sluice/ice_lite/description.h>
#include <sluice/rtp/extension.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <utility>

#include "common/letter_case.h"
#include "common/sdp/sdp_text.h"
#include "common/sdp/simulcast.h"

namespace sluice::interop {
namespace {

// RFC 8841 section 6.1: the limit without a=max-message-size.
constexpr std::uint64_t kDefaultMaxMessageSize = 65536;

tl::unexpected<SdpError> error(std::string sentence) {
  return tl::unexpected(SdpError{std::move(sentence)});
}

std::string section_name(const SdpMedia& media) {
  const auto mid = media.attributes.find("mid");
  return mid ? "Section " + std::string{*mid} + " (" + media.kind + ")"
             : "The " + media.kind + " section";
}

bool has_ice_option(const SdpAttributes& attributes, std::string_view option) {
  return std::ranges::count(words(attributes.find("ice-options").value_or("")), option) > 0;
}

// RFC 8866 section 6.7. If there are several attributes, the last one counts.
Direction read_direction(const SdpAttributes& session, const SdpAttributes& media) {
  Direction direction = Direction::sendrecv;
  for (const auto* attributes : {&session, &media}) {
    for (const auto& attribute : *attributes) {
      for (const auto candidate :
           {Direction::sendrecv, Direction::sendonly, Direction::recvonly, Direction::inactive}) {
        if (attribute.name == to_string(candidate)) direction = candidate;
      }
    }
  }
  return direction;
}

// In order of preference. First the codecs that every browser has (RFC 7742, RFC 7874).
std::span<const std::string_view> codec_preference(SectionKind kind) {
  static constexpr std::array<std::string_view, 4> kAudio = {"opus", "PCMU", "PCMA", "G722"};
  static constexpr std::array<std::string_view, 4> kVideo = {"VP8", "H264", "VP9", "AV1"};
  return kind == SectionKind::audio ? kAudio : kVideo;
}

std::string known_codecs(SectionKind kind) {
  std::string list;
  for (const auto name : codec_preference(kind)) {
    list += (list.empty() ? "" : ", ") + std::string{name};
  }
  return list;
}

// RFC 3551 section 6: payload types that need no a=rtpmap.
std::string static_rtpmap(std::string_view format) {
  if (format == "0") return "PCMU/8000";
  if (format == "8") return "PCMA/8000";
  if (format == "9") return "G722/8000";
  return {};
}

// RFC 9429 section 5.1.2: whatever the offer calls it, a=fingerprint means DTLS-SRTP. The last is
// of older browsers.
bool is_rtp_protocol(std::string_view protocol) {
  static constexpr std::array<std::string_view, 9> kAccepted = {
      "UDP/TLS/RTP/SAVPF",  "UDP/TLS/RTP/SAVP",  "RTP/SAVPF", "RTP/SAVP",
      "TCP/DTLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP", "RTP/AVPF",  "RTP/AVP",
      "TCP/TLS/RTP/SAVPF"};
  return std::ranges::find(kAccepted, protocol) != kAccepted.end();
}

std::vector<Codec> read_codecs(const SdpMedia& media) {
  // rtpmap, fmtp and rtcp-fb start with the payload type. "*" in rtcp-fb means all.
  const auto values_of = [&media](std::string_view attribute, std::string_view format) {
    // More than any browser has, so that an offer can't make the server copy much.
    constexpr std::size_t kMaxValues = 16;
    std::vector<std::string> values;
    for (std::string_view value : media.attributes.all(attribute)) {
      if (values.size() == kMaxValues) break;
      const auto type = take(value, ' ');
      if (type == format || (attribute == "rtcp-fb" && type == "*")) values.emplace_back(value);
    }
    return values;
  };
  std::vector<Codec> codecs;
  // A payload type has 7 bits, so a longer list repeats some.
  constexpr std::size_t kMaxFormats = 128;
  // Of one codec, in bytes. Real ones have some hundred; each look-up reads all of them.
  constexpr std::size_t kMaxParameters = 512;
  std::set<std::uint8_t> known;
  for (const auto& format :
       std::span(media.formats).first(std::min(media.formats.size(), kMaxFormats))) {
    const auto payload_type = number<std::uint8_t>(format);
    const auto rtpmaps = values_of("rtpmap", format);
    const auto rtpmap = rtpmaps.empty() ? static_rtpmap(format) : rtpmaps.front();
    if (!payload_type || *payload_type > 127) continue;
    std::string_view encoding = rtpmap;
    const auto name = take(encoding, '/');
    const auto clock_rate = number<std::uint32_t>(take(encoding, '/'));
    if (!clock_rate || *clock_rate == 0) continue;
    const auto parameters = values_of("fmtp", format);
    if (!parameters.empty() && parameters.front().size() > kMaxParameters) continue;
    if (!known.insert(*payload_type).second) continue;
    codecs.push_back({.payload_type = *payload_type,
                      .name = std::string{name},
                      .clock_rate = *clock_rate,
                      .rtpmap = rtpmap,
                      .parameters = parameters.empty() ? std::string{} : parameters.front(),
                      .feedback = values_of("rtcp-fb", format)});
  }
  return codecs;
}

// The first payload type of the most preferred codec. Names ignore case (RFC 8866 section 6.6).
std::optional<Codec> choose_codec(const std::vector<Codec>& codecs, SectionKind kind) {
  for (const auto name : codec_preference(kind)) {
    const auto found = std::ranges::find_if(
        codecs, [name](const Codec& codec) { return equal_ignoring_case(codec.name, name); });
    if (found != codecs.end()) return *found;
  }
  return std::nullopt;
}

// RFC 8285 section 8: "<id>[/<direction>] <uri>".
std::vector<OfferedExtension> read_extensions(const SdpMedia& media) {
  std::vector<OfferedExtension> extensions;
  for (std::string_view value : media.attributes.all("extmap")) {
    auto id = take(value, ' ');
    const auto uri = take(value, ' ');
    // One-byte headers hold ids 1 to 14, two-byte ones up to 255, so a longer list repeats some.
    constexpr std::size_t kMaxExtensions = 255;
    const auto parsed = number<std::uint8_t>(take(id, '/'));
    if (!parsed || *parsed == 0 || extensions.size() == kMaxExtensions) continue;
    extensions.push_back({.id = *parsed, .uri = std::string{uri}});
  }
  return extensions;
}

void read_rtp(const SdpMedia& media, OfferedSection& section) {
  section.codecs = read_codecs(media);
  if (auto codec = choose_codec(section.codecs, section.kind)) section.codec = std::move(*codec);
  section.extensions = read_extensions(media);
  const auto mid = std::ranges::find(section.extensions, rtp::kMidUri, &OfferedExtension::uri);
  if (mid != section.extensions.end()) section.mid_extension = mid->id;
  section.reduced_size_rtcp = media.attributes.has("rtcp-rsize");
  section.simulcast = read_simulcast(media);
  if (!is_rtp_protocol(media.protocol)) {
    section.rejected = "its protocol is " + media.protocol + ", not UDP/TLS/RTP/SAVPF";
  } else if (!media.attributes.has("rtcp-mux")) {
    section.rejected = "it has no a=rtcp-mux";
  } else if (section.codec.name.empty()) {
    section.rejected = "it has none of the codecs " + known_codecs(section.kind);
  }
}

// "a=sctpmap:<port> webrtc-datachannel [<streams>]" for the format, which is that port
// (draft-ietf-mmusic-sctp-sdp-05 section 4).
bool read_sctpmap(const SdpMedia& media) {
  return std::ranges::any_of(media.attributes.all("sctpmap"), [&media](std::string_view value) {
    return take(value, ' ') == media.formats.front() && take(value, ' ') == "webrtc-datachannel";
  });
}

void read_data(const SdpMedia& media, OfferedSection& section) {
  section.has_sctpmap = read_sctpmap(media);
  const auto port = number<std::uint16_t>(
      section.has_sctpmap ? media.formats.front()
                          : std::string{media.attributes.find("sctp-port").value_or("")});
  const auto limit = media.attributes.find("max-message-size");
  section.sctp_port = port.value_or(0);
  const auto parsed_limit = limit ? number<std::uint64_t>(*limit) : kDefaultMaxMessageSize;
  section.max_message_size = parsed_limit.value_or(0);
  if (const auto init = media.attributes.find("sctp-init")) {
    section.sctp_init = data_channel::read_sctp_init(*init).value_or(dtls::Buffer{});
  }
  // RFC 9429 section 5.1.2; the last is of before RFC 8841.
  if (media.protocol != "UDP/DTLS/SCTP" && media.protocol != "TCP/DTLS/SCTP" &&
      media.protocol != "DTLS/SCTP") {
    section.rejected = "its protocol is " + media.protocol + ", not UDP/DTLS/SCTP";
  } else if (media.formats.front() != "webrtc-datachannel" && !section.has_sctpmap) {
    section.rejected = "its format is not webrtc-datachannel";
  } else if (section.sctp_port == 0) {
    section.rejected = "it has no valid a=sctp-port";
  } else if (!parsed_limit) {
    section.rejected = "its a=max-message-size is no number";
  }
}

OfferedSection read_section(const SdpDocument& document, const SdpMedia& media) {
  OfferedSection section;
  section.media = media.kind;
  section.protocol = media.protocol;
  section.formats = media.formats;
  section.mid = media.attributes.find("mid").value_or("");
  section.direction = read_direction(document.attributes, media.attributes);
  section.cryptex = document.attributes.has("cryptex") || media.attributes.has("cryptex");
  if (media.kind == "audio" || media.kind == "video") {
    section.kind = media.kind == "audio" ? SectionKind::audio : SectionKind::video;
    read_rtp(media, section);
  } else if (media.kind == "application") {
    section.kind = SectionKind::data;
    read_data(media, section);
  } else {
    section.rejected = "its media is " + media.kind;
  }
  // RFC 3264 section 6: port 0 disables a section, unless it has a=bundle-only (RFC 9143 section
  // 6).
  if (media.port == 0 && !media.attributes.has("bundle-only")) section.rejected = "its port is 0";
  return section;
}

// RFC 9143 section 7.2: only the first group counts. Each of its mids must occur once, and belong
// to a section.
SdpResult<std::vector<std::string>> read_bundle(const SdpDocument& document,
                                                const std::vector<OfferedSection>& sections) {
  std::vector<std::string_view> mids;
  for (const auto& section : sections) {
    if (section.mid.empty()) continue;
    if (std::ranges::find(mids, section.mid) != mids.end()) {
      return error("Two media sections have the same a=mid:" + section.mid + ".");
    }
    mids.push_back(section.mid);
  }
  for (const auto group : document.attributes.all("group")) {
    const auto parts = words(group);
    if (parts.empty() || parts.front() != "BUNDLE") continue;
    std::vector<std::string> bundle;
    for (const auto mid : std::span(parts).subspan(1)) {
      if (std::ranges::find(mids, mid) == mids.end()) {
        return error("a=group:BUNDLE names " + std::string{mid} + ", but no section has this mid.");
      }
      if (std::ranges::find(bundle, mid) != bundle.end()) {
        return error("a=group:BUNDLE names " + std::string{mid} + " twice.");
      }
      bundle.emplace_back(mid);
    }
    return bundle;
  }
  return std::vector<std::string>{};
}

// One association carries all data channels (RFC 8831 section 6.1).
void reject_second_data_section(std::vector<OfferedSection>& sections) {
  bool taken = false;
  for (auto& section : sections) {
    if (section.kind != SectionKind::data || !section.accepted()) continue;
    if (taken) section.rejected = "another data section comes before it";
    taken = true;
  }
}

// Rejects the sections that can't use the one transport, and returns the index of the section that
// describes it: the first accepted one of the BUNDLE group (RFC 9143 section 7.3.1), or without a
// group the first accepted one of all.
SdpResult<std::size_t> choose_transport(Offer& offer) {
  auto& sections = offer.sections;
  const auto accepted = [](const OfferedSection& section) { return section.accepted(); };
  auto chosen = std::ranges::find_if(sections, accepted);
  if (!offer.bundle.empty()) {
    for (auto& section : sections) {
      if (section.accepted() &&
          std::ranges::find(offer.bundle, section.mid) == offer.bundle.end()) {
        section.rejected = "it is not in the BUNDLE group";
      }
    }
    chosen = sections.end();
    for (const auto& mid : offer.bundle) {
      const auto section = std::ranges::find(sections, mid, &OfferedSection::mid);
      if (section->accepted() && chosen == sections.end()) chosen = section;
    }
  } else if (chosen != sections.end()) {
    for (auto& section : std::span(chosen + 1, sections.end())) {
      if (section.accepted()) section.rejected = "only one section is taken without BUNDLE";
    }
  }
  if (chosen == sections.end()) {
    const auto& first = sections.front();
    return error("Nothing in the SDP can be used; of section " +
                 (first.mid.empty() ? "1" : first.mid) + ": " + first.rejected + ".");
  }
  return static_cast<std::size_t>(chosen - sections.begin());
}

// RFC 9335 section 4: where one section of a BUNDLE group has it, all RTP sections of the group
// must, since the MID that names a packet's section is encrypted with the rest. An offer that has
// it in some of them is answered as one without.
bool has_cryptex(const std::vector<OfferedSection>& sections) {
  const auto is_media = [](const OfferedSection& each) { return each.accepted() && each.is_rtp(); };
  return std::ranges::any_of(sections, is_media) &&
         std::ranges::all_of(sections,
                             [&](const auto& each) { return !is_media(each) || each.cryptex; });
}

SdpResult<std::vector<dtls::Fingerprint>> read_fingerprints(const SdpDocument& document,
                                                            const SdpMedia& media) {
  // RFC 8122 section 5: fingerprints of a section replace those of the session.
  auto lines = media.attributes.all("fingerprint");
  if (lines.empty()) lines = document.attributes.all("fingerprint");
  if (lines.empty()) return error(section_name(media) + " has no a=fingerprint.");
  std::vector<dtls::Fingerprint> fingerprints;
  for (const auto line : lines) {
    std::string_view value = line;
    const auto hash = take(value, ' ');
    // Some peers end the line with a blank.
    value = value.substr(0, value.find_last_not_of(" \t") + 1);
    auto fingerprint = dtls::Fingerprint::parse(hash, value);
    if (fingerprint) {
      fingerprints.push_back(std::move(*fingerprint));
    } else if (fingerprint.error().code != dtls::Errc::invalid_argument) {
      return error("a=fingerprint:" + std::string{line} + " is malformed.");
    }
  }
  if (fingerprints.empty()) {
    return error(section_name(media) + " has no a=fingerprint of sha-256 or another known hash.");
  }
  return fingerprints;
}

SdpResult<TransportDescription> read_transport(const SdpDocument& document, const SdpMedia& media) {
  const auto attribute = [&](std::string_view name) {
    return std::string{
        media.attributes.find(name).value_or(document.attributes.find(name).value_or(""))};
  };
  TransportDescription transport;
  transport.ice = {.ufrag = attribute("ice-ufrag"), .pwd = attribute("ice-pwd")};
  if (!is_ice_string(transport.ice.ufrag, kShortestUfrag)) {
    return error(section_name(media) + " has no valid a=ice-ufrag (4 to 256 ice-chars).");
  }
  if (!is_ice_string(transport.ice.pwd, kShortestPwd)) {
    return error(section_name(media) + " has no valid a=ice-pwd (22 to 256 ice-chars).");
  }
  for (const auto candidate : media.attributes.all("candidate")) {
    if (transport.candidates.size() == kMaxCandidates) break;
    transport.candidates.push_back("candidate:" + std::string{candidate});
  }
  transport.end_of_candidates = media.attributes.has("end-of-candidates");
  transport.tls_id = attribute("tls-id");

  // RFC 8842 section 5.1 excludes holdconn and defines no default.
  const auto word = attribute("setup");
  const auto setup = parse_setup(word);
  if (!setup) {
    return error(section_name(media) + " needs a=setup:actpass, active or passive" +
                 (word.empty() ? "." : ", not " + word + "."));
  }
  transport.setup = *setup;
  auto fingerprints = read_fingerprints(document, media);
  if (!fingerprints) return tl::unexpected(std::move(fingerprints.error()));
  transport.fingerprints = std::move(*fingerprints);
  return transport;
}

}  // namespace

std::string_view to_string(SectionKind kind) {
  constexpr std::array<std::string_view, 4> kNames = {"audio", "video", "data", "other"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::string_view to_string(Direction direction) {
  constexpr std::array<std::string_view, 4> kNames = {"sendrecv", "sendonly", "recvonly",
                                                      "inactive"};
  return kNames.at(static_cast<std::size_t>(direction));
}

std::optional<std::string> Codec::parameter(std::string_view parameter_name) const {
  std::string_view rest = parameters;
  while (!rest.empty()) {
    std::string_view item = take(rest, ';');
    item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
    if (item.find('=') == std::string_view::npos) continue;
    if (equal_ignoring_case(take(item, '='), parameter_name)) return lower(item);
  }
  return std::nullopt;
}

bool Codec::has_feedback(std::string_view type) const {
  return std::ranges::find(feedback, type) != feedback.end();
}

SdpResult<Offer> read_offer(std::string_view sdp) {
  auto document = parse_sdp(sdp);
  if (!document) return tl::unexpected(std::move(document.error()));

  Offer offer;
  for (const auto& media : document->media) {
    offer.sections.push_back(read_section(*document, media));
  }
  auto bundle = read_bundle(*document, offer.sections);
  if (!bundle) return tl::unexpected(std::move(bundle.error()));
  offer.bundle = std::move(*bundle);

  reject_second_data_section(offer.sections);
  const auto chosen = choose_transport(offer);
  if (!chosen) return tl::unexpected(chosen.error());
  auto transport = read_transport(*document, document->media[*chosen]);
  if (!transport) return tl::unexpected(std::move(transport.error()));
  offer.transport = std::move(*transport);
  offer.transport.cryptex = has_cryptex(offer.sections);
  offer.ice_lite = document->attributes.has("ice-lite");
  offer.dtls_in_stun =
      has_ice_option(document->attributes, ice_lite::kDtlsInStunOption) ||
      has_ice_option(document->media[*chosen].attributes, ice_lite::kDtlsInStunOption);
  return offer;
}

}  // namespace sluice::interop
