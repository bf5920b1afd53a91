#include "sfu/forwarding/media_format.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::interop::sfu {
namespace {

std::string name_of(SectionKind kind, const std::string& rtpmap, const std::string& fmtp = {}) {
  const auto slash = rtpmap.find('/');
  const Codec codec{.name = rtpmap.substr(0, slash),
                    .clock_rate = static_cast<std::uint32_t>(std::stoul(rtpmap.substr(slash + 1))),
                    .rtpmap = rtpmap,
                    .parameters = fmtp,
                    .feedback = {}};
  const Format* format = format_of(kind, codec);
  return format == nullptr ? "none" : std::string{format->name};
}
std::string video(const std::string& rtpmap, const std::string& fmtp = {}) {
  return name_of(SectionKind::video, rtpmap, fmtp);
}

TEST(MediaFormat, Audio) {
  EXPECT_EQ(name_of(SectionKind::audio, "opus/48000/2"), "opus");
  EXPECT_EQ(name_of(SectionKind::audio, "OPUS/48000/2"), "opus");
  EXPECT_EQ(name_of(SectionKind::audio, "opus/48000"), "none");
  EXPECT_EQ(name_of(SectionKind::audio, "PCMU/8000"), "none");
  EXPECT_EQ(name_of(SectionKind::audio, "VP8/90000"), "none");
}

TEST(MediaFormat, Video) {
  EXPECT_EQ(video("VP8/90000"), "VP8");
  EXPECT_EQ(video("VP8/48000"), "none");
  EXPECT_EQ(video("VP9/90000"), "VP9 profile 0");
  EXPECT_EQ(video("VP9/90000", "profile-id=2"), "VP9 profile 2");
  EXPECT_EQ(video("VP9/90000", "profile-id=1"), "none");
  EXPECT_EQ(video("AV1/90000", "level-idx=5;profile=0;tier=0"), "AV1");
  EXPECT_EQ(video("AV1/90000", "profile=1"), "none");
  EXPECT_EQ(video("rtx/90000", "apt=96"), "none");
  EXPECT_EQ(video("ulpfec/90000"), "none");
}

// RFC 6184 section 8.1: what a decoder of one profile can't decode is another format.
TEST(MediaFormat, ProfilesOfH264) {
  const std::string mode = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=";
  EXPECT_EQ(video("H264/90000", mode + "42e01f"), "H264 baseline");
  EXPECT_EQ(video("H264/90000", mode + "42001f"), "H264 baseline");
  EXPECT_EQ(video("H264/90000", mode + "4D001F"), "H264 main");
  EXPECT_EQ(video("H264/90000", mode + "64001f"), "H264 high");
  EXPECT_EQ(video("H264/90000", mode + "f4001f"), "none");
  EXPECT_EQ(video("H264/90000", "profile-level-id=42e01f; packetization-mode=1"), "H264 baseline");
  EXPECT_EQ(video("H264/90000", "profile-level-id=42e01f"), "none") << "mode 0";
  EXPECT_EQ(video("H264/90000", "packetization-mode=1"), "H264 baseline");
  EXPECT_EQ(video("H264/90000", ";=;packetization-mode"), "none");
}

TEST(MediaFormat, EachHasANumberOfItsOwn) {
  std::uint8_t next = 0;
  for (const Format& format : formats()) {
    EXPECT_EQ(rtp::number(format.payload_type), next++) << format.name;
  }
}

TEST(MediaFormat, Extensions) {
  EXPECT_TRUE(extension_of(rtp::kAudioLevelUri));
  EXPECT_TRUE(extension_of("urn:3gpp:video-orientation"));
  EXPECT_NE(extension_of(rtp::kAudioLevelUri), extension_of("urn:3gpp:video-orientation"));
  EXPECT_FALSE(extension_of(rtp::kMidUri)) << "it differs for each receiver";
  EXPECT_FALSE(extension_of(""));
}

}  // namespace
}  // namespace sluice::interop::sfu
