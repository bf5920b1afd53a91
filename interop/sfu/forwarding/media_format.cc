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

// RFC 6184 section 8.1. Without a profile it is baseline. Only packetization mode 1, which all
// browsers offer and send.
std::string h264_name(const Codec& codec) {
  if (codec.parameter("packetization-mode").value_or("0") != "1") return {};
  const std::string profile = codec.parameter("profile-level-id").value_or("42000a").substr(0, 2);
  if (profile == "42") return "H264 baseline";
  if (profile == "4d") return "H264 main";
  if (profile == "64") return "H264 high";
  return {};
}

std::string name_of(const Codec& codec) {
  const std::string name = lower(codec.name);
  if (name == "opus") return codec.rtpmap.ends_with("/2") ? name : "";  // RFC 7587 section 7
  if (name == "vp8") return "VP8";
  if (name == "vp9") return "VP9 profile " + codec.parameter("profile-id").value_or("0");
  if (name == "h264") return h264_name(codec);
  if (name == "av1") return codec.parameter("profile").value_or("0") == "0" ? "AV1" : "";
  return {};
}

}  // namespace

std::span<const Format> formats() { return kFormats; }

const Format* format_of(SectionKind kind, const Codec& offered) {
  const std::string name = name_of(offered);
  const auto found = std::ranges::find_if(kFormats, [&](const Format& format) {
    return format.kind == kind && format.name == name && format.clock_rate == offered.clock_rate;
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
