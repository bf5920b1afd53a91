// The form of a session that moves (docs/live-sessions.md).
#include "live_session.h"

#include <gtest/gtest.h>

#include <string>

#include "lite_server.h"

namespace sluice::ice_lite {
namespace {

constexpr std::string_view kPwd = "0123456789012345678901";
constexpr std::string_view kOtherPwd = "abcdefghijklmnopqrstuv";

dtls::Bytes chars_of(std::string_view text) { return std::as_bytes(std::span(text)); }

dtls::UdpPath ipv6_path() {
  return {
      .socket = dtls::SocketId{3},
      .peer = {dtls::Ipv6Address{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}, 65535},
      .own = {dtls::Ipv6Address{0xfe, 0x80}, 443}};
}

// Every field has a value of its own.
LiveSession full() {
  static const dtls::Buffer kTransport(40, std::byte{7});
  LiveSession live{
      .credentials = {.ufrag = "ufrag", .pwd = chars_of(kPwd), .remote_ufrag = "", .generation = 4},
      .newer =
          LiveCredentials{
              .ufrag = "next", .pwd = chars_of(kOtherPwd), .remote_ufrag = "peer", .generation = 6},
      .least_generation = 2,
      .is_rtt_settled = true,
      .rtt = 37ms,
      .recent = {0xffffffff, 0, 0x01020304}};
  live.tuples.push_back({.path = LiteServer::path(kPeer),
                         .checks = {.generation = 3, .nomination = 8, .priority = 0x7effffff},
                         .since_check = 5s,
                         .since_added = dtls::Duration::max(),
                         .since_heard = 20ms,
                         .is_nominated = true,
                         .is_told = true});
  live.tuples.push_back({.path = ipv6_path(), .checks = {.generation = 1}, .is_nominated = true});
  live.tuples.push_back({.path = {.peer = address(2, 1)},
                         .checks = {.generation = 6, .priority = 1},
                         .is_told = true});
  live.selected = 0;
  live.transport = kTransport;
  return live;
}

void expect_same(const LiveCredentials& read, const LiveCredentials& written) {
  EXPECT_EQ(read.ufrag, written.ufrag);
  EXPECT_TRUE(std::ranges::equal(read.pwd, written.pwd));
  EXPECT_EQ(read.remote_ufrag, written.remote_ufrag);
  EXPECT_EQ(read.generation, written.generation);
}

void expect_same(const LiveTuple& read, const LiveTuple& written) {
  EXPECT_EQ(read.path, written.path);
  EXPECT_EQ(read.checks.generation, written.checks.generation);
  EXPECT_EQ(read.checks.nomination, written.checks.nomination);
  EXPECT_EQ(read.checks.priority, written.checks.priority);
  EXPECT_EQ(read.since_check, written.since_check);
  EXPECT_EQ(read.since_added, written.since_added);
  EXPECT_EQ(read.since_heard, written.since_heard);
  EXPECT_EQ(read.is_nominated, written.is_nominated);
  EXPECT_EQ(read.is_told, written.is_told);
}

void expect_same(const LiveSession& read, const LiveSession& written) {
  expect_same(read.credentials, written.credentials);
  ASSERT_EQ(read.newer.has_value(), written.newer.has_value());
  if (read.newer) expect_same(*read.newer, *written.newer);
  EXPECT_EQ(read.least_generation, written.least_generation);
  EXPECT_EQ(read.is_rtt_settled, written.is_rtt_settled);
  EXPECT_EQ(read.rtt, written.rtt);
  EXPECT_EQ(read.recent, written.recent);
  ASSERT_EQ(read.tuples.size(), written.tuples.size());
  for (std::size_t i = 0; i < read.tuples.size(); ++i)
    expect_same(read.tuples[i], written.tuples[i]);
  EXPECT_EQ(read.selected, written.selected);
  ASSERT_EQ(read.lost.has_value(), written.lost.has_value());
  if (read.lost) {
    EXPECT_EQ(read.lost->path, written.lost->path);
    EXPECT_EQ(read.lost->since_check, written.lost->since_check);
  }
  EXPECT_TRUE(std::ranges::equal(read.transport, written.transport));
}

std::string_view failure_of(dtls::Bytes bytes) {
  const auto read = LiveSession::decode(bytes);
  if (read) return "";
  EXPECT_EQ(read.error().code, dtls::Errc::decode_error);
  // The details are literals.
  return read.error().detail.view();
}
std::string_view failure_of(const LiveSession& live) { return failure_of(live.encode()); }

TEST(LiveSession, IsReadAsItWasWritten) {
  const auto bytes = full().encode();
  expect_same(test::must(LiveSession::decode(bytes)), full());
}

TEST(LiveSession, MayHaveLostItsPath) {
  LiveSession live = full();
  live.lost = LiveLostPath{ipv6_path(), 7s};
  EXPECT_EQ(failure_of(live), "a selected path beside one that was lost");
  live.selected.reset();
  const auto bytes = live.encode();
  expect_same(test::must(LiveSession::decode(bytes)), live);
}

TEST(LiveSession, NeedsLittle) {
  LiveSession live = full();
  live.newer.reset();
  live.rtt.reset();
  live.is_rtt_settled = false;
  live.recent.clear();
  live.tuples.clear();
  live.selected.reset();
  live.transport = {};
  const auto bytes = live.encode();
  expect_same(test::must(LiveSession::decode(bytes)), live);
  // Format, flags, three texts, two generations, three counts.
  EXPECT_EQ(bytes.size(), 1U + 1 + 3 * 2 + 5 + 22 + 4 + 4 + 1 + 2 + 4);
}

TEST(LiveSession, TakesAllThatASessionMayHave) {
  const std::string ufrag(256, 'u');
  const std::string pwd(256, 'p');
  LiveSession live{.credentials = {.ufrag = ufrag,
                                   .pwd = chars_of(pwd),
                                   .remote_ufrag = ufrag,
                                   .generation = 1U << 31},
                   .recent = std::vector<std::uint32_t>(32, 9),
                   .lost = LiveLostPath{ipv6_path(), dtls::Duration::max()}};
  for (std::uint16_t port = 1; port <= 1024; ++port) {
    live.tuples.push_back({.path = {.peer = address(1, port)}, .checks = {.generation = 1}});
  }
  const auto bytes = live.encode();
  expect_same(test::must(LiveSession::decode(bytes)), live);
  live.tuples.push_back({.path = {.peer = address(2, 1)}, .checks = {.generation = 1}});
  EXPECT_EQ(failure_of(live), "a count out of range");
}

TEST(LiveSession, AgesAreNotNegative) {
  LiveSession live = full();
  live.tuples[0].since_check = -1s;
  const auto bytes = live.encode();
  EXPECT_EQ(test::must(LiveSession::decode(bytes)).tuples[0].since_check, dtls::Duration::zero());
}

TEST(LiveSession, IsRefusedWhenTruncatedOrLonger) {
  auto bytes = full().encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(failure_of(dtls::Bytes(bytes).first(size)), "truncated") << size;
  }
  bytes.push_back(std::byte{0});
  EXPECT_EQ(failure_of(bytes), "bytes that are left over");
}

TEST(LiveSession, OfAnotherFormatIsRefused) {
  auto bytes = full().encode();
  for (const unsigned format : {0U, 2U, 255U}) {
    bytes[0] = static_cast<std::byte>(format);
    EXPECT_EQ(failure_of(bytes), "another format") << format;
  }
}

// There is one way to write a session.
TEST(LiveSession, AnAlteredByteIsRefusedOrAnotherSession) {
  const auto bytes = full().encode();
  std::size_t read = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto altered = bytes;
      altered[i] ^= static_cast<std::byte>(1U << bit);
      const auto live = LiveSession::decode(altered);
      if (!live) {
        EXPECT_EQ(live.error().code, dtls::Errc::decode_error);
        EXPECT_FALSE(live.error().detail.empty());
        continue;
      }
      ++read;
      EXPECT_EQ(live->encode(), altered) << "bit " << bit << " of byte " << i;
    }
  }
  EXPECT_GT(read, 0U);
}

TEST(LiveSession, HasOnlyWhatASessionCanHave) {
  const auto changed = [](const auto& change) {
    LiveSession live = full();
    change(live);
    return failure_of(live);
  };
  EXPECT_EQ(changed([](auto& s) { s.credentials.ufrag = "abc"; }), "a ufrag");
  EXPECT_EQ(changed([](auto& s) { s.credentials.ufrag = "a:bcd"; }), "a ufrag");
  EXPECT_EQ(changed([](auto& s) { s.credentials.pwd = s.credentials.pwd.first(21); }),
            "a password");
  EXPECT_EQ(changed([](auto& s) { s.credentials.remote_ufrag = "abc"; }), "a remote ufrag");
  EXPECT_EQ(changed([](auto& s) { s.credentials.generation = 0; }), "a generation out of range");
  // The credentials of a restart have the next one.
  EXPECT_EQ(changed([](auto& s) { s.newer->generation = UINT32_MAX; }),
            "a generation out of range");
  EXPECT_EQ(changed([](auto& s) { s.newer->ufrag = s.credentials.ufrag; }),
            "a ufrag that comes twice");
  EXPECT_EQ(changed([](auto& s) { s.newer->generation = s.credentials.generation; }),
            "a generation out of range");
  EXPECT_EQ(changed([](auto& s) { s.least_generation = 7; }), "a generation out of range");
  EXPECT_EQ(changed([](auto& s) { s.least_generation = 0; }), "a generation out of range");
  EXPECT_EQ(changed([](auto& s) { s.recent.resize(33); }), "a count out of range");
  EXPECT_EQ(changed([](auto& s) { s.tuples[1].path = s.tuples[0].path; }),
            "a path that comes twice");
  EXPECT_EQ(changed([](auto& s) { s.tuples[1].checks.generation = 7; }),
            "a generation out of range");
  EXPECT_EQ(changed([](auto& s) { s.tuples[1].checks.generation = 0; }),
            "a generation out of range");
  EXPECT_EQ(changed([](auto& s) { s.tuples[1].is_told = true; }), "a path of a former association");
}

// During an ICE restart the tuple in use may be one that is not nominated any more, or is none of a
// new DTLS association.
TEST(LiveSession, AnyOfItsTuplesMayBeSelected) {
  for (const std::size_t selected : {0U, 1U, 2U}) {
    LiveSession live = full();
    live.selected = selected;
    const auto bytes = live.encode();
    EXPECT_EQ(test::must(LiveSession::decode(bytes)).selected, selected);
  }
  auto two = full().encode();
  // The flags of the last tuple, before the transport and its size.
  two[two.size() - 40 - 4 - 1] |= std::byte{4};
  EXPECT_EQ(failure_of(two), "two selected paths");
}

TEST(LiveSession, ATimeThatNoClockHasIsRefused) {
  auto bytes = full().encode();
  // The last tuple's: three times, flags, and the transport with its size.
  const std::size_t at = bytes.size() - 40 - 4 - 1 - 24;
  for (std::size_t i = 0; i < 3; ++i) {
    auto altered = bytes;
    altered[at + 8 * i] |= std::byte{0x80};
    EXPECT_EQ(failure_of(altered), "a time out of range") << i;
  }
}

}  // namespace
}  // namespace sluice::ice_lite
