#include "table/host_counts.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "crypto/library.h"
#include "support/endpoints.h"

namespace sluice::dtls::table {
namespace {

const crypto::KeyedHash& keyed_hash() {
  static const crypto::KeyedHash kHash =
      test::must(crypto::KeyedHash::make(test::environment().library()));
  return kHash;
}

UdpEndpoint v4(std::uint8_t last, std::uint16_t port) {
  return {Ipv4Address{192, 0, 2, last}, port};
}
UdpEndpoint v6(std::uint8_t site, std::uint8_t last, std::uint16_t port = 1) {
  return {Ipv6Address{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, site, 0, 0, 0, 0, 0, 0, 0, last}, port};
}
UdpEndpoint mapped(std::uint8_t last) {
  return {Ipv6Address{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, last}, 1};
}

TEST(HostCounts, PortsDontMatter) {
  HostCounts counts(64);
  counts.add(keyed_hash(), v4(1, 1000));
  counts.add(keyed_hash(), v4(1, 2000));
  counts.add(keyed_hash(), v4(2, 1000));
  EXPECT_EQ(counts.of(keyed_hash(), v4(1, 3000)), 2U);
  EXPECT_EQ(counts.of(keyed_hash(), v4(3, 1000)), 0U);
  counts.remove(keyed_hash(), v4(1, 1000));
  counts.remove(keyed_hash(), v4(1, 2000));
  EXPECT_EQ(counts.of(keyed_hash(), v4(1, 1000)), 0U);
  EXPECT_EQ(counts.hosts(), 1U);
}

TEST(HostCounts, AnIpv6HostIsItsPrefix) {
  HostCounts counts(64);
  counts.add(keyed_hash(), v6(1, 1));
  EXPECT_EQ(counts.of(keyed_hash(), v6(1, 200)), 1U);
  EXPECT_EQ(counts.of(keyed_hash(), v6(2, 1)), 0U);
  HostCounts by_address(128);
  by_address.add(keyed_hash(), v6(1, 1));
  EXPECT_EQ(by_address.of(keyed_hash(), v6(1, 1)), 1U);
  EXPECT_EQ(by_address.of(keyed_hash(), v6(1, 2)), 0U);
  HostCounts by_odd_prefix(63);
  by_odd_prefix.add(keyed_hash(), v6(2, 1));
  EXPECT_EQ(by_odd_prefix.of(keyed_hash(), v6(3, 1)), 1U);
  EXPECT_EQ(by_odd_prefix.of(keyed_hash(), v6(4, 1)), 0U);
}

TEST(HostCounts, MappedIpv4AddressesAreNotOneHost) {
  HostCounts counts(64);
  counts.add(keyed_hash(), mapped(1));
  EXPECT_EQ(counts.of(keyed_hash(), mapped(2)), 0U);
  EXPECT_EQ(counts.of(keyed_hash(), v4(1, 1)), 1U);
}

TEST(HostCounts, DoesAsAMapDoes) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    HostCounts counts(64);
    std::map<std::uint8_t, std::uint32_t> known;
    for (int i = 0; i < 3000; ++i) {
      const auto host = static_cast<std::uint8_t>(random() % 100);
      const UdpEndpoint peer = host % 2 == 0 ? v4(host, 1) : v6(host, 1);
      if (random() % 2 == 0) {
        counts.add(keyed_hash(), peer);
        ++known[host];
      } else if (known[host] != 0) {
        counts.remove(keyed_hash(), peer);
        --known[host];
      }
      ASSERT_EQ(counts.of(keyed_hash(), peer), known[host]);
    }
  }
}

}  // namespace
}  // namespace sluice::dtls::table
