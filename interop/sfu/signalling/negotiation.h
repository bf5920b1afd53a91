// What a publisher and a viewer agree on with the server: offers judged, answers written.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/rtp/extension.h>
#include <sluice/rtp/forwarded_stream.h>
#include <sluice/rtp/numbers.h>

#include "common/sdp/sdp_offer.h"
#include "common/sdp/transport_description.h"
#include "sfu/forwarding/media_format.h"

namespace sluice::interop::sfu {

// A track that a publisher sends.
struct PublishedTrack {
  const Format* format;
  std::string mid;
  std::optional<rtp::ExtensionId> mid_extension = {};
  std::vector<std::string> rids = {};  // of the layers of simulcast; empty: there is one stream
  std::optional<rtp::ExtensionId> rid_extension = {};
  // Of the numbers that transport-wide feedback is about. Empty: none is agreed on.
  std::optional<rtp::ExtensionId> transport_number_extension = {};
  bool has_nack = false;                     // the publisher sends lost packets again
  std::array<bool, 128> payload_types = {};  // those of `format` in the publisher's packets
  rtp::ExtensionIds extension_ids = {};      // the server's, by the publisher's
};

// A stream that a viewer receives.
struct ViewedStream {
  SectionKind kind;
  std::string mid;
  std::optional<rtp::ExtensionId> mid_extension = {};
  // For the viewer's estimate of its bandwidth.
  std::optional<rtp::ExtensionId> send_time_extension = {};
  rtp::PayloadTypes payload_types = {};  // the viewer's, by the server's
  rtp::ExtensionIds extension_ids = {};  // the viewer's, by the server's
  bool has_nack = false;                 // the viewer asks for lost packets
  rtp::Ssrc ssrc{};
  std::optional<rtp::RtxOptions> rtx = {};  // empty: they leave under their own numbers again
  std::size_t seat = 0;                     // streams with the same one belong together
  // The layer of its track that it shows, by its place; empty: the one that fits.
  std::optional<std::size_t> layer = {};

  [[nodiscard]] bool takes(const Format& format) const {
    return payload_types[rtp::number(format.payload_type)].has_value();
  }
};

// A viewer with more is refused: each stream takes some 30 kB.
inline constexpr std::size_t kMaxViewedStreams = 32;

// What the answer says about a section of the offer.
struct AnsweredSection {
  std::vector<Codec> codecs = {};                 // of the offer, those of RTX included
  std::vector<OfferedExtension> extensions = {};  // of the offer
  std::vector<std::string> rids = {};             // of the layers that are received, or sent
  std::optional<ViewedStream> stream = {};        // that is sent; empty: the section receives
  // Of all layers that are sent, in the order of `rids`. Empty: `stream` is all.
  std::vector<rtp::Ssrc> layers = {};
};

template <class Part>
struct Agreement {
  std::vector<Part> parts;
  std::vector<AnsweredSection> answer;  // parallel to the offer's sections
};

using PublishAgreement = SdpResult<Agreement<PublishedTrack>>;
using ViewAgreement = SdpResult<Agreement<ViewedStream>>;

// For a stream or for reports of the server; not 0.
rtp::Ssrc random_ssrc();

// RFC 9725 section 4.4: one audio and one video section at most, each to be sent by the publisher,
// data channels, and nothing that would have to be rejected. The error is a sentence that says what
// is wrong.
PublishAgreement agree_on_publishing(const Offer& offer);
// A section of the viewer receives one track; several of a kind receive those of several
// publishers. One for data channels is taken, sections of other kinds are rejected. `ssrc` makes a
// number for a stream that no other of the server has.
ViewAgreement agree_on_viewing(Offer& offer, rtp::Ssrc (*ssrc)());

// For a node of the cluster: the offer gets all layers of these tracks of one publisher, each as a
// stream of its own. Sections that no track is for are rejected.
SdpResult<Agreement<ViewedStream>> agree_on_layers(Offer& offer,
                                                   const std::vector<const PublishedTrack*>& tracks,
                                                   rtp::Ssrc (*ssrc)());

// The CNAME of what a viewer's seat receives: what has the same one is played in sync.
std::string cname_of(std::size_t seat);

// `sctp_init`: for data channels; empty: none.
std::string write_answer(const Offer& offer, const std::vector<AnsweredSection>& sections,
                         const TransportDescription& transport, std::uint64_t session_id,
                         dtls::Bytes sctp_init = {});

}  // namespace sluice::interop::sfu
