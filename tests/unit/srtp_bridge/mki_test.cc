// Packets with a master key identifier (RFC 3711 section 3.1).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "session_peers.h"

namespace sluice::srtp {
namespace {

using dtls::SrtpProfile;

const dtls::Buffer kMki{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};

Peers peers_with(SrtpProfile profile, const dtls::Buffer& clients, const dtls::Buffer& servers) {
  auto keys = test::make_srtp_keys(profile);
  keys.client.mki = clients;
  keys.server.mki = servers;
  auto client = Session::make(std::move(keys.client));
  auto server = Session::make(std::move(keys.server));
  if (!client || !server) ADD_FAILURE() << "no session";
  return {std::move(client).value(), std::move(server).value()};
}

class MkiTest : public testing::TestWithParam<SrtpProfile> {
 protected:
  static bool is_gcm() {
    return GetParam() == SrtpProfile::aead_aes_128_gcm ||
           GetParam() == SrtpProfile::aead_aes_256_gcm;
  }
  // Where RFC 3711 has it: before the tag, behind SRTCP's index; with GCM the tag is a part of the
  // ciphertext (RFC 7714 section 9.2).
  static std::size_t behind(std::size_t tag) { return is_gcm() ? 0 : tag; }
};

INSTANTIATE_TEST_SUITE_P(Profiles, MkiTest, testing::ValuesIn(test::kAllSrtpProfiles),
                         profile_name);

TEST_P(MkiTest, StandsWhereTheRfcHasIt) {
  Peers peers = peers_with(GetParam(), kMki, kMki);
  const std::size_t rtp_tag = GetParam() == SrtpProfile::aes128_cm_hmac_sha1_32 ? 4 : 10;
  const Packet rtp = protect_rtp(peers.client, make_rtp());
  const Packet rtcp = protect_rtcp(peers.client, make_rtcp());
  for (const auto& [packet, tag] : {std::pair{&rtp, rtp_tag}, std::pair{&rtcp, 10UL}}) {
    const auto at = std::span(*packet).last(behind(tag) + kMki.size()).first(kMki.size());
    EXPECT_THAT(at, testing::ElementsAreArray(kMki));
  }
  EXPECT_EQ(unprotect_rtp(peers.server, rtp), make_rtp());
  EXPECT_EQ(unprotect_rtcp(peers.server, rtcp), make_rtcp());
}

TEST_P(MkiTest, AnotherOneOrNoneIsRefused) {
  for (const dtls::Buffer& other : {dtls::Buffer{}, dtls::Buffer(4, std::byte{9})}) {
    Peers peers = peers_with(GetParam(), other, kMki);
    EXPECT_FALSE(unprotect_rtp(peers.server, protect_rtp(peers.client, make_rtp())));
    EXPECT_FALSE(unprotect_rtcp(peers.server, protect_rtcp(peers.client, make_rtcp())));
    EXPECT_TRUE(peers.server.ssrcs(Direction::inbound).empty());
  }
}

TEST_P(MkiTest, NeedsRoomForItAndNoMore) {
  const dtls::Buffer longest(kMaxMki, std::byte{5});
  Peers peers = peers_with(GetParam(), longest, longest);
  for (const bool rtcp : {false, true}) {
    const Packet plain = rtcp ? make_rtcp() : make_rtp();
    const std::size_t tag = is_gcm()                                                     ? 16
                            : !rtcp && GetParam() == SrtpProfile::aes128_cm_hmac_sha1_32 ? 4
                                                                                         : 10;
    const std::size_t needed = plain.size() + tag + kMaxMki + (rtcp ? 4 : 0);
    EXPECT_LE(needed, plain.size() + kMaxTrailer);
    Packet buffer = plain;
    buffer.resize(needed - 1);
    const auto protect = [&] {
      return rtcp ? peers.client.protect_rtcp(buffer, plain.size())
                  : peers.client.protect_rtp(buffer, plain.size());
    };
    EXPECT_EQ(protect(), kUnexpected(PacketError::buffer_too_small));
    buffer.resize(needed);
    EXPECT_EQ(protect(), needed);
  }
}

TEST_P(MkiTest, EveryFlippedBitIsRefused) {
  Peers peers = peers_with(GetParam(), kMki, kMki);
  const Packet rtp = protect_rtp(peers.client, make_rtp({.payload = 20}));
  const Packet rtcp = protect_rtcp(peers.client, make_rtcp(9));
  for (const auto* packet : {&rtp, &rtcp}) {
    for (std::size_t bit = 0; bit < packet->size() * 8; ++bit) {
      Packet damaged = *packet;
      damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      EXPECT_FALSE(packet == &rtp ? unprotect_rtp(peers.server, damaged)
                                  : unprotect_rtcp(peers.server, damaged))
          << "bit " << bit;
    }
  }
  EXPECT_EQ(unprotect_rtp(peers.server, rtp), make_rtp({.payload = 20}));
  EXPECT_EQ(unprotect_rtcp(peers.server, rtcp), make_rtcp(9));
}

// As SessionTest has it of all errors but one.
TEST_P(MkiTest, ARefusedPacketStaysAsItWas) {
  Peers peers = peers_with(GetParam(), kMki, kMki);
  const Packet sent = protect_rtcp(peers.client, make_rtcp());
  ASSERT_TRUE(unprotect_rtcp(peers.server, sent));
  Packet again = sent;
  EXPECT_EQ(peers.server.unprotect_rtcp(again), kUnexpected(PacketError::replayed));
  EXPECT_EQ(again, sent);
}

TEST(MkiLength, IsBounded) {
  auto keys = test::make_srtp_keys(SrtpProfile::aead_aes_128_gcm);
  keys.client.mki = dtls::Buffer(kMaxMki + 1);
  const auto session = Session::make(std::move(keys.client));
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error(), SetupError::invalid_keys);
}

}  // namespace
}  // namespace sluice::srtp
