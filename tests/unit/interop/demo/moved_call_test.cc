// Calls that go on in the next process.
#include "demo/moved_call.h"

#include <gtest/gtest.h>

#include <string_view>

namespace sluice::interop::demo {
namespace {

using std::chrono::milliseconds;

dtls::SecretBytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return dtls::SecretBytes(Buffer(bytes.begin(), bytes.end()));
}

OfferedSection audio() {
  OfferedSection section;
  section.kind = SectionKind::audio;
  section.mid = "a0";
  section.direction = Direction::sendonly;
  section.codec.payload_type = 111;
  section.codec.clock_rate = 48000;
  section.mid_extension = 4;
  return section;
}

OfferedSection data() {
  OfferedSection section;
  section.kind = SectionKind::data;
  section.mid = "d\xff";  // a peer's text, perhaps not UTF-8
  section.rejected = "why";
  section.sctp_port = 5000;
  section.max_message_size = 262144;
  return section;
}

MovedCalls some_calls() {
  MovedCalls calls{.left_at = 1'700'000'000'000'000, .calls = {}};
  MovedCall call;
  call.id = "00ff";
  call.address = "127.0.0.1";
  call.sections = {audio(), data()};
  call.ssrcs = {0xffffffff, 7};
  call.times = {.ice = milliseconds{5}, .dtls = milliseconds{9}};
  call.age = std::chrono::hours{3};
  call.streams = {{.source = rtp::Ssrc{99},
                   .packets = 5,
                   .octets = 0xfffffff0,
                   .reception = {.base = 1,
                                 .highest = 70000,
                                 .in_sequence = 1,
                                 .expected_next = rtp::SequenceNumber{2},
                                 .received = 69990,
                                 .expected_before = 60000,
                                 .received_before = 59999,
                                 .jitter = 1234,
                                 .report = rtp::CompactNtp{0x80000001},
                                 .since_report = milliseconds{250}}},
                  {}};
  call.channels = {
      {data_channel::ChannelId{0}, {.label = "chat\xfe"}},
      {data_channel::ChannelId{3},
       {.protocol = "p", .ordered = false, .max_lifetime = milliseconds{500}, .priority = 512}},
      {data_channel::ChannelId{4}, {.max_retransmits = 7}}};
  call.transport = bytes_of("the secrets of a session");
  calls.calls.push_back(std::move(call));
  calls.calls.emplace_back().id = "second";
  return calls;
}

TEST(MovedCalls, AreReadAsTheyWereWritten) {
  const auto written = encode(some_calls());
  const auto read = decode_moved_calls(written.bytes());
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->left_at, some_calls().left_at);
  ASSERT_EQ(read->calls.size(), 2U);
  const MovedCall& call = read->calls[0];
  EXPECT_EQ(call.id, "00ff");
  EXPECT_EQ(call.address, "127.0.0.1");
  ASSERT_EQ(call.sections.size(), 2U);
  EXPECT_EQ(call.sections[0].kind, SectionKind::audio);
  EXPECT_EQ(call.sections[0].direction, Direction::sendonly);
  EXPECT_EQ(call.sections[0].codec.payload_type, 111);
  EXPECT_EQ(call.sections[0].codec.clock_rate, 48000U);
  EXPECT_EQ(call.sections[0].mid_extension, 4);
  EXPECT_EQ(call.sections[1].mid, "d\xff");
  EXPECT_EQ(call.sections[1].rejected, "why");
  EXPECT_EQ(call.sections[1].sctp_port, 5000);
  EXPECT_EQ(call.sections[1].max_message_size, 262144U);
  EXPECT_EQ(call.ssrcs, (std::vector<std::uint32_t>{0xffffffff, 7}));
  EXPECT_EQ(call.times.dtls, milliseconds{9});
  EXPECT_EQ(call.times.media, std::nullopt);
  EXPECT_EQ(call.age, std::chrono::hours{3});
  ASSERT_EQ(call.channels.size(), 3U);
  const auto& unordered = call.channels.at(data_channel::ChannelId{3});
  EXPECT_FALSE(unordered.ordered);
  EXPECT_EQ(unordered.max_lifetime, milliseconds{500});
  EXPECT_EQ(unordered.max_retransmits, std::nullopt);
  EXPECT_EQ(unordered.priority, 512);
  EXPECT_EQ(call.channels.at(data_channel::ChannelId{4}).max_retransmits, 7U);
  EXPECT_TRUE(
      std::ranges::equal(call.transport.bytes(), bytes_of("the secrets of a session").bytes()));
  // All fields of the statistics, too.
  const auto again = encode(*read);
  EXPECT_TRUE(std::ranges::equal(again.bytes(), written.bytes()));
}

TEST(MovedCalls, MayBeNone) {
  const auto read = decode_moved_calls(encode({.left_at = 1}).bytes());
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->calls.empty());
}

TEST(MovedCalls, AreRefusedWhenTruncatedOrAltered) {
  const auto written = encode(some_calls());
  for (std::size_t size = 0; size < written.size(); ++size) {
    EXPECT_FALSE(decode_moved_calls(written.bytes().first(size))) << size;
  }
  Buffer longer(written.bytes().begin(), written.bytes().end());
  longer.push_back({});
  EXPECT_FALSE(decode_moved_calls(longer));
  // Whatever it is read as, it does not crash, and takes no memory for what is only claimed.
  longer.pop_back();
  for (auto& byte : longer) {
    for (const unsigned value : {0x01U, 0x80U, 0xffU}) {
      byte ^= static_cast<std::byte>(value);
      static_cast<void>(decode_moved_calls(longer));
      byte ^= static_cast<std::byte>(value);
    }
  }
}

TEST(MovedCalls, HaveOnlyWhatACallCanHave) {
  const auto refused = [](const auto& change) {
    auto calls = some_calls();
    change(calls.calls[0]);
    return !decode_moved_calls(encode(calls).bytes());
  };
  EXPECT_FALSE(refused([](auto&) {}));
  EXPECT_TRUE(refused([](auto& call) { call.sections[0].codec.clock_rate = 0; }));
  EXPECT_TRUE(refused([](auto& call) { call.sections[0].kind = SectionKind{4}; }));
  EXPECT_TRUE(refused([](auto& call) { call.sections[0].direction = Direction{4}; }));
  EXPECT_TRUE(refused([](auto& call) { call.ssrcs.pop_back(); }));
  EXPECT_TRUE(refused([](auto& call) { call.age = dtls::Duration::max(); }));
  EXPECT_TRUE(refused([](auto& call) { call.times.ice = dtls::Duration{-1}; }));
}

}  // namespace
}  // namespace sluice::interop::demo
