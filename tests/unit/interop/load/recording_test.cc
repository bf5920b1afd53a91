#include "load/recording/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "load/recording/ivf_file.h"
#include "load/recording/ogg_file.h"
#include "unit/interop/load/recordings.h"

namespace sluice::interop::load {
namespace {

using testing::HasSubstr;

std::string fault_of_ivf(const dtls::Buffer& file) {
  const auto read = read_ivf(file);
  return read ? "" : read.error();
}
std::string fault_of_ogg(const dtls::Buffer& file) {
  const auto read = read_ogg_opus(file);
  return read ? "" : read.error();
}
std::string fault_of(SectionKind kind, const dtls::Buffer& file) {
  const auto read = Recording::of(kind, file, 1200);
  return read ? "" : read.error();
}

TEST(IvfFile, HasItsFramesInOrder) {
  const auto file = vp8_file(3);
  const auto ivf = read_ivf(file).value();
  EXPECT_EQ(ivf.codec, "VP80");
  EXPECT_EQ(ivf.rate, 30U);
  EXPECT_EQ(ivf.scale, 1U);
  ASSERT_EQ(ivf.frames.size(), 3U);
  EXPECT_EQ(ivf.frames[2].time, 2U);
  EXPECT_EQ(ivf.frames[2].data.size(), 2499U);
  EXPECT_EQ(ivf.frames[2].data[9], std::byte{3});
}

TEST(IvfFile, LengthsThatLieAreErrors) {
  const auto file = vp8_file(2);
  for (std::size_t size = 0; size < file.size(); ++size) {
    const auto shorter = dtls::Buffer(file.begin(), file.begin() + static_cast<long>(size));
    // A file that ends behind a frame is whole.
    EXPECT_EQ(fault_of_ivf(shorter).empty(), size == 32 + 12 + 2499) << size;
  }
  auto longer = file;
  longer.at(32) = std::byte{0xff};
  longer.at(35) = std::byte{0xff};
  EXPECT_THAT(fault_of_ivf(longer), HasSubstr("frame 0 says that it has 42"));
  auto empty = ivf_header();
  add_ivf_frame(empty, 0, {});
  EXPECT_THAT(fault_of_ivf(empty), HasSubstr("has 0 bytes"));
}

TEST(IvfFile, OtherHeadersAreErrors) {
  for (const auto& [at, value] : {std::pair{0, 'X'}, {4, 1}, {6, 31}}) {
    auto file = vp8_file(1);
    file.at(static_cast<std::size_t>(at)) = static_cast<std::byte>(value);
    EXPECT_THAT(fault_of_ivf(file), HasSubstr("no IVF")) << at;
  }
  EXPECT_THAT(fault_of_ivf(ivf_header("VP80", 0)), HasSubstr("unit of time"));
  EXPECT_THAT(fault_of_ivf(ivf_header()), HasSubstr("no frame"));
}

TEST(IvfFile, TimesGrow) {
  auto file = vp8_file(1);
  add_ivf_frame(file, 0, vp8_frame(false, 100, 9));
  EXPECT_THAT(fault_of_ivf(file), HasSubstr("frame 1 is not later"));
}

TEST(OggFile, HasThePacketsBehindTheHeaders) {
  const auto packets = read_ogg_opus(opus_file(5)).value();
  ASSERT_EQ(packets.size(), 5U);
  EXPECT_EQ(packets[4], (dtls::Buffer{std::byte{0xf8}, std::byte{4}, std::byte{1}}));
}

TEST(OggFile, DamagedPagesAreErrors) {
  const auto file = opus_file(4);
  EXPECT_NE(fault_of_ogg({}), "");
  for (std::size_t i = 0; i < file.size(); ++i) {
    auto changed = file;
    changed[i] ^= std::byte{0x40};
    EXPECT_NE(fault_of_ogg(changed), "") << i;
  }
  const std::size_t page = 27 + 1 + 3;  // of the last packets
  for (std::size_t cut = 1; cut < page; ++cut) {
    EXPECT_NE(fault_of_ogg(dtls::Buffer(file.begin(), file.end() - static_cast<long>(cut))), "")
        << cut;
  }
  auto without_one = file;
  const auto last = file.end() - static_cast<long>(2 * page) - file.begin();
  without_one.erase(without_one.begin() + last,
                    without_one.begin() + last + static_cast<long>(page));
  EXPECT_THAT(fault_of_ogg(without_one), HasSubstr("a page is missing"));
}

TEST(OggFile, OtherContentsAreErrors) {
  EXPECT_THAT(
      fault_of_ogg(ogg_file({text_packet("\x01vorbis"), text_packet("x"), text_packet("y")})),
      HasSubstr("OpusHead"));
  auto two = opus_file(2);
  const auto other = ogg_file({text_packet("OpusHead")}, 8);
  two.insert(two.end(), other.begin(), other.end());
  EXPECT_THAT(fault_of_ogg(two), HasSubstr("another stream"));
  EXPECT_NE(fault_of_ogg(opus_file(0)), "");
}

// RFC 6716 section 3.1, table 2.
TEST(OpusPacket, HasItsDuration) {
  const auto samples = [](std::initializer_list<unsigned> bytes) {
    dtls::Buffer packet;
    for (const unsigned each : bytes) packet.push_back(static_cast<std::byte>(each));
    return opus_samples(packet);
  };
  EXPECT_EQ(samples({31U << 3}), 960U);
  EXPECT_EQ(samples({16U << 3}), 120U);
  EXPECT_EQ(samples({15U << 3}), 960U);
  EXPECT_EQ(samples({12U << 3}), 480U);
  EXPECT_EQ(samples({3U << 3}), 2880U);
  EXPECT_EQ(samples({31U << 3 | 1U}), 1920U);
  EXPECT_EQ(samples({31U << 3 | 2U}), 1920U);
  EXPECT_EQ(samples({31U << 3 | 3U, 6}), 5760U);
  EXPECT_EQ(samples({31U << 3 | 3U, 7}), std::nullopt) << "140 ms";
  EXPECT_EQ(samples({31U << 3 | 3U, 0}), std::nullopt);
  EXPECT_EQ(samples({31U << 3 | 3U}), std::nullopt);
  EXPECT_EQ(samples({}), std::nullopt);
}

TEST(Recording, HasTheClockOfRtp) {
  const auto video = Recording::of(SectionKind::video, vp8_file(4, 2), 1200).value();
  EXPECT_EQ(video->codec(), "VP8");
  ASSERT_EQ(video->frames().size(), 4U);
  EXPECT_EQ(video->frames()[1].time, 3000U);
  EXPECT_EQ(video->duration(), 12'000U);
  EXPECT_EQ(video->time_of(3), 3000U) << "until the next round";
  EXPECT_TRUE(video->frames()[2].is_key_frame);
  EXPECT_FALSE(video->frames()[3].is_key_frame);
  EXPECT_EQ(video->payloads().size(), 12U) << "three packets each";
  const auto audio = Recording::of(SectionKind::audio, opus_file(3), 1200).value();
  EXPECT_EQ(audio->codec(), "opus");
  EXPECT_EQ(audio->frames()[2].time, 1920U);
  EXPECT_EQ(audio->duration(), 2880U);
}

TEST(Recording, KnowsItsPayloads) {
  const auto video = Recording::of(SectionKind::video, vp8_file(2), 1200).value();
  EXPECT_THAT(video->find(video->payloads()[3]), testing::ElementsAre(3));
  EXPECT_THAT(video->find(video->payloads()[1]), testing::ElementsAre(1, 2)) << "the same bytes";
  EXPECT_THAT(video->find(text_packet("another")), testing::IsEmpty());
}

TEST(Recording, WhatCannotBeSentIsAnError) {
  EXPECT_THAT(fault_of(SectionKind::video, ivf_header("H264")), HasSubstr("no frame"));
  auto h264 = ivf_header("H264");
  add_ivf_frame(h264, 0, dtls::Buffer(100));
  EXPECT_THAT(fault_of(SectionKind::video, h264), HasSubstr("H264"));
  auto inter = ivf_header();
  add_ivf_frame(inter, 0, vp8_frame(false, 100, 1));
  EXPECT_THAT(fault_of(SectionKind::video, inter), HasSubstr("key frame"));
  for (const auto* codec : {"VP80", "VP90", "AV01"}) {
    auto noise = ivf_header(codec);
    add_ivf_frame(noise, 0, dtls::Buffer(20, std::byte{0xfe}));
    EXPECT_NE(fault_of(SectionKind::video, noise), "") << codec;
  }
  EXPECT_THAT(
      fault_of(SectionKind::audio, ogg_file({text_packet("OpusHead"), text_packet("OpusTags"),
                                             dtls::Buffer(1300, std::byte{0xf8})})),
      HasSubstr("1300 bytes"));
  EXPECT_NE(fault_of(SectionKind::audio, vp8_file(1)), "");
  EXPECT_THAT(Recording::read(SectionKind::video, "/no/such/file", 1200).error(),
              HasSubstr("can't read"));
}

}  // namespace
}  // namespace sluice::interop::load
