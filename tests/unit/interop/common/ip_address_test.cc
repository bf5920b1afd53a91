#include "common/ip_address.h"

#include <gtest/gtest.h>

namespace sluice::interop::common {
namespace {

TEST(IpAddress, AHostOfIpv4IsItsAddress) {
  EXPECT_EQ(host_of("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(host_of("::ffff:192.0.2.1"), "192.0.2.1");
}

TEST(IpAddress, AHostOfIpv6HasAllOfItsPrefix) {
  EXPECT_EQ(host_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(host_of("2001:db8:1:2::"), "2001:db8:1:2::/64");
  EXPECT_EQ(host_of("2001:db8:1:3::1"), "2001:db8:1:3::/64");
  EXPECT_EQ(host_of("fe80::1%eth0"), "fe80::/64");
}

TEST(IpAddress, WhatIsNoAddressIsAHostOfItsOwn) {
  for (const char* text : {"", "nowhere", "192.0.2", "%eth0"}) EXPECT_EQ(host_of(text), text);
}

TEST(IpAddress, ReadsWhatItWrites) {
  for (const char* text : {"192.0.2.1", "2001:db8::1", "::", "::1"}) {
    const auto address = read_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address_text(*address), text);
  }
  EXPECT_FALSE(read_address("[::1]"));
  EXPECT_TRUE(is_loopback(*read_address("127.9.9.9")));
  EXPECT_TRUE(is_loopback(*read_address("::ffff:127.0.0.1")));
  EXPECT_FALSE(is_loopback(*read_address("2001:db8::1")));
}

}  // namespace
}  // namespace sluice::interop::common
