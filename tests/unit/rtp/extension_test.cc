#include <sluice/rtp/extension.h>

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "support/bytes.h"

namespace sluice::rtp {
namespace {

using namespace std::chrono_literals;
using test::from_hex;
using test::to_hex;

dtls::Buffer packet_with(std::string_view extension) {
  return from_hex("90 60 00 07 00 00 00 2a 11 22 33 44 " + std::string{extension} + " aa bb");
}

// The value in hexadecimal; "none", or the reason of an error.
std::string find(std::string_view extension, std::uint8_t id) {
  const auto packet = packet_with(extension);
  const auto value = find_extension(read_packet(packet)->extension, ExtensionId{id});
  if (!value) return std::string{to_string(value.error())};
  return *value ? to_hex(**value) : "none";
}

TEST(RtpExtension, OneByteForm) {
  // ID 1 with two bytes, one byte of padding, ID 4 with the MID "0".
  constexpr std::string_view kExtension = "be de 00 02 11 ff ff 00 40 30 00 00";
  EXPECT_EQ(find(kExtension, 1), "ffff");
  EXPECT_EQ(find(kExtension, 4), "30");
  EXPECT_EQ(find(kExtension, 5), "none");
}

TEST(RtpExtension, TwoByteForm) {
  constexpr std::string_view kExtension = "10 0f 00 02 01 00 20 03 61 62 63 00";
  EXPECT_EQ(find(kExtension, 0x20), "616263");
  EXPECT_EQ(find(kExtension, 1), "");
}

TEST(RtpExtension, ElementsMustFit) {
  EXPECT_EQ(find("be de 00 01 43 30 30 30", 4), "bad_extension");
  EXPECT_EQ(find("10 00 00 01 01 01 30 04", 4), "bad_extension");
  EXPECT_EQ(find("10 00 00 01 00 00 00 04", 4), "bad_extension");
  // ID 0 is padding, which has no length.
  EXPECT_EQ(find("be de 00 01 01 30 40 30", 4), "bad_extension");
  // What stands before counts.
  EXPECT_EQ(find("be de 00 01 40 30 53 30", 4), "30");
}

TEST(RtpExtension, ReservedIdEndsTheOneByteForm) {
  EXPECT_EQ(find("be de 00 01 f0 00 40 30", 4), "none");  // RFC 8285 section 4.2
  EXPECT_EQ(find("be de 00 01 f0 00 40 30", 15), "none");
}

TEST(RtpExtension, OtherProfilesHaveNoElements) {
  EXPECT_EQ(find("12 34 00 01 40 30 00 00", 4), "none");
}

TEST(RtpExtension, ReaderEndsAfterAnError) {
  const auto body = from_hex("43 30 30 30");
  ExtensionReader reader({.profile = 0xbede, .body = body});
  EXPECT_FALSE(reader.next());
  const auto after = reader.next();
  ASSERT_TRUE(after);
  EXPECT_FALSE(*after);
}

TEST(RtpExtension, WritesBothForms) {
  std::array<std::byte, 16> out{};
  ExtensionWriter one(ExtensionForm::one_byte, out);
  ASSERT_TRUE(one.add(ExtensionId{4}, test::bytes_of("0")));
  ASSERT_TRUE(one.add(ExtensionId{14}, test::bytes_of("abc")));
  const auto extension = one.finish();
  ASSERT_TRUE(extension);
  EXPECT_EQ(extension->profile, 0xbede);
  EXPECT_EQ(to_hex(extension->body), "4030e26162630000");

  ExtensionWriter two(ExtensionForm::two_byte, out);
  ASSERT_TRUE(two.add(ExtensionId{255}, {}));
  ASSERT_TRUE(two.add(ExtensionId{1}, test::bytes_of("a")));
  EXPECT_EQ(to_hex(two.finish()->body), "ff00010161000000");
}

TEST(RtpExtension, WriterRefusesWhatTheFormCantHold) {
  std::array<std::byte, 300> out{};
  const auto long_value = test::counted(256);
  ExtensionWriter one(ExtensionForm::one_byte, out);
  EXPECT_EQ(one.add(ExtensionId{0}, long_value).error(), WriteError::out_of_range);
  EXPECT_EQ(one.add(ExtensionId{15}, long_value).error(), WriteError::out_of_range);
  EXPECT_EQ(one.add(ExtensionId{1}, {}).error(), WriteError::too_long);
  EXPECT_EQ(one.add(ExtensionId{1}, Bytes{long_value}.first(17)).error(), WriteError::too_long);
  EXPECT_TRUE(one.add(ExtensionId{1}, Bytes{long_value}.first(16)));
  ExtensionWriter two(ExtensionForm::two_byte, out);
  EXPECT_EQ(two.add(ExtensionId{1}, long_value).error(), WriteError::too_long);
  ExtensionWriter small(ExtensionForm::two_byte, std::span(out).first(5));
  EXPECT_TRUE(small.add(ExtensionId{1}, Bytes{long_value}.first(3)));
  EXPECT_EQ(small.add(ExtensionId{1}, {}).error(), WriteError::buffer_too_small);
  EXPECT_EQ(small.finish().error(), WriteError::buffer_too_small);
}

TEST(RtpExtension, ValueIsOverwrittenInPlace) {
  auto packet = packet_with("be de 00 01 51 00 07 00");
  const auto value = find_extension(MutableBytes{packet}, ExtensionId{5});
  ASSERT_TRUE(value && *value);
  EXPECT_EQ(read_transport_sequence_number(**value), SequenceNumber{7});
  write_transport_sequence_number(**value, SequenceNumber{0xabcd});
  EXPECT_EQ(to_hex(packet), to_hex(packet_with("be de 00 01 51 ab cd 00")));
}

TEST(RtpExtension, IdsAreReplacedInPlace) {
  ExtensionIds ids{};
  ids[1] = 9;  // 2 is removed
  ids[3] = 1;
  auto one = packet_with("be de 00 02 11 aa bb 20 cc 30 dd 00");
  ASSERT_TRUE(replace_extension_ids(one, ids));
  EXPECT_EQ(to_hex(one), to_hex(packet_with("be de 00 02 91 aa bb 00 00 10 dd 00")));
  ids[1] = 200;
  auto two = packet_with("10 00 00 02 01 01 aa 02 00 03 01 dd");
  ASSERT_TRUE(replace_extension_ids(two, ids));
  EXPECT_EQ(to_hex(two), to_hex(packet_with("10 00 00 02 c8 01 aa 00 00 01 01 dd")));
}

TEST(RtpExtension, IdsThatDoNotFitChangeNothing) {
  ExtensionIds ids{};
  ids[1] = 2;
  ids[3] = 15;
  auto packet = packet_with("be de 00 01 10 aa 30 dd");
  const auto before = packet;
  EXPECT_EQ(replace_extension_ids(packet, ids).error(), Malformed::bad_value);
  EXPECT_EQ(packet, before);
  auto broken = packet_with("be de 00 01 10 aa 35 dd");
  const auto broken_before = broken;
  EXPECT_EQ(replace_extension_ids(broken, ids).error(), Malformed::bad_extension);
  EXPECT_EQ(broken, broken_before);
}

TEST(RtpExtension, Texts) {
  EXPECT_EQ(read_mid(test::bytes_of("audio-1")), "audio-1");
  EXPECT_EQ(read_mid({}).error(), Malformed::bad_text);
  EXPECT_EQ(read_mid(test::bytes_of("a b")).error(), Malformed::bad_text);
  EXPECT_EQ(read_mid(from_hex("61 00")).error(), Malformed::bad_text);
  EXPECT_EQ(read_rid(test::bytes_of("Hi0")), "Hi0");
  EXPECT_EQ(read_rid(test::bytes_of("h-i")).error(), Malformed::bad_text);
  EXPECT_EQ(read_rid({}).error(), Malformed::bad_text);
}

TEST(RtpExtension, AbsoluteSendTime) {
  EXPECT_EQ(absolute_send_time(Instant{1s}), AbsoluteSendTime{1 << 18});
  EXPECT_EQ(absolute_send_time(Instant{65s}), AbsoluteSendTime{1 << 18});
  EXPECT_EQ(absolute_send_time(Instant{-63s}), AbsoluteSendTime{1 << 18});
  EXPECT_EQ(absolute_send_time(Instant{63'999'999us}), AbsoluteSendTime{0xffffff});
  std::array<std::byte, kAbsoluteSendTimeSize> value{};
  write_absolute_send_time(value, AbsoluteSendTime{0x123456});
  EXPECT_EQ(read_absolute_send_time(value), AbsoluteSendTime{0x123456});
  EXPECT_EQ(read_absolute_send_time(std::span(value).first(2)).error(), Malformed::bad_length);
}

TEST(RtpExtension, AudioLevel) {
  std::array<std::byte, 1> value{};
  const AudioLevel level{.voice = true, .below_overload = 30};
  write_audio_level(value, level);
  EXPECT_EQ(to_hex(value), "9e");
  EXPECT_EQ(read_audio_level(value), level);
  EXPECT_EQ(read_audio_level(from_hex("1e 00")), (AudioLevel{.below_overload = 30}));
  EXPECT_EQ(read_audio_level({}).error(), Malformed::bad_length);
}

}  // namespace
}  // namespace sluice::rtp
