// What packets look like inside of the server: payload types and header extension IDs of its own,
// the same for all publishers. So any track can take the place of another at a viewer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <sluice/rtp/bytes.h>
#include <sluice/rtp/extension.h>
#include <sluice/rtp/numbers.h>

#include "common/sdp/sdp_offer.h"

namespace sluice::interop::sfu {

// A codec that is forwarded. Streams of one format can be decoded by whoever has it.
struct Format {
  SectionKind kind;  // audio or video
  std::string_view name;
  std::uint32_t clock_rate;  // Hz
  rtp::PayloadType payload_type;
  bool (*begins_key_frame)(rtp::Bytes payload);
  // As the server offers it: a=rtpmap and a=fmtp.
  std::string_view rtpmap;
  std::string_view parameters;
};

// In order of payload type.
std::span<const Format> formats();
// Null: it is none that is forwarded, such as RTX and FEC.
const Format* format_of(SectionKind kind, const Codec& offered);

// The URIs of the header extensions that are forwarded.
std::span<const std::string_view> forwarded_extensions();
// What format_of() takes for it, without payload type and feedback.
Codec offered_codec(const Format& format);

// The ID of a header extension that is forwarded. Empty: it is not.
std::optional<rtp::ExtensionId> extension_of(std::string_view uri);

// The largest ID of the one-byte form, the only one that the server sends (RFC 8285 section 4.2).
inline constexpr std::uint8_t kMaxExtensionId = 14;

}  // namespace sluice::interop::sfu
