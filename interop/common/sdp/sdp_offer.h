// Reads the parts of a browser's offer that a server needs (RFC 9429, RFC 9143).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/dtls/bytes.h>
#include "common/sdp/sdp_document.h"
#include "common/sdp/transport_description.h"

namespace sluice::interop {

enum class SectionKind : std::uint8_t { audio, video, data, other };
enum class Direction : std::uint8_t { sendrecv, sendonly, recvonly, inactive };

std::string_view to_string(SectionKind kind);
std::string_view to_string(Direction direction);

// One payload type of an RTP section.
struct Codec {
  std::uint8_t payload_type = 0;
  std::string name;                   // as in the offer: "opus", "VP8"
  std::uint32_t clock_rate = 0;       // Hz
  std::string rtpmap;                 // "opus/48000/2"
  std::string parameters;             // a=fmtp's, may be empty
  std::vector<std::string> feedback;  // a=rtcp-fb's: "nack pli"

  [[nodiscard]] bool has_feedback(std::string_view type) const;
  // The value of one of `parameters`, in lower case, as its name is. Empty: there is none.
  [[nodiscard]] std::optional<std::string> parameter(std::string_view parameter_name) const;
};

// a=extmap (RFC 8285 section 8), without its direction.
struct OfferedExtension {
  std::uint8_t id = 0;  // 1 to 255
  std::string uri;
};

struct OfferedSection {
  SectionKind kind = SectionKind::other;
  std::string media;  // first field of the m= line; the next two members are the others
  std::string protocol;
  std::vector<std::string> formats;
  std::string mid;  // empty if there is none
  Direction direction = Direction::sendrecv;

  // Why the section is rejected (port 0 in the answer). Empty: it is accepted.
  std::string rejected;

  // RTP sections.
  std::vector<Codec> codecs;  // in the offer's order
  // Of them the one that every browser prefers or has, for an answer with one codec per section:
  // then the payload type identifies the section of a packet.
  Codec codec;
  std::vector<OfferedExtension> extensions;
  std::optional<std::uint8_t> mid_extension;  // the id of urn:ietf:params:rtp-hdrext:sdes:mid
  bool reduced_size_rtcp = false;             // RFC 5506
  bool cryptex = false;                       // RFC 9335, that of the session level included
  std::vector<std::string> simulcast;         // read_simulcast()

  // Data sections (RFC 8841).
  std::uint16_t sctp_port = 0;
  // As before RFC 8841: the format is the port, and a=sctpmap names the protocol.
  bool has_sctpmap = false;
  std::uint64_t max_message_size = 0;  // largest message that the offerer accepts; 0: any size
  dtls::Buffer sctp_init;              // a=sctp-init's INIT chunk; empty: none that is valid

  [[nodiscard]] bool accepted() const { return rejected.empty(); }
  [[nodiscard]] bool is_rtp() const {
    return kind == SectionKind::audio || kind == SectionKind::video;
  }
};

// Browsers offer two or three per interface. Candidates beyond the limit are ignored.
inline constexpr std::size_t kMaxCandidates = 64;

struct Offer {
  std::vector<OfferedSection> sections;  // in the offer's order, at least one accepted
  // The mids of the BUNDLE group in its order. Empty: there is no group, and one section is
  // accepted.
  std::vector<std::string> bundle;
  // The ICE and DTLS attributes of the one transport that all accepted sections share. It has at
  // least one fingerprint, and at most kMaxCandidates candidates, which are not parsed here.
  TransportDescription transport;
  bool ice_lite = false;
  bool dtls_in_stun = false;  // a=ice-options has ice_lite::kDtlsInStunOption
};

// The error says what is wrong. A section that can't be used is not an error: it is rejected.
SdpResult<Offer> read_offer(std::string_view sdp);

}  // namespace sluice::interop
