#include <sluice/dtls/socket_address.h>

#include <gtest/gtest.h>

namespace sluice::dtls {
namespace {

TEST(SocketAddressOfEndpoint, SurvivesTheWayThereAndBack) {
  const UdpEndpoint v4{Ipv4Address{192, 0, 2, 7}, 4433};
  const SocketAddress there4 = to_socket_address(v4);
  EXPECT_EQ(there4.get()->sa_family, AF_INET);
  EXPECT_EQ(there4.size, sizeof(sockaddr_in));
  EXPECT_EQ(to_udp_endpoint(there4), v4);

  const UdpEndpoint v6{Ipv6Address{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 5684};
  const SocketAddress there6 = to_socket_address(v6, 3);
  EXPECT_EQ(there6.size, sizeof(sockaddr_in6));
  EXPECT_EQ(to_udp_endpoint(there6), v6);
  EXPECT_EQ(reinterpret_cast<const sockaddr_in6*>(there6.get())->sin6_scope_id, 0U);
}

TEST(SocketAddressOfEndpoint, HasAScopeOnALinkOnly) {
  const UdpEndpoint local{Ipv6Address{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 5684};
  const SocketAddress there = to_socket_address(local, 3);
  EXPECT_EQ(reinterpret_cast<const sockaddr_in6*>(there.get())->sin6_scope_id, 3U);
  EXPECT_EQ(to_udp_endpoint(there), local);
}

TEST(SocketAddressOfEndpoint, OfAnotherFamilyIsNone) {
  SocketAddress address;
  address.storage.ss_family = AF_UNIX;
  EXPECT_FALSE(to_udp_endpoint(address));
}

}  // namespace
}  // namespace sluice::dtls
