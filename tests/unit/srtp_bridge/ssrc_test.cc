// What SSRCs cost, how many there may be, and who makes them known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <string>
#include <vector>

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

TEST_P(SsrcTest, InboundAboveTheCapTheOneUsedLongestAgoMakesRoom) {
  for (std::uint32_t ssrc = 1; ssrc <= 4; ++ssrc) {
    ASSERT_TRUE(unprotect_rtp(peers_.server, protect_rtp(generous_, make_rtp({.ssrc = ssrc}))));
  }
  ASSERT_TRUE(unprotect_rtcp(peers_.server, protect_rtcp(generous_, make_rtcp(1))));
  EXPECT_EQ(peers_.server.statistics().inbound.ssrcs_displaced, 0U);
  EXPECT_TRUE(unprotect_rtp(peers_.server, protect_rtp(generous_, make_rtp({.ssrc = 5}))));
  EXPECT_THAT(peers_.server.ssrcs(Direction::inbound), ElementsAre(1, 3, 4, 5));
  EXPECT_TRUE(unprotect_rtcp(peers_.server, protect_rtcp(generous_, make_rtcp(6))));
  EXPECT_THAT(peers_.server.ssrcs(Direction::inbound), ElementsAre(1, 4, 5, 6));
  EXPECT_EQ(peers_.server.statistics().inbound.ssrcs_displaced, 2U);
  EXPECT_EQ(peers_.server.statistics().inbound.count(PacketError::too_many_ssrcs), 0U);
}

TEST_P(SsrcTest, ForgeriesDisplaceNothing) {
  for (std::uint32_t ssrc = 1; ssrc <= 4; ++ssrc) {
    ASSERT_TRUE(unprotect_rtp(peers_.server, protect_rtp(generous_, make_rtp({.ssrc = ssrc}))));
  }
  for (std::uint32_t ssrc = 5; ssrc <= 50; ++ssrc) {
    EXPECT_FALSE(unprotect_rtp(peers_.server, make_rtp({.ssrc = ssrc})));
  }
  EXPECT_THAT(peers_.server.ssrcs(Direction::inbound), ElementsAre(1, 2, 3, 4));
}

TEST_P(SsrcTest, ForgeriesKeepNoSsrcInUse) {
  for (std::uint32_t ssrc = 1; ssrc <= 4; ++ssrc) {
    ASSERT_TRUE(unprotect_rtp(peers_.server, protect_rtp(generous_, make_rtp({.ssrc = ssrc}))));
  }
  EXPECT_FALSE(unprotect_rtp(peers_.server, make_rtp({.ssrc = 1, .sequence = 2})));
  EXPECT_TRUE(unprotect_rtp(peers_.server, protect_rtp(generous_, make_rtp({.ssrc = 5}))));
  EXPECT_THAT(peers_.server.ssrcs(Direction::inbound), ElementsAre(2, 3, 4, 5));
}

// A displaced stream may come again, in the roll-over counter it had, and no packet of it twice.
class ReturningSsrc : public SsrcTest {
 protected:
  // Four others are used.
  void displace() {
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(
          unprotect_rtp(peers_.server, protect_rtp(generous_, make_rtp({.ssrc = ++others_}))));
    }
    ASSERT_THAT(peers_.server.ssrcs(Direction::inbound), testing::Not(testing::Contains(kSsrc)));
  }
  Packet send(std::uint16_t sequence) {
    return protect_rtp(generous_, make_rtp({.ssrc = kSsrc, .sequence = sequence}));
  }
  void take(std::uint16_t sequence) {
    rtp_.push_back(send(sequence));
    EXPECT_EQ(unprotect_rtp(peers_.server, rtp_.back()),
              make_rtp({.ssrc = kSsrc, .sequence = sequence}));
  }
  void take_report() {
    rtcp_.push_back(protect_rtcp(generous_, make_rtcp(kSsrc)));
    EXPECT_EQ(unprotect_rtcp(peers_.server, rtcp_.back()), make_rtcp(kSsrc));
  }
  void expect_replays_refused() {
    // Some are taken for packets of another roll-over counter, and fail to authenticate.
    for (const auto& packet : rtp_) EXPECT_FALSE(unprotect_rtp(peers_.server, packet));
    for (const auto& packet : rtcp_) {
      EXPECT_EQ(unprotect_rtcp(peers_.server, packet), kUnexpected(PacketError::replayed));
    }
  }

  static constexpr std::uint32_t kSsrc = 7;
  std::uint32_t others_ = 100;
  std::vector<Packet> rtp_;
  std::vector<Packet> rtcp_;
};

INSTANTIATE_TEST_SUITE_P(Profiles, ReturningSsrc, testing::ValuesIn(test::kAllSrtpProfiles),
                         profile_name);

TEST_P(ReturningSsrc, IsTakenFromItsHighestIndicesOn) {
  take(1000);
  take(1005);
  take_report();
  const auto late = send(1003);
  displace();
  expect_replays_refused();
  take(1006);
  take_report();
  expect_replays_refused();
  EXPECT_EQ(unprotect_rtp(peers_.server, late), kUnexpected(PacketError::replayed))
      << "nobody knows whether it was received";
  const auto missing = send(1007);
  take(1008);
  EXPECT_TRUE(unprotect_rtp(peers_.server, missing));
}

TEST_P(ReturningSsrc, IsTakenInItsRollOverCounter) {
  for (const std::uint32_t sequence : {30000U, 60000U, 3U, 32000U, 64000U, 65530U}) {
    take(static_cast<std::uint16_t>(sequence));
  }
  displace();
  take_report();
  expect_replays_refused();
  const auto before_wrap = send(65534);
  take(4);
  EXPECT_EQ(unprotect_rtp(peers_.server, before_wrap),
            make_rtp({.ssrc = kSsrc, .sequence = 65534}));
  expect_replays_refused();
  take(5);
  displace();
  expect_replays_refused();
  take(6);
}

// ... and is displaced again before it has sent both RTP and RTCP.
TEST_P(ReturningSsrc, KeepsBothIndicesWhenItIsDisplacedTwice) {
  take(1000);
  take_report();
  displace();
  take_report();
  displace();
  expect_replays_refused();
  take(1006);
  displace();
  expect_replays_refused();
  take_report();
}

TEST_P(ReturningSsrc, IsNotSpoiltByForgeries) {
  for (const std::uint32_t sequence : {30000U, 60000U, 3U}) {
    take(static_cast<std::uint16_t>(sequence));
  }
  displace();
  for (std::uint32_t forged = 0; forged < 3; ++forged) {
    EXPECT_EQ(unprotect_rtp(peers_.server, make_rtp({.ssrc = kSsrc, .sequence = 7})),
              kUnexpected(PacketError::authentication_failed));
  }
  take(7);
}

// libsrtp would keep a stream for each.
TEST_P(ReturningSsrc, ForgeriesTakeNoMemory) {
  take(1000);
  displace();
  const auto forged = make_rtp({.ssrc = kSsrc, .sequence = 1001});
  EXPECT_FALSE(unprotect_rtp(peers_.server, forged));
  const std::size_t before = mallinfo2().uordblks;
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(unprotect_rtp(peers_.server, forged));
  EXPECT_LT(mallinfo2().uordblks, before + 100'000);
}

TEST_P(SsrcTest, OutboundAboveTheCapTheOneUsedLongestAgoIsRetired) {
  for (std::uint32_t ssrc = 1; ssrc <= 4; ++ssrc) EXPECT_FALSE(next(ssrc).empty());
  EXPECT_FALSE(next(1).empty());
  EXPECT_FALSE(next(5).empty());
  EXPECT_THAT(peers_.client.ssrcs(Direction::outbound), ElementsAre(1, 3, 4, 5));
  EXPECT_EQ(peers_.client.statistics().outbound.ssrcs_displaced, 1U);
  auto buffer = make_rtp({.ssrc = 2, .sequence = 5000});
  const auto size = buffer.size();
  buffer.resize(size + kMaxTrailer);
  EXPECT_EQ(peers_.client.protect_rtp(buffer, size), kUnexpected(PacketError::ssrc_retired));
}

TEST_P(SsrcTest, ALargeMeetingHasRoom) {
  auto keys = test::make_srtp_keys(GetParam());
  auto sender = Session::make(std::move(keys.client));
  auto receiver = Session::make(std::move(keys.server));
  ASSERT_TRUE(sender && receiver);
  constexpr std::uint32_t kStreams = 2000;
  for (std::uint16_t sequence = 1; sequence <= 2; ++sequence) {
    for (std::uint32_t i = 0; i < kStreams; ++i) {
      const auto ssrc = i * 2654435761U;
      const auto plain = make_rtp({.ssrc = ssrc, .sequence = sequence, .payload = 8});
      ASSERT_EQ(unprotect_rtp(*receiver, protect_rtp(*sender, plain)), plain);
      // Those who only report count too.
      const auto report = make_rtcp((kStreams + i) * 2654435761U, 0);
      ASSERT_EQ(unprotect_rtcp(*receiver, protect_rtcp(*sender, report)), report);
    }
  }
  EXPECT_EQ(receiver->statistics().inbound.ssrcs_displaced, 0U);
  EXPECT_THAT(receiver->ssrcs(Direction::inbound), testing::SizeIs(2 * kStreams));
}

TEST_P(SsrcTest, RtpAndRtcpOfOneSsrcCountOnce) {
  EXPECT_TRUE(unprotect_rtcp(peers_.server, protect_rtcp(peers_.client, make_rtcp(7))));
  EXPECT_TRUE(unprotect_rtp(peers_.server, next(7)));
  EXPECT_THAT(peers_.server.ssrcs(Direction::inbound), ElementsAre(7));
  EXPECT_THAT(peers_.client.ssrcs(Direction::outbound), ElementsAre(7));
  EXPECT_THAT(peers_.client.ssrcs(Direction::inbound), IsEmpty());
}

TEST_P(SsrcTest, EachHasItsCounts) {
  const auto rtp_bytes = make_rtp({}).size();
  for (const std::uint32_t ssrc : {7U, 8U, 7U}) {
    EXPECT_TRUE(unprotect_rtp(peers_.server, next(ssrc)));
  }
  EXPECT_TRUE(unprotect_rtcp(peers_.server, protect_rtcp(peers_.client, make_rtcp(7))));
  EXPECT_FALSE(unprotect_rtp(peers_.server, make_rtp({.ssrc = 7}))) << "forged";
  const SsrcStatistics first{.ssrc = 7, .rtp = 2, .rtcp = 1, .rtp_bytes = 2 * rtp_bytes};
  const SsrcStatistics second{.ssrc = 8, .rtp = 1, .rtcp = 0, .rtp_bytes = rtp_bytes};
  EXPECT_THAT(peers_.server.ssrc_statistics(Direction::inbound), ElementsAre(first, second));
  EXPECT_THAT(peers_.client.ssrc_statistics(Direction::outbound), ElementsAre(first, second));
  EXPECT_THAT(peers_.client.ssrc_statistics(Direction::inbound), IsEmpty());
  EXPECT_TRUE(peers_.server.remove_ssrc(Direction::inbound, 7));
  EXPECT_THAT(peers_.server.ssrc_statistics(Direction::inbound), ElementsAre(second));
}

TEST_P(SsrcTest, RemovingKeepsWhatWasReceived) {
  const auto packet = next(7);
  EXPECT_TRUE(unprotect_rtp(peers_.server, packet));
  EXPECT_TRUE(peers_.server.remove_ssrc(Direction::inbound, 7));
  EXPECT_FALSE(peers_.server.remove_ssrc(Direction::inbound, 7)) << "known no more";
  EXPECT_THAT(peers_.server.ssrcs(Direction::inbound), IsEmpty());
  EXPECT_EQ(unprotect_rtp(peers_.server, packet), kUnexpected(PacketError::replayed));
  EXPECT_TRUE(unprotect_rtp(peers_.server, next(7)));
  EXPECT_THAT(peers_.server.ssrcs(Direction::inbound), ElementsAre(7));
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
  for (std::uint32_t ssrc = 4; ssrc < 7; ++ssrc) {
    EXPECT_FALSE(protect_rtcp(peers_.client, make_rtcp(ssrc)).empty());
  }
  auto report = make_rtcp(8);
  report.resize(report.size() + kMaxTrailer);
  EXPECT_EQ(peers_.client.protect_rtcp(report, make_rtcp(8).size()),
            kUnexpected(PacketError::too_many_ssrcs));
  EXPECT_FALSE(protect_rtcp(peers_.client, make_rtcp(3)).empty()) << "known ones go on";
}

}  // namespace
}  // namespace sluice::srtp
