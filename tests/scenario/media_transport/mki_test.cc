// Calls whose packets carry a master key identifier (RFC 5764 section 4.1.3, RFC 3711 section 3.1).
#include <gmock/gmock.h>

#include <algorithm>

#include "call.h"
#include "support/by_version.h"

namespace sluice::transport {
namespace {

using testing::ElementsAre;

class Mki : public testing::TestWithParam<dtls::ProtocolVersion> {};

bool holds(const Packet& packet, const dtls::Buffer& mki) {
  return !std::ranges::search(packet, mki).empty();
}

TEST_P(Mki, IsInEveryPacket) {
  for (const std::size_t size : {1U, 4U, 128U}) {
    for (const auto profile : test::kAllSrtpProfiles) {
      CallOptions options = call_options(GetParam());
      const dtls::Buffer mki(size, std::byte{0x77});
      options.client_dtls.srtp_profiles = {profile};
      options.client_dtls.srtp_mki = mki;
      options.server_dtls.max_srtp_mki = srtp::kMaxMki;
      Call call(options);
      call.connect();
      ASSERT_FALSE(call.server.connected.empty());
      EXPECT_EQ(call.server.connected.front().srtp_mki, mki);
      std::vector<Packet> sent;
      call.network = [&](Flight& flight) { return sent.push_back(flight.bytes), true; };
      EXPECT_TRUE(call.send_rtp(call.client, make_rtp()));
      EXPECT_TRUE(call.send_rtcp(call.client, make_rtcp()));
      EXPECT_TRUE(call.send_rtp(call.server, make_rtp()));
      EXPECT_TRUE(call.send_rtcp(call.server, make_rtcp()));
      call.run_for(100ms);
      EXPECT_EQ(std::ranges::count_if(sent, [&](const auto& one) { return holds(one, mki); }), 4);
      EXPECT_THAT(call.server.rtp, ElementsAre(make_rtp()));
      EXPECT_THAT(call.server.rtcp, ElementsAre(make_rtcp()));
      EXPECT_THAT(call.client.rtp, ElementsAre(make_rtp()));
      EXPECT_THAT(call.client.rtcp, ElementsAre(make_rtcp()));
    }
  }
}

TEST_P(Mki, AServerThatKnowsNoneGoesWithout) {
  CallOptions options = call_options(GetParam());
  options.client_dtls.srtp_mki = dtls::Buffer(4, std::byte{0x77});
  Call call(options);
  call.connect();
  ASSERT_FALSE(call.client.connected.empty());
  EXPECT_TRUE(call.client.connected.front().srtp_mki.empty());
  EXPECT_TRUE(call.send_rtp(call.client, make_rtp()));
  call.run_for(100ms);
  EXPECT_THAT(call.server.rtp, ElementsAre(make_rtp()));
}

INSTANTIATE_TEST_SUITE_P(Versions, Mki, test::both_versions(), test::name_of_version);

}  // namespace
}  // namespace sluice::transport
