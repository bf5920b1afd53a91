// What SSRCs cost, how many there may be, and who makes them known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "session_peers.h"

namespace sluice::srtp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SsrcTest : public testing::TestWithParam<dtls::SrtpProfile> {
 protected:
  // What the client protects for `ssrc`, with a sequence number of its own.
  Packet next(std::uint32_t ssrc) {
    return protect_rtp(peers_.client, make_rtp({.ssrc = ssrc, .sequence = ++sequence_}));
  }

  Peers peers_ = make_peers(GetParam(), {.max_ssrcs = 4});
  // Sends more SSRCs than the server takes.
  Session generous_ =
      std::move(Session::make(std::move(test::make_srtp_keys(GetParam()).client))).value();
  std::uint16_t sequence_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Profiles, SsrcTest,
                         testing::Values(dtls::SrtpProfile::aead_aes_256_gcm,
                                         dtls::SrtpProfile::aes128_cm_hmac_sha1_80),
                         profile_name);

TEST_P(SsrcTest, ForgedPacketsTakeNoPlace) {
  for (std::uint32_t ssrc = 1; ssrc <= 100; ++ssrc) {
    EXPECT_EQ(unprotect_rtp(peers_.server, make_rtp({.ssrc = ssrc})),
              kUnexpected(PacketError::authentication_failed));
    EXPECT_FALSE(unprotect_rtcp(peers_.server, Packet(60, std::byte{0xff})));
  }
  EXPECT_THAT(peers_.server.ssrcs(Direction::inbound), IsEmpty());
  for (std::uint32_t ssrc = 201; ssrc <= 204; ++ssrc) {
    EXPECT_TRUE(unprotect_rtp(peers_.server, next(ssrc)));
  }
  EXPECT_THAT(peers_.server.ssrcs(Direction::inbound), ElementsAre(201, 202, 203, 204));
}

TEST_P(SsrcTest, InboundAboveTheCapIsRefusedAndKnownOnesGoOn) {
  for (std::uint32_t ssrc = 1; ssrc <= 4; ++ssrc) {
    ASSERT_TRUE(unprotect_rtp(peers_.server, protect_rtp(generous_, make_rtp({.ssrc = ssrc}))));
  }
  const auto fifth = protect_rtp(generous_, make_rtp({.ssrc = 5}));
  EXPECT_EQ(unprotect_rtp(peers_.server, fifth), kUnexpected(PacketError::too_many_ssrcs));
  EXPECT_EQ(unprotect_rtcp(peers_.server, protect_rtcp(generous_, make_rtcp(6))),
            kUnexpected(PacketError::too_many_ssrcs));
  EXPECT_TRUE(unprotect_rtp(peers_.server,
                            protect_rtp(generous_, make_rtp({.ssrc = 1, .sequence = 1001}))));
  EXPECT_TRUE(unprotect_rtcp(peers_.server, protect_rtcp(generous_, make_rtcp(1))));
  EXPECT_EQ(peers_.server.statistics().inbound.count(PacketError::too_many_ssrcs), 2U);

  EXPECT_TRUE(peers_.server.remove_ssrc(Direction::inbound, 2));
  EXPECT_EQ(unprotect_rtp(peers_.server, fifth), make_rtp({.ssrc = 5}));
  EXPECT_THAT(peers_.server.ssrcs(Direction::inbound), ElementsAre(1, 3, 4, 5));
}

TEST_P(SsrcTest, OutboundAboveTheCapIsRefused) {
  for (std::uint32_t ssrc = 1; ssrc <= 4; ++ssrc) EXPECT_FALSE(next(ssrc).empty());
  auto buffer = make_rtp({.ssrc = 5});
  const auto size = buffer.size();
  buffer.resize(size + kMaxTrailer);
  EXPECT_EQ(peers_.client.protect_rtp(buffer, size), kUnexpected(PacketError::too_many_ssrcs));
  EXPECT_FALSE(next(1).empty());
}

TEST_P(SsrcTest, RtpAndRtcpOfOneSsrcCountOnce) {
  EXPECT_TRUE(unprotect_rtcp(peers_.server, protect_rtcp(peers_.client, make_rtcp(7))));
  EXPECT_TRUE(unprotect_rtp(peers_.server, next(7)));
  EXPECT_THAT(peers_.server.ssrcs(Direction::inbound), ElementsAre(7));
  EXPECT_THAT(peers_.client.ssrcs(Direction::outbound), ElementsAre(7));
  EXPECT_THAT(peers_.client.ssrcs(Direction::inbound), IsEmpty());
}

TEST_P(SsrcTest, RemovingForgetsTheReplayWindow) {
  const auto packet = next(7);
  EXPECT_TRUE(unprotect_rtp(peers_.server, packet));
  EXPECT_FALSE(unprotect_rtp(peers_.server, packet));
  EXPECT_TRUE(peers_.server.remove_ssrc(Direction::inbound, 7));
  EXPECT_FALSE(peers_.server.remove_ssrc(Direction::inbound, 7)) << "known no more";
  EXPECT_TRUE(unprotect_rtp(peers_.server, packet)) << "libsrtp has let go of the stream too";
}

TEST_P(SsrcTest, ARemovedOutboundSsrcIsNotUsedAgain) {
  EXPECT_FALSE(next(7).empty());
  EXPECT_TRUE(peers_.client.remove_ssrc(Direction::outbound, 7));
  auto buffer = make_rtp({.ssrc = 7, .sequence = 1});
  const auto size = buffer.size();
  buffer.resize(size + kMaxTrailer);
  EXPECT_EQ(peers_.client.protect_rtp(buffer, size), kUnexpected(PacketError::ssrc_retired));
  auto report = make_rtcp(7);
  report.resize(report.size() + kMaxTrailer);
  EXPECT_EQ(peers_.client.protect_rtcp(report, make_rtcp(7).size()),
            kUnexpected(PacketError::ssrc_retired));
  EXPECT_FALSE(next(8).empty());
}

TEST_P(SsrcTest, RetiredOnesHaveABound) {
  for (std::uint32_t ssrc = 0; ssrc < Session::kMaxRetired; ++ssrc) {
    // Neighbours in time are far apart in value, so that the list isn't just appended to.
    const auto scattered = ssrc * 2654435761U;
    ASSERT_FALSE(protect_rtcp(peers_.client, make_rtcp(scattered)).empty());
    ASSERT_TRUE(peers_.client.remove_ssrc(Direction::outbound, scattered));
  }
  EXPECT_TRUE(protect_rtcp(peers_.client, make_rtcp(17 * 2654435761U)).empty());
  EXPECT_FALSE(protect_rtcp(peers_.client, make_rtcp(3)).empty());
  EXPECT_FALSE(peers_.client.remove_ssrc(Direction::outbound, 3));
  EXPECT_FALSE(protect_rtcp(peers_.client, make_rtcp(3)).empty()) << "still in use";
}

}  // namespace
}  // namespace sluice::srtp
