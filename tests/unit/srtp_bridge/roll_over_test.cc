// Roll-over counters that an inbound SSRC begins with (RFC 3711 section 3.3.1).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session_peers.h"

namespace sluice::srtp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kSsrc = 7;

class RollOver : public testing::TestWithParam<dtls::SrtpProfile> {
 protected:
  Packet send(std::uint32_t number) {
    return protect_rtp(peers_.client,
                       make_rtp({.ssrc = kSsrc, .sequence = static_cast<std::uint16_t>(number)}));
  }
  // Sends packets that nobody receives.
  void lose_up_to(std::uint32_t first, std::uint32_t last, std::uint32_t step = 1) {
    for (std::uint32_t i = first; i <= last; i += step) ASSERT_FALSE(send(i).empty());
  }
  auto receive(const Packet& packet) { return unprotect_rtp(peers_.server, packet); }

  Peers peers_ = make_peers(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Profiles, RollOver, testing::ValuesIn(test::kAllSrtpProfiles),
                         profile_name);

// The first packets of a stream were lost where its sequence number rolls over.
TEST_P(RollOver, IsFoundWhereTheFirstPacketsWereLost) {
  lose_up_to(65'530, 65'540);
  EXPECT_TRUE(receive(send(65'541)));
  EXPECT_EQ(peers_.server.roll_over_counter(Direction::inbound, kSsrc), 1U);
  EXPECT_TRUE(receive(send(65'542)));
  const auto replayed = send(65'543);
  EXPECT_TRUE(receive(replayed));
  EXPECT_EQ(receive(replayed), kUnexpected(PacketError::replayed));
  EXPECT_EQ(peers_.server.statistics().inbound.rtp, 3U);
  EXPECT_EQ(peers_.server.statistics().inbound.count(PacketError::authentication_failed), 0U);
}

TEST_P(RollOver, IsFollowedFromThereOn) {
  lose_up_to(65'535, 65'536);
  std::uint32_t number = 65'537;
  while (number < 3 * 65'536) {
    number += 5'000;
    ASSERT_TRUE(receive(send(number))) << number;
  }
  EXPECT_EQ(peers_.server.roll_over_counter(Direction::inbound, kSsrc), 3U);
}

TEST_P(RollOver, PacketsFromBeforeItAreStillTaken) {
  const auto late = send(65'535);
  EXPECT_TRUE(receive(send(65'536)));
  EXPECT_TRUE(receive(late));
  EXPECT_EQ(receive(late), kUnexpected(PacketError::replayed));
  EXPECT_EQ(peers_.server.roll_over_counter(Direction::inbound, kSsrc), 1U);
}

TEST_P(RollOver, IsFoundWhereRtcpCameFirst) {
  EXPECT_TRUE(unprotect_rtcp(peers_.server, protect_rtcp(peers_.client, make_rtcp(kSsrc))));
  EXPECT_FALSE(peers_.server.roll_over_counter(Direction::inbound, kSsrc));
  lose_up_to(65'530, 65'540);
  EXPECT_TRUE(receive(send(65'541)));
  EXPECT_EQ(peers_.server.roll_over_counter(Direction::inbound, kSsrc), 1U);
}

TEST_P(RollOver, AStreamThatHasNoneBeginsAsUsual) {
  EXPECT_TRUE(receive(send(5)));
  EXPECT_EQ(peers_.server.roll_over_counter(Direction::inbound, kSsrc), 0U);
  EXPECT_EQ(peers_.client.roll_over_counter(Direction::outbound, kSsrc), 0U);
  EXPECT_TRUE(receive(send(32'000)));
  EXPECT_TRUE(receive(send(64'000)));
  EXPECT_TRUE(receive(send(65'600)));
  EXPECT_EQ(peers_.client.roll_over_counter(Direction::outbound, kSsrc), 1U);
}

TEST_P(RollOver, ForgeriesAreNotFound) {
  EXPECT_EQ(receive(make_rtp({.ssrc = kSsrc, .sequence = 1})),
            kUnexpected(PacketError::authentication_failed));
  EXPECT_THAT(peers_.server.ssrcs(Direction::inbound), IsEmpty());
  EXPECT_EQ(peers_.server.statistics().inbound.count(PacketError::authentication_failed), 1U);
  // Nor do they disturb those that are.
  lose_up_to(65'530, 65'540);
  auto forged = send(65'541);
  forged.back() ^= std::byte{1};
  EXPECT_FALSE(receive(forged));
  EXPECT_TRUE(receive(send(65'542)));
  EXPECT_FALSE(receive(forged));
  EXPECT_TRUE(receive(send(65'543)));
  EXPECT_THAT(peers_.server.ssrcs(Direction::inbound), ElementsAre(kSsrc));
}

TEST_P(RollOver, CanBeTold) {
  lose_up_to(0, 3 * 65'536 + 50'000, 10'000);
  const auto packet = send(3 * 65'536 + 50'001);
  EXPECT_EQ(receive(packet), kUnexpected(PacketError::authentication_failed));
  EXPECT_TRUE(peers_.server.expect_roll_over_counter(kSsrc, 3));
  EXPECT_TRUE(receive(packet));
  EXPECT_EQ(peers_.server.roll_over_counter(Direction::inbound, kSsrc), 3U);
  EXPECT_TRUE(receive(send(4 * 65'536 + 10)));
  EXPECT_EQ(peers_.server.roll_over_counter(Direction::inbound, kSsrc), 4U);
}

TEST_P(RollOver, CanBeToldAfterRtcp) {
  EXPECT_TRUE(unprotect_rtcp(peers_.server, protect_rtcp(peers_.client, make_rtcp(kSsrc))));
  lose_up_to(0, 2 * 65'536 + 9, 10'000);
  EXPECT_TRUE(peers_.server.expect_roll_over_counter(kSsrc, 2));
  EXPECT_TRUE(receive(send(2 * 65'536 + 10)));
}

TEST_P(RollOver, StaysToldWhenAnSsrcWithoutRtpIsRemoved) {
  EXPECT_TRUE(unprotect_rtcp(peers_.server, protect_rtcp(peers_.client, make_rtcp(kSsrc))));
  EXPECT_TRUE(peers_.server.expect_roll_over_counter(kSsrc, 2));
  EXPECT_TRUE(peers_.server.remove_ssrc(Direction::inbound, kSsrc));
  lose_up_to(0, 2 * 65'536 + 9, 10'000);
  EXPECT_TRUE(receive(send(2 * 65'536 + 10)));
}

TEST_P(RollOver, CanBeToldOfASsrcThatWasRemovedWithoutRtp) {
  EXPECT_TRUE(unprotect_rtcp(peers_.server, protect_rtcp(peers_.client, make_rtcp(kSsrc))));
  EXPECT_TRUE(peers_.server.remove_ssrc(Direction::inbound, kSsrc));
  EXPECT_TRUE(peers_.server.expect_roll_over_counter(kSsrc, 2));
  lose_up_to(0, 2 * 65'536 + 9, 10'000);
  EXPECT_TRUE(receive(send(2 * 65'536 + 10)));
  EXPECT_FALSE(peers_.server.expect_roll_over_counter(kSsrc, 3));
  EXPECT_TRUE(peers_.server.remove_ssrc(Direction::inbound, kSsrc));
  EXPECT_FALSE(peers_.server.expect_roll_over_counter(kSsrc, 3)) << "its RTP has come";
}

TEST_P(RollOver, CannotBeToldOnceItIsKnown) {
  EXPECT_TRUE(receive(send(1)));
  EXPECT_FALSE(peers_.server.expect_roll_over_counter(kSsrc, 2));
  EXPECT_TRUE(receive(send(2)));
}

TEST(RollOverLimits, AsManyAreExpectedAsThereMayBeSsrcs) {
  auto peers = make_peers(dtls::SrtpProfile::aead_aes_128_gcm, {.max_ssrcs = 2});
  EXPECT_TRUE(peers.server.expect_roll_over_counter(1, 5));
  EXPECT_TRUE(peers.server.expect_roll_over_counter(1, 6));
  EXPECT_TRUE(peers.server.expect_roll_over_counter(2, 5));
  EXPECT_FALSE(peers.server.expect_roll_over_counter(3, 5));
}

}  // namespace
}  // namespace sluice::srtp
