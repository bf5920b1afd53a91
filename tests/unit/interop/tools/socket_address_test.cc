#include "tools/socket_address.h"

#include <gmock/gmock.h>

namespace sluice::interop::tools {
namespace {

std::string resolved(const std::string& text) {
  const auto address = resolve(text);
  return address ? to_string(to_endpoint(*address)) : "error: " + address.error();
}

TEST(SocketAddress, ReadsHostAndPort) {
  EXPECT_EQ(resolved("127.0.0.1:4433"), "127.0.0.1:4433");
  EXPECT_EQ(resolved("192.0.2.1:1"), "192.0.2.1:1");
}

TEST(SocketAddress, APortAloneMeansAllAddresses) {
  for (const char* text : {"4433", "*:4433", ":4433"}) {
    EXPECT_THAT(resolved(text), testing::AnyOf("[::]:4433", "0.0.0.0:4433")) << text;
  }
}

TEST(SocketAddress, TheErrorNamesTheText) {
  EXPECT_THAT(resolved("127.0.0.1:no-such-service"),
              testing::StartsWith("error: 127.0.0.1:no-such-service: "));
}

TEST(SocketAddress, EndpointsSurviveTheWayToASocketAddressAndBack) {
  const dtls::UdpEndpoint v4{dtls::Ipv4Address{192, 0, 2, 7}, 4433};
  EXPECT_EQ(to_endpoint(to_socket_address(v4, 0)), v4);
  EXPECT_EQ(to_string(v4), "192.0.2.7:4433");
  dtls::Ipv6Address bytes{0x20, 0x01, 0x0d, 0xb8};
  bytes[15] = 1;
  const dtls::UdpEndpoint v6{bytes, 5684};
  EXPECT_EQ(to_endpoint(to_socket_address(v6, 0)), v6);
  EXPECT_EQ(to_string(v6), "[2001:db8::1]:5684");
}

TEST(SocketAddress, OnlyLinkLocalAddressesHaveAnInterface) {
  const auto scope_of = [](const dtls::Ipv6Address& bytes) {
    const auto address = to_socket_address({bytes, 1}, 3);
    return reinterpret_cast<const sockaddr_in6*>(address.get())->sin6_scope_id;
  };
  EXPECT_EQ(scope_of({0xfe, 0x80}), 3U);
  EXPECT_EQ(scope_of({0x20, 0x01}), 0U);
}

}  // namespace
}  // namespace sluice::interop::tools
