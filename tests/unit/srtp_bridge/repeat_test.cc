// An RTP packet is protected again if it is the same, and only then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "session_peers.h"

namespace sluice::srtp {
namespace {

// A packet whose payload is another one for each `variant`.
Packet variant_of(std::uint16_t sequence, std::uint8_t variant = 0) {
  auto packet = make_rtp({.sequence = sequence, .payload = 20});
  packet.back() ^= std::byte{variant};
  return packet;
}

tl::expected<Packet, PacketError> protect(Session& session, Packet packet) {
  const auto size = packet.size();
  packet.resize(size + kMaxTrailer);
  return session.protect_rtp(packet, size).map([&](std::size_t protected_size) {
    packet.resize(protected_size);
    return packet;
  });
}

class Repeat : public testing::TestWithParam<dtls::SrtpProfile> {
 protected:
  Session& client() { return peers_.client; }

  Peers peers_ = make_peers(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Profiles, Repeat, testing::ValuesIn(test::kAllSrtpProfiles), profile_name);

TEST_P(Repeat, TheSamePacketIsTheSameAgain) {
  const auto first = protect(client(), make_rtp());
  ASSERT_TRUE(first);
  EXPECT_TRUE(protect(client(), make_rtp({.sequence = 1001})));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(protect(client(), make_rtp()), first);
  EXPECT_EQ(client().statistics().outbound.rtp, 5U);
  EXPECT_EQ(unprotect_rtp(peers_.server, *first), make_rtp());
}

TEST_P(Repeat, AnotherPacketOfTheSameIndexIsRefusedUnchanged) {
  const auto with_extension = make_rtp({.payload = 40, .extension_words = 1});
  ASSERT_TRUE(protect(client(), with_extension));
  std::vector<Packet> others;
  for (std::size_t at = 0; at < with_extension.size(); ++at) {
    const bool is_of_index = (at >= 2 && at < 4) || (at >= 8 && at < 12);
    const bool shapes_header = at == 0 || (at >= 14 && at < 16);
    if (is_of_index || shapes_header) continue;
    others.push_back(with_extension);
    others.back()[at] ^= std::byte{1};
  }
  others.push_back(make_rtp({.payload = 41, .extension_words = 1}));
  others.push_back(make_rtp({.payload = 39, .extension_words = 1}));
  others.push_back(make_rtp({.payload = 0, .extension_words = 1}));
  for (const auto& other : others) {
    auto buffer = other;
    buffer.resize(other.size() + kMaxTrailer);
    EXPECT_EQ(client().protect_rtp(buffer, other.size()), kUnexpected(PacketError::index_reused));
    buffer.resize(other.size());
    EXPECT_EQ(buffer, other);
  }
  EXPECT_EQ(client().statistics().outbound.count(PacketError::index_reused), others.size());
  EXPECT_TRUE(protect(client(), with_extension)) << "the refusals changed nothing";
}

TEST_P(Repeat, EndsAtItsWindow) {
  auto peers = make_peers(GetParam(), {.replay_window = 128, .repeat_window = 64});
  for (std::uint16_t sequence = 0; sequence < 128; ++sequence) {
    ASSERT_TRUE(protect(peers.client, variant_of(sequence)));
  }
  EXPECT_TRUE(protect(peers.client, variant_of(64)));
  EXPECT_EQ(protect(peers.client, variant_of(64, 1)), kUnexpected(PacketError::index_reused));
  EXPECT_EQ(protect(peers.client, variant_of(63)), kUnexpected(PacketError::replayed));
  EXPECT_EQ(protect(peers.client, variant_of(63, 1)), kUnexpected(PacketError::replayed));
}

TEST_P(Repeat, NoneWithoutAWindow) {
  auto peers = make_peers(GetParam(), {.repeat_window = 0});
  ASSERT_TRUE(protect(peers.client, make_rtp()));
  EXPECT_EQ(protect(peers.client, make_rtp()), kUnexpected(PacketError::replayed));
}

TEST_P(Repeat, WorksAcrossTheRollOver) {
  ASSERT_TRUE(protect(client(), variant_of(65000)));
  std::vector<Packet> first;
  for (std::uint16_t sequence = 65500; sequence != 100; ++sequence) {
    first.push_back(protect(client(), variant_of(sequence)).value_or(Packet{}));
  }
  std::uint16_t sequence = 65500;
  for (const auto& packet : first) EXPECT_EQ(protect(client(), variant_of(sequence++)), packet);
}

TEST_P(Repeat, WithAnMkiAndOfAnySize) {
  auto keys = test::make_srtp_keys(GetParam());
  keys.client.mki = dtls::Buffer(4, std::byte{9});
  auto session = Session::make(std::move(keys.client));
  ASSERT_TRUE(session);
  std::uint16_t sequence = 0;
  for (const std::size_t payload : {0U, 1U, 7U, 1200U, 60000U}) {
    const test::RtpFields fields{.sequence = ++sequence, .payload = payload};
    const auto first = protect(*session, make_rtp(fields));
    ASSERT_TRUE(first);
    EXPECT_EQ(protect(*session, make_rtp(fields)), first);
  }
}

// A session without repetitions, where libsrtp decides as well, never uses an index twice: what
// this session makes of packets of which no two are the same must be what that one makes of them.
TEST_P(Repeat, NoIndexIsUsedForTwoPackets) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    auto peers = make_peers(GetParam(), {.replay_window = 128, .repeat_window = 64});
    auto keys = test::make_srtp_keys(GetParam());
    auto strict = Session::make(std::move(keys.client), {.replay_window = 128, .repeat_window = 0});
    ASSERT_TRUE(strict);
    // Now and then far ahead, over the roll-over and into what is unclear.
    auto at = static_cast<std::uint16_t>(random() & 0xffff);
    for (int i = 0; i < 3000; ++i) {
      const std::array<std::uint64_t, 4> steps = {1, random() % 200 + 65436, random() % 32000,
                                                  random()};
      const auto step = steps[random() % 50 == 0 ? random() % 4 : random() % 2];
      at = static_cast<std::uint16_t>((at + step) & 0xffff);
      // No two packets are the same.
      auto packet = variant_of(at);
      packet[12] = static_cast<std::byte>(i >> 8);
      packet[13] = static_cast<std::byte>(i & 0xff);
      const auto reference = protect(*strict, packet);
      const auto result = protect(peers.client, packet);
      ASSERT_EQ(result.has_value(), reference.has_value()) << i;
      if (reference) {
        ASSERT_EQ(result, reference) << i;
      }
    }
  }
}

TEST_P(Repeat, EndsAtTheReplayWindowAtTheLatest) {
  auto peers = make_peers(GetParam(), {.replay_window = 64, .repeat_window = 32767});
  for (std::uint16_t sequence = 0; sequence < 65; ++sequence) {
    ASSERT_TRUE(protect(peers.client, variant_of(sequence)));
  }
  EXPECT_TRUE(protect(peers.client, variant_of(1)));
  EXPECT_EQ(protect(peers.client, variant_of(0)), kUnexpected(PacketError::replayed));
}

}  // namespace
}  // namespace sluice::srtp
