#include <sluice/udp/address.h>

#include <gmock/gmock.h>

namespace sluice::udp {
namespace {

std::string resolved(const std::string& text) {
  const auto address = resolve(text);
  return address ? to_string(*dtls::to_udp_endpoint(*address)) : "error: " + address.error();
}

TEST(Address, ReadsHostAndPort) {
  EXPECT_EQ(resolved("127.0.0.1:4433"), "127.0.0.1:4433");
  EXPECT_EQ(resolved("192.0.2.1:1"), "192.0.2.1:1");
}

TEST(Address, APortAloneMeansAllAddresses) {
  for (const char* text : {"4433", "*:4433", ":4433"}) {
    EXPECT_THAT(resolved(text), testing::AnyOf("[::]:4433", "0.0.0.0:4433")) << text;
  }
}

TEST(Address, TheErrorNamesTheText) {
  EXPECT_THAT(resolved("127.0.0.1:no-such-service"),
              testing::StartsWith("error: 127.0.0.1:no-such-service: "));
}

TEST(Address, WritesBothFamilies) {
  EXPECT_EQ(to_string({dtls::Ipv4Address{192, 0, 2, 7}, 4433}), "192.0.2.7:4433");
  dtls::Ipv6Address bytes{0x20, 0x01, 0x0d, 0xb8};
  bytes[15] = 1;
  EXPECT_EQ(to_string({bytes, 5684}), "[2001:db8::1]:5684");
}

}  // namespace
}  // namespace sluice::udp
