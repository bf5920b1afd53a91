#include <sluice/srtp/session.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "session_peers.h"

namespace sluice::srtp {
namespace {

using dtls::SrtpProfile;
using test::make_srtp_keys;

class SessionTest : public testing::TestWithParam<SrtpProfile> {
 protected:
  Peers peers_ = make_peers(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Profiles, SessionTest, testing::ValuesIn(test::kAllSrtpProfiles),
                         profile_name);

TEST_P(SessionTest, CarriesRtpBothWays) {
  const test::RtpFields shapes[] = {{},
                                    {.payload = 0},
                                    {.csrcs = 15},
                                    {.extension_words = 4},
                                    {.payload = 1, .csrcs = 1},
                                    {.payload = 1200, .csrcs = 2, .extension_words = 9}};
  std::uint16_t sequence = 1;
  for (auto fields : shapes) {
    fields.sequence = ++sequence;
    const auto plain = make_rtp(fields);
    const auto there = protect_rtp(peers_.client, plain);
    EXPECT_NE(there, plain);
    EXPECT_EQ(unprotect_rtp(peers_.server, there), plain);
    const auto back = protect_rtp(peers_.server, plain);
    EXPECT_NE(back, there) << "each direction has a key of its own";
    EXPECT_EQ(unprotect_rtp(peers_.client, back), plain);
  }
}

TEST_P(SessionTest, CarriesRtcpBothWays) {
  for (const std::size_t reports : {0U, 1U, 31U}) {
    const auto plain = make_rtcp(77, reports);
    EXPECT_EQ(unprotect_rtcp(peers_.server, protect_rtcp(peers_.client, plain)), plain);
    EXPECT_EQ(unprotect_rtcp(peers_.client, protect_rtcp(peers_.server, plain)), plain);
  }
}

TEST_P(SessionTest, AddsTheTrailerOfItsProfile) {
  const bool gcm =
      GetParam() == SrtpProfile::aead_aes_128_gcm || GetParam() == SrtpProfile::aead_aes_256_gcm;
  const bool sha1_32 = GetParam() == SrtpProfile::aes128_cm_hmac_sha1_32;
  const std::size_t rtp_trailer = gcm ? 16 : sha1_32 ? 4 : 10;
  const std::size_t rtcp_trailer = gcm ? 16 + 4 : 10 + 4;  // SHA1_32 too: RFC 5764 section 4.1.2
  EXPECT_EQ(protect_rtp(peers_.client, make_rtp()).size(), make_rtp().size() + rtp_trailer);
  EXPECT_EQ(protect_rtcp(peers_.client, make_rtcp()).size(), make_rtcp().size() + rtcp_trailer);
}

TEST_P(SessionTest, WritesNothingBehindTheTrailer) {
  constexpr std::byte kGuard{0x5a};
  for (const bool rtcp : {false, true}) {
    const auto plain = rtcp ? make_rtcp() : make_rtp();
    auto buffer = plain;
    buffer.resize(plain.size() + 200, kGuard);
    const auto result = rtcp ? peers_.client.protect_rtcp(buffer, plain.size())
                             : peers_.client.protect_rtp(buffer, plain.size());
    ASSERT_TRUE(result);
    EXPECT_THAT(std::span(buffer).subspan(*result), testing::Each(kGuard));
  }
}

TEST_P(SessionTest, NeedsRoomForTheTrailerAndNoMore) {
  for (const bool rtcp : {false, true}) {
    const auto plain = rtcp ? make_rtcp(5) : make_rtp({.ssrc = 5});
    auto reference = make_peers(GetParam());
    const auto needed =
        (rtcp ? protect_rtcp(reference.client, plain) : protect_rtp(reference.client, plain))
            .size();
    EXPECT_LE(needed - plain.size(), kMaxTrailer);

    auto tight = plain;
    tight.resize(needed - 1);
    const auto before = tight;
    const auto protect = [&](MutableBytes buffer, std::size_t size) {
      return rtcp ? peers_.client.protect_rtcp(buffer, size)
                  : peers_.client.protect_rtp(buffer, size);
    };
    EXPECT_EQ(protect(tight, plain.size()), kUnexpected(PacketError::buffer_too_small));
    EXPECT_EQ(tight, before);
    EXPECT_EQ(protect(tight, tight.size() + 1), kUnexpected(PacketError::buffer_too_small));
    tight.resize(needed);
    EXPECT_EQ(protect(tight, plain.size()), needed) << "the refusal used up no index";
  }
}

TEST_P(SessionTest, RefusesEveryFlippedBit) {
  const auto rtp = protect_rtp(peers_.client, make_rtp({.payload = 20, .extension_words = 1}));
  const auto rtcp = protect_rtcp(peers_.client, make_rtcp(9));
  for (const auto* packet : {&rtp, &rtcp}) {
    for (std::size_t bit = 0; bit < packet->size() * 8; ++bit) {
      auto damaged = *packet;
      damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      const auto result = packet == &rtp ? unprotect_rtp(peers_.server, damaged)
                                         : unprotect_rtcp(peers_.server, damaged);
      EXPECT_FALSE(result) << "bit " << bit;
    }
  }
  EXPECT_THAT(peers_.server.ssrcs(Direction::inbound), testing::IsEmpty());
  EXPECT_TRUE(unprotect_rtp(peers_.server, rtp)) << "no forgery used up the index";
  EXPECT_TRUE(unprotect_rtcp(peers_.server, rtcp));
  EXPECT_GT(peers_.server.statistics().inbound.count(PacketError::authentication_failed), 400U);
}

TEST_P(SessionTest, RefusesOtherKeys) {
  auto other = Session::make(std::move(make_srtp_keys(GetParam(), 1).client));
  ASSERT_TRUE(other);
  EXPECT_EQ(unprotect_rtp(peers_.server, protect_rtp(*other, make_rtp())),
            kUnexpected(PacketError::authentication_failed));
  EXPECT_EQ(unprotect_rtcp(peers_.server, protect_rtcp(*other, make_rtcp())),
            kUnexpected(PacketError::authentication_failed));
}

TEST_P(SessionTest, RefusesItsOwnPacketsReflected) {
  EXPECT_EQ(unprotect_rtp(peers_.client, protect_rtp(peers_.client, make_rtp())),
            kUnexpected(PacketError::authentication_failed));
}

TEST_P(SessionTest, RefusesWhatIsNoPacketWithoutTouchingIt) {
  const auto rtp = protect_rtp(peers_.client, make_rtp({.payload = 0}));
  for (std::size_t size = 0; size < rtp.size(); ++size) {
    auto cut = Packet(rtp.begin(), rtp.begin() + static_cast<std::ptrdiff_t>(size));
    const auto before = cut;
    EXPECT_EQ(peers_.server.unprotect_rtp(cut), kUnexpected(PacketError::malformed)) << size;
    EXPECT_EQ(cut, before);
  }
  const auto rtcp = protect_rtcp(peers_.client, make_rtcp(1, 0));
  for (std::size_t size = 0; size < rtcp.size(); ++size) {
    auto cut = Packet(rtcp.begin(), rtcp.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(peers_.server.unprotect_rtcp(cut), kUnexpected(PacketError::malformed)) << size;
  }
  EXPECT_EQ(peers_.server.statistics().inbound.count(PacketError::malformed),
            rtp.size() + rtcp.size());
}

TEST_P(SessionTest, RefusesUnencryptedRtcp) {
  auto packet = protect_rtcp(peers_.client, make_rtcp());
  const bool gcm =
      GetParam() == SrtpProfile::aead_aes_128_gcm || GetParam() == SrtpProfile::aead_aes_256_gcm;
  auto& index = packet[packet.size() - (gcm ? 4 : 14)];
  ASSERT_EQ(index & std::byte{0x80}, std::byte{0x80});
  index &= std::byte{0x7f};
  EXPECT_EQ(unprotect_rtcp(peers_.server, packet), kUnexpected(PacketError::malformed));
}

// libsrtp on NSS gathers a header up to 2048 bytes before it decrypts; a forged packet that breaks
// off between the two must not spoil the next one.
TEST_P(SessionTest, AForgeryOfAnySizeHarmsNoLaterPacket) {
  std::uint16_t sequence = 1;
  for (std::size_t words = 500; words < 520; ++words) {
    const auto forged = Packet(make_rtcp(1, 0).size() + 4 * words, std::byte{0x80});
    EXPECT_FALSE(unprotect_rtcp(peers_.server, forged));
    EXPECT_TRUE(unprotect_rtcp(peers_.server, protect_rtcp(peers_.client, make_rtcp())));
    const auto long_header = make_rtp({.payload = 40, .extension_words = words});
    EXPECT_FALSE(unprotect_rtp(peers_.server, long_header));
    const auto plain = make_rtp({.sequence = ++sequence});
    EXPECT_EQ(unprotect_rtp(peers_.server, protect_rtp(peers_.client, plain)), plain);
  }
}

TEST_P(SessionTest, RefusesToProtectWhatIsNoPacket) {
  EXPECT_TRUE(protect_rtp(peers_.client, Packet(11, std::byte{0x80})).empty());
  EXPECT_TRUE(protect_rtp(peers_.client, Packet(40, std::byte{0x00})).empty());
  EXPECT_TRUE(protect_rtcp(peers_.client, Packet(7, std::byte{0x80})).empty());
  EXPECT_TRUE(protect_rtp(peers_.client, make_rtp({.payload = 65536})).empty());
  EXPECT_EQ(peers_.client.statistics().outbound.count(PacketError::malformed), 4U);
}

TEST_P(SessionTest, RefusesReplays) {
  const auto rtp = protect_rtp(peers_.client, make_rtp());
  EXPECT_TRUE(unprotect_rtp(peers_.server, rtp));
  auto again = rtp;
  EXPECT_EQ(peers_.server.unprotect_rtp(again), kUnexpected(PacketError::replayed));
  EXPECT_EQ(again, rtp) << "a replay is not decrypted";
  const auto rtcp = protect_rtcp(peers_.client, make_rtcp());
  EXPECT_TRUE(unprotect_rtcp(peers_.server, rtcp));
  EXPECT_EQ(unprotect_rtcp(peers_.server, rtcp), kUnexpected(PacketError::replayed));
  EXPECT_EQ(peers_.server.statistics().inbound.count(PacketError::replayed), 2U);
}

TEST_P(SessionTest, TakesWhatLagsByLessThan1024Packets) {
  std::vector<Packet> packets;
  for (std::uint16_t i = 0; i < 1026; ++i) {
    packets.push_back(protect_rtp(peers_.client, make_rtp({.sequence = i, .payload = 8})));
  }
  EXPECT_TRUE(unprotect_rtp(peers_.server, packets[1025]));
  EXPECT_EQ(unprotect_rtp(peers_.server, packets[1]), kUnexpected(PacketError::replayed));
  EXPECT_TRUE(unprotect_rtp(peers_.server, packets[2]));
  EXPECT_EQ(unprotect_rtp(peers_.server, packets[2]), kUnexpected(PacketError::replayed));
}

TEST_P(SessionTest, FollowsTheRollOverCounter) {
  // Three times around, one packet in 500 and those next to the wrap; some swapped around it.
  std::vector<Packet> sent;
  std::vector<Packet> plain;
  for (std::uint32_t index = 60000; index < 60000 + 3 * 65536; ++index) {
    const auto sequence = static_cast<std::uint16_t>(index & 0xffff);
    if (index % 500 != 0 && sequence > 3 && sequence < 65532) continue;
    plain.push_back(make_rtp({.sequence = sequence, .payload = 12}));
    sent.push_back(protect_rtp(peers_.client, plain.back()));
  }
  for (std::size_t i = 0; i + 1 < sent.size(); i += 2) std::swap(sent[i], sent[i + 1]);
  for (std::size_t i = 0; i + 1 < plain.size(); i += 2) std::swap(plain[i], plain[i + 1]);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    ASSERT_EQ(unprotect_rtp(peers_.server, sent[i]), plain[i]) << i;
  }
}

TEST_P(SessionTest, CountsByKindAndReason) {
  const auto rtp = protect_rtp(peers_.client, make_rtp());
  protect_rtcp(peers_.client, make_rtcp());
  EXPECT_TRUE(unprotect_rtp(peers_.server, rtp));
  EXPECT_FALSE(unprotect_rtp(peers_.server, rtp));
  EXPECT_EQ(peers_.client.statistics().outbound.rtp, 1U);
  EXPECT_EQ(peers_.client.statistics().outbound.rtcp, 1U);
  EXPECT_EQ(peers_.client.statistics().inbound.rtp, 0U);
  EXPECT_EQ(peers_.server.statistics().inbound.rtp, 1U);
  EXPECT_EQ(peers_.server.statistics().inbound.rtcp, 0U);
  EXPECT_EQ(peers_.server.statistics().inbound.count(PacketError::replayed), 1U);
  EXPECT_EQ(peers_.server.profile(), GetParam());
}

TEST_P(SessionTest, SurvivesMoving) {
  auto moved = std::move(peers_.server);
  EXPECT_TRUE(unprotect_rtp(moved, protect_rtp(peers_.client, make_rtp())));
  peers_.server = std::move(moved);
  EXPECT_TRUE(
      unprotect_rtp(peers_.server, protect_rtp(peers_.client, make_rtp({.sequence = 2000}))));
  EXPECT_EQ(peers_.server.statistics().inbound.rtp, 2U);
}

TEST_P(SessionTest, MakeWipesTheKeys) {
  auto keys = make_srtp_keys(GetParam());
  ASSERT_TRUE(Session::make(std::move(keys.client)));
  EXPECT_FALSE(Session::make(std::move(keys.server), {.replay_window = 1}));
  for (auto* key :
       {&keys.client.local, &keys.client.remote, &keys.server.local, &keys.server.remote}) {
    EXPECT_TRUE(key->empty());
    const Bytes whole(key->bytes().data(), key->capacity());
    EXPECT_THAT(whole, testing::Each(std::byte{0}));
  }
}

TEST(SessionMake, RefusesKeysOfAnotherLength) {
  for (const auto profile : test::kAllSrtpProfiles) {
    for (const std::size_t size : {0U, 16U, 29U, 43U}) {
      auto keys = make_srtp_keys(profile);
      keys.client.remote = dtls::SrtpMasterKey(size);
      EXPECT_EQ(Session::make(std::move(keys.client)).error(), SetupError::invalid_keys);
    }
  }
}

TEST(SessionMake, RefusesOwnKeysOfAnotherLength) {
  for (const auto profile : test::kAllSrtpProfiles) {
    auto keys = make_srtp_keys(profile);
    keys.client.local = dtls::SrtpMasterKey(29);
    EXPECT_EQ(Session::make(std::move(keys.client)).error(), SetupError::invalid_keys);
  }
}

TEST(SessionMake, RefusesUnknownProfiles) {
  auto keys = make_srtp_keys(SrtpProfile::aes128_cm_hmac_sha1_80);
  keys.client.profile = static_cast<SrtpProfile>(5);  // NULL_HMAC_SHA1_80, forbidden by RFC 8827
  EXPECT_EQ(Session::make(std::move(keys.client)).error(), SetupError::invalid_keys);
}

TEST(SessionMake, RefusesOptionsOutOfRange) {
  const SessionOptions wrong[] = {{.replay_window = 63},
                                  {.replay_window = 32768},
                                  {.max_ssrcs = 0},
                                  {.max_ssrcs = 65536},
                                  {.repeat_window = 32768}};
  for (const auto& options : wrong) {
    auto keys = make_srtp_keys(SrtpProfile::aead_aes_128_gcm);
    EXPECT_EQ(Session::make(std::move(keys.client), options).error(), SetupError::invalid_options);
  }
  const SessionOptions right[] = {{.replay_window = 64, .max_ssrcs = 1},
                                  {.replay_window = 32767, .max_ssrcs = 65535}};
  for (const auto& options : right) {
    auto keys = make_srtp_keys(SrtpProfile::aead_aes_128_gcm);
    EXPECT_TRUE(Session::make(std::move(keys.client), options));
  }
}

TEST(PacketErrorNames, AreDistinct) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kPacketErrors; ++i) {
    names.push_back(to_string(static_cast<PacketError>(i)));
  }
  EXPECT_THAT(names, testing::Not(testing::Contains("unknown")));
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
  EXPECT_EQ(to_string(static_cast<PacketError>(kPacketErrors)), "unknown");
}

}  // namespace
}  // namespace sluice::srtp
