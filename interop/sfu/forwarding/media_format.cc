#include "sfu/forwarding/media_format.h"

#include <algorithm>
#include <array>
#include <string>

#include "common/letter_case.h"
#include "sfu/forwarding/key_frame.h"

namespace sluice::interop::sfu {
namespace {

constexpr std::array<Format, 8> kFormats = {{
    {SectionKind::audio, "opus", 48'000, rtp::PayloadType{0}, begins_anywhere, "opus/48000/2",
     "minptime=10;useinbandfec=1"},
    {SectionKind::video, "VP8", 90'000, rtp::PayloadType{1}, begins_vp8_key_frame, "VP8/90000", ""},
    {SectionKind::video, "VP9 profile 0", 90'000, rtp::PayloadType{2}, begins_vp9_key_frame,
     "VP9/90000", "profile-id=0"},
    {SectionKind::video, "VP9 profile 2", 90'000, rtp::PayloadType{3}, begins_vp9_key_frame,
     "VP9/90000", "profile-id=2"},
    {SectionKind::video, "H264 baseline", 90'000, rtp::PayloadType{4}, begins_h264_key_frame,
     "H264/90000", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e034"},
    {SectionKind::video, "H264 main", 90'000, rtp::PayloadType{5}, begins_h264_key_frame,
     "H264/90000", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d0034"},
    {SectionKind::video, "H264 high", 90'000, rtp::PayloadType{6}, begins_h264_key_frame,
     "H264/90000", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640034"},
    {SectionKind::video, "AV1", 90'000, rtp::PayloadType{7}, begins_av1_key_frame, "AV1/90000",
     "profile=0"},
}};

constexpr std::array<std::string_view, 2> kExtensions = {
    rtp::kAudioLevelUri,
    "urn:3gpp:video-orientation",
};

// The parameters by which formats of one codec differ, with what a missing one means. Of H.264's
// profile-level-id the profile counts (RFC 6184 section 8.1). Only its packetization mode 1, which
// all browsers offer and send.
struct Distinction {
  std::string_view name;
  std::string_view without;
};
constexpr std::array<Distinction, 4> kDistinctions = {{{"profile-id", "0"},
                                                       {"profile", "0"},
                                                       {"packetization-mode", "0"},
                                                       {"profile-level-id", "42000a"}}};

bool is_same(const Codec& codec, const Codec& other) {
  return std::ranges::all_of(kDistinctions, [&](const Distinction& each) {
    const auto value_of = [&each](const Codec& of) {
      return of.parameter(each.name).value_or(std::string{each.without}).substr(0, 2);
    };
    return value_of(codec) == value_of(other);
  });
}

}  // namespace

std::span<const Format> formats() { return kFormats; }

const Format* format_of(SectionKind kind, const Codec& offered) {
  const auto found = std::ranges::find_if(kFormats, [&](const Format& format) {
    return format.kind == kind && equal_ignoring_case(format.rtpmap, offered.rtpmap) &&
           is_same(offered_codec(format), offered);
  });
  return found == kFormats.end() ? nullptr : &*found;
}

std::span<const std::string_view> forwarded_extensions() { return kExtensions; }

Codec offered_codec(const Format& format) {
  Codec codec;
  codec.name = format.rtpmap.substr(0, format.rtpmap.find('/'));
  codec.clock_rate = format.clock_rate;
  codec.rtpmap = format.rtpmap;
  codec.parameters = format.parameters;
  return codec;
}

std::optional<rtp::ExtensionId> extension_of(std::string_view uri) {
  const auto found = std::ranges::find(kExtensions, uri);
  if (found == kExtensions.end()) return std::nullopt;
  return rtp::ExtensionId{static_cast<std::uint8_t>(found - kExtensions.begin() + 1)};
}

}  // namespace sluice::interop::sfu
