// What a browser's offer asks for, as far as an echo must know it (RFC 9429, RFC 9143).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/nice/description.h>

#include "server/sdp_document.h"

namespace sluice::interop {

enum class SectionKind : std::uint8_t { audio, video, data, other };
enum class Direction : std::uint8_t { sendrecv, sendonly, recvonly, inactive };

std::string_view to_string(SectionKind kind);
std::string_view to_string(Direction direction);

// One payload type of an RTP section.
struct Codec {
  std::uint8_t payload_type = 0;
  std::string name;                   // as offered: "opus", "VP8"
  std::uint32_t clock_rate = 0;       // Hz
  std::string rtpmap;                 // "opus/48000/2"
  std::string parameters;             // a=fmtp's, may be empty
  std::vector<std::string> feedback;  // a=rtcp-fb's: "nack pli"

  [[nodiscard]] bool has_feedback(std::string_view type) const;
};

struct OfferedSection {
  SectionKind kind = SectionKind::other;
  std::string media;  // the m= line's first, third and following fields
  std::string protocol;
  std::vector<std::string> formats;
  std::string mid;  // empty if there is none
  Direction direction = Direction::sendrecv;

  // Empty when the section can be echoed, else why it is rejected (port 0 in the answer).
  std::string rejected;

  // RTP sections. An echo decodes nothing, but each section of the answer keeps to one codec, so
  // that a payload type says which section a packet is of.
  Codec codec;
  std::optional<std::uint8_t> mid_extension;  // the id of urn:ietf:params:rtp-hdrext:sdes:mid
  bool reduced_size_rtcp = false;             // RFC 5506

  // Data sections (RFC 8841).
  std::uint16_t sctp_port = 0;
  std::uint64_t max_message_size = 0;  // the largest message that the offerer takes; 0: any

  [[nodiscard]] bool accepted() const { return rejected.empty(); }
  [[nodiscard]] bool is_rtp() const {
    return kind == SectionKind::audio || kind == SectionKind::video;
  }
};

// Browsers offer two or three an interface; what is beyond this is left unread.
inline constexpr std::size_t kMaxCandidates = 64;

struct Offer {
  std::vector<OfferedSection> sections;  // in the offer's order, at least one accepted
  // The mids of the BUNDLE group in its order; empty without a group: then one section is accepted.
  std::vector<std::string> bundle;
  // The ICE and DTLS attributes of the one transport that all accepted sections share. At least one
  // fingerprint, at most kMaxCandidates candidates, which are unread.
  nice::Description transport;
  bool ice_lite = false;
};

// Errors name what is wrong. Sections that the echo has no use for are no error: they are rejected.
SdpResult<Offer> read_offer(std::string_view sdp);

}  // namespace sluice::interop
