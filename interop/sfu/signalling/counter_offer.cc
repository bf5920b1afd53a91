#include "sfu/signalling/counter_offer.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <sluice/rtp/extension.h>

namespace sluice::interop::sfu {
namespace {

constexpr std::uint8_t kFirstDynamicType = 96;  // RFC 3551 section 6
constexpr std::uint16_t kSctpPort = 5000;

// Each URI has one ID in all sections (RFC 9143 section 12).
constexpr std::array<std::string_view, 4> kOfferedUris = {
    rtp::kMidUri, rtp::kAbsoluteSendTimeUri, rtp::kAudioLevelUri, "urn:3gpp:video-orientation"};

// Payload types are handed out in the order of the codecs.
class PayloadTypes {
 public:
  std::uint8_t next() { return next_++; }

 private:
  std::uint8_t next_ = kFirstDynamicType;
};

void add_codec(OfferedSection& section, const Format& format, PayloadTypes& types) {
  Codec codec = offered_codec(format);
  codec.payload_type = types.next();
  if (section.kind == SectionKind::video) {
    codec.feedback = {"nack", "nack pli", "ccm fir", "goog-remb"};
  }
  section.formats.push_back(std::to_string(codec.payload_type));
  section.codecs.push_back(codec);
  if (section.kind == SectionKind::audio) return;
  Codec again;
  again.payload_type = types.next();
  again.name = "rtx";
  again.clock_rate = format.clock_rate;
  again.rtpmap = "rtx/" + std::to_string(format.clock_rate);
  again.parameters = "apt=" + std::to_string(codec.payload_type);
  section.formats.push_back(std::to_string(again.payload_type));
  section.codecs.push_back(std::move(again));
}

OfferedSection media_section(SectionKind kind, std::span<const Format* const> published,
                             PayloadTypes& types) {
  OfferedSection section;
  section.kind = kind;
  section.media = to_string(kind);
  section.protocol = "UDP/TLS/RTP/SAVPF";
  section.direction = Direction::recvonly;
  section.reduced_size_rtcp = true;
  const auto is_published = [&](const Format& format) {
    return std::ranges::find(published, &format) != published.end();
  };
  for (const bool wanted : {true, false}) {
    for (const Format& format : formats()) {
      if (format.kind == kind && is_published(format) == wanted) add_codec(section, format, types);
    }
  }
  for (std::size_t i = 0; i < kOfferedUris.size(); ++i) {
    section.extensions.push_back(
        {.id = static_cast<std::uint8_t>(i + 1), .uri = std::string{kOfferedUris.at(i)}});
  }
  return section;
}

OfferedSection data_channels() {
  OfferedSection section;
  section.kind = SectionKind::data;
  section.media = "application";
  section.protocol = "UDP/DTLS/SCTP";
  section.formats = {"webrtc-datachannel"};
  section.sctp_port = kSctpPort;
  return section;
}

tl::unexpected<SdpError> refuse_answer(std::string sentence) {
  return tl::unexpected(SdpError{std::move(sentence)});
}

}  // namespace

CounterOffer::CounterOffer(std::span<const Format* const> published, bool has_data,
                           rtp::Ssrc (*ssrc)()) {
  PayloadTypes types;
  for (const auto kind : {SectionKind::audio, SectionKind::video}) {
    if (std::ranges::find(published, kind, &Format::kind) != published.end()) {
      mirrored_.sections.push_back(media_section(kind, published, types));
    }
  }
  if (has_data) mirrored_.sections.push_back(data_channels());
  for (OfferedSection& section : mirrored_.sections) {
    section.mid = std::to_string(mirrored_.bundle.size());
    mirrored_.bundle.push_back(section.mid);
  }
  if (auto agreed = agree_on_viewing(mirrored_, ssrc)) sections_ = std::move(agreed->answer);
}

std::string CounterOffer::write(TransportDescription transport, std::uint64_t session_id) const {
  transport.setup = Setup::actpass;  // RFC 8842 section 5.2
  return write_answer(mirrored_, sections_, transport, session_id);
}

SdpResult<Agreement<ViewedStream>> CounterOffer::agree(Answer& answer, rtp::Ssrc (*ssrc)()) const {
  // RFC 3264 section 6.
  const bool is_like_the_offer = std::ranges::equal(
      answer.sections, mirrored_.sections,
      [](const OfferedSection& theirs, const OfferedSection& ours) {
        return theirs.kind == ours.kind && (theirs.mid == ours.mid || !theirs.accepted());
      });
  if (!is_like_the_offer) {
    return refuse_answer("The answer must have the sections of the offer, in its order.");
  }
  auto agreement = agree_on_viewing(answer, ssrc);
  if (!agreement) return agreement;
  auto part = agreement->parts.begin();
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    if (!agreement->answer[i].stream) continue;
    const ViewedStream& offered = *sections_[i].stream;
    part->ssrc = offered.ssrc;
    if (part->rtx && offered.rtx) {
      part->rtx->ssrc = offered.rtx->ssrc;
    } else {
      part->rtx.reset();
    }
    ++part;
  }
  return agreement;
}

}  // namespace sluice::interop::sfu
