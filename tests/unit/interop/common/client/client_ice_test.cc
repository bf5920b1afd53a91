#include "common/client/client_ice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::interop {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr dtls::UdpEndpoint kOwn{dtls::Ipv4Address{192, 0, 2, 1}, 5000};

TEST(ClientCredentials, AreNewEachTime) {
  EXPECT_NE(make_credentials().ufrag, make_credentials().ufrag);
  EXPECT_NE(make_credentials().pwd, make_credentials().pwd);
}

TEST(ClientCandidates, ThePreferredOneComesFirst) {
  const dtls::UdpEndpoint first{dtls::Ipv4Address{198, 51, 100, 1}, 443};
  const dtls::UdpEndpoint second{dtls::Ipv4Address{198, 51, 100, 2}, 444};
  EXPECT_THAT(usable_candidates({"candidate:1 1 udp 100 198.51.100.2 444 typ host",
                                 "candidate:2 1 UDP 200 198.51.100.1 443 typ srflx raddr 10.0.0.1 "
                                 "rport 9"},
                                kOwn),
              ElementsAre(first, second));
}

TEST(ClientCandidates, OthersAreLeftOut) {
  EXPECT_THAT(usable_candidates({"candidate:1 1 TCP 100 198.51.100.2 444 typ host tcptype passive",
                                 "candidate:1 2 udp 100 198.51.100.2 444 typ host",
                                 "candidate:1 1 udp 100 2001:db8::1 444 typ host",
                                 "candidate:1 1 udp 100 name.local 444 typ host",
                                 "candidate:1 1 udp 100 198.51.100.2 0 typ host",
                                 "candidate:1 1 udp 100 198.51.100.2 70000 typ host",
                                 "candidate:1 1 udp 198.51.100.2 444", "candidate:", ""},
                                kOwn),
              IsEmpty());
  const dtls::UdpEndpoint ipv6{dtls::Ipv6Address{}, 0};
  EXPECT_EQ(usable_candidates({"candidate:1 1 udp 100 2001:db8::1 444 typ host"}, ipv6).size(), 1U);
}

TEST(ClientAddress, IsThatTowardsTheServer) {
  const dtls::UdpEndpoint loopback{dtls::Ipv4Address{127, 0, 0, 1}, 9};
  EXPECT_EQ(address_towards(loopback), (dtls::UdpEndpoint{dtls::Ipv4Address{127, 0, 0, 1}, 0}));
}

}  // namespace
}  // namespace sluice::interop
