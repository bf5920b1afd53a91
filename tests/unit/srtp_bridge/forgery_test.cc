// Inbound packets that nobody with the key has made change nothing: no stream is made for them, and
// they cost no memory. In a program of its own, which counts libcrypto's allocations.
#include <gtest/gtest.h>

#include <utility>

#include "session_peers.h"
#include "support/allocations.h"

namespace sluice::srtp {
namespace {

// Before libcrypto allocates anything.
const bool kCountsLibcrypto = test::count_libcrypto();

// As many streams as one context of libsrtp has; the next one needs another context.
constexpr std::uint32_t kStreams = 16;
constexpr std::uint32_t kGone = 100;       // was removed
constexpr std::uint32_t kGoneLater = 101;  // was removed after its sequence number had wrapped
constexpr std::uint32_t kNeverSeen = 1000;
// Packets that are tried with a second roll-over counter.
constexpr int kSearches = 16;

class Forgeries : public testing::TestWithParam<dtls::SrtpProfile> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(kCountsLibcrypto);
    take(kGone, 100);
    for (const int sequence : {30000, 60000, 3}) take(kGoneLater, sequence);
    for (const std::uint32_t ssrc : {kGone, kGoneLater}) {
      ASSERT_TRUE(unprotect_rtcp(peers_.server, protect_rtcp(peers_.client, make_rtcp(ssrc))));
      ASSERT_TRUE(peers_.server.remove_ssrc(Direction::inbound, ssrc));
    }
    for (std::uint32_t ssrc = 1; ssrc <= kStreams; ++ssrc) take(ssrc, 1);
  }
  void take(std::uint32_t ssrc, int sequence) {
    const auto packet = make_rtp({.ssrc = ssrc, .sequence = static_cast<std::uint16_t>(sequence)});
    ASSERT_TRUE(unprotect_rtp(peers_.server, protect_rtp(peers_.client, packet)));
  }

  // What refusing this packet adds to allocations(): their number, and bytes that stay.
  using Cost = std::pair<std::uint64_t, std::int64_t>;
  Cost cost_of(Packet packet, bool is_rtp) {
    const auto before = test::allocations();
    const auto result =
        is_rtp ? peers_.server.unprotect_rtp(packet) : peers_.server.unprotect_rtcp(packet);
    const auto after = test::allocations();
    EXPECT_FALSE(result);
    return {after.count - before.count, after.bytes - before.bytes};
  }
  Cost cost_of_rtp(std::uint32_t ssrc, std::uint16_t sequence) {
    return cost_of(make_rtp({.ssrc = ssrc, .sequence = sequence}), true);
  }
  // A genuine report whose last byte, of the tag or of the index, is another.
  Cost cost_of_rtcp(std::uint32_t ssrc) {
    auto packet = protect_rtcp(peers_.client, make_rtcp(ssrc));
    packet.back() ^= std::byte{1};
    return cost_of(std::move(packet), false);
  }

  Peers peers_ = make_peers(GetParam(), {});
};

INSTANTIATE_TEST_SUITE_P(Profiles, Forgeries, testing::ValuesIn(test::kAllSrtpProfiles),
                         profile_name);

TEST_P(Forgeries, CostWhatTheyCostForAKnownSsrc) {
  // The search for another roll-over counter is over.
  for (int i = 0; i < kSearches; ++i) EXPECT_EQ(cost_of_rtp(kNeverSeen, 2).second, 0);
  const Cost rtp = cost_of_rtp(1, 2);
  EXPECT_EQ(rtp.second, 0);
  EXPECT_EQ(cost_of_rtp(kNeverSeen, 2), rtp);
  EXPECT_EQ(cost_of_rtp(kGone, 101), rtp);
  const Cost rtcp = cost_of_rtcp(1);
  EXPECT_EQ(rtcp.second, 0);
  EXPECT_EQ(cost_of_rtcp(kNeverSeen), rtcp);
  EXPECT_EQ(cost_of_rtcp(kGone), rtcp);
  EXPECT_EQ(cost_of_rtcp(kGoneLater), rtcp);
}

// Every 1,024 packets that are accepted allow one more, in place of one that was used.
TEST_P(Forgeries, AreSearchedForAnotherRollOverCounterSeldom) {
  const Cost rtp = cost_of_rtp(1, 2);
  const auto searches = [&] {
    int searched = 0;
    for (int i = 0; i < 100; ++i) searched += cost_of_rtp(kNeverSeen, 2) != rtp ? 1 : 0;
    return searched;
  };
  int sequence = 1;
  const auto take_up_to = [&](int last) {
    while (sequence < last) take(1, ++sequence);
  };
  take_up_to(1100);
  EXPECT_EQ(searches(), kSearches);
  take_up_to(1100 + 1023);
  EXPECT_EQ(searches(), 0);
  take_up_to(1100 + 1024);
  EXPECT_EQ(searches(), 1);
}

// What was received before the SSRC was removed is refused before libsrtp sees it.
TEST_P(Forgeries, ReplaysOfARemovedSsrcCostNothing) {
  const Cost nothing{0, 0};
  EXPECT_EQ(cost_of_rtp(kGone, 100), nothing);
  EXPECT_EQ(cost_of_rtp(kGoneLater, 3), nothing);
  EXPECT_EQ(cost_of_rtp(kGoneLater, 60000), nothing);
}

// libsrtp needs a stream to authenticate a packet of a later roll-over counter. It does not stay.
TEST_P(Forgeries, LeaveNothingBehind) {
  for (std::uint16_t sequence = 4; sequence < 20; ++sequence) {
    EXPECT_EQ(cost_of_rtp(kGoneLater, sequence).second, 0);
  }
  EXPECT_EQ(peers_.server.ssrcs(Direction::inbound).size(), kStreams);
  for (const std::uint32_t ssrc : {kGone, kGoneLater}) take(ssrc, 500);
  take(kNeverSeen, 1);
}

}  // namespace
}  // namespace sluice::srtp
