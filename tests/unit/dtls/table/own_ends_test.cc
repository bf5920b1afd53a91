#include "table/own_ends.h"

#include <gtest/gtest.h>

#include "crypto/library.h"
#include "support/endpoints.h"

namespace sluice::dtls::table {
namespace {

const crypto::KeyedHash& hash_of_ends() {
  static const crypto::KeyedHash kHash =
      test::must(crypto::KeyedHash::make(test::environment().library()));
  return kHash;
}

constexpr UdpEndpoint kPeer{Ipv4Address{192, 0, 2, 1}, 5684};
UdpPath path(std::uint32_t socket, std::uint8_t own, std::uint16_t port = 1) {
  return {.socket = SocketId{socket}, .peer = kPeer, .own = {Ipv4Address{198, 51, 100, own}, port}};
}

TEST(OwnEnds, GiveAPathBack) {
  OwnEnds ends;
  const std::vector<UdpPath> paths{
      {.peer = kPeer}, path(0, 0), path(1, 0), path(1, 1), path(1, 1, 2)};
  std::vector<StoredPath> stored;
  for (const UdpPath& each : paths) stored.push_back(ends.store(hash_of_ends(), each));
  EXPECT_EQ(ends.size(), paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) EXPECT_EQ(ends.path(stored[i]), paths[i]);
}

TEST(OwnEnds, ConnectionsOfOneSocketShareItsEnd) {
  OwnEnds ends;
  const StoredPath first = ends.store(hash_of_ends(), path(1, 1));
  UdpPath other = path(1, 1);
  other.peer.port = 1;
  EXPECT_EQ(ends.store(hash_of_ends(), other).own_end, first.own_end);
  EXPECT_EQ(ends.size(), 1U);
}

TEST(OwnEnds, AnEndLastsAsLongAsItIsUsed) {
  OwnEnds ends;
  const StoredPath stored = ends.store(hash_of_ends(), path(1, 1));
  ends.store(hash_of_ends(), path(1, 1));
  ends.release(hash_of_ends(), stored);
  EXPECT_EQ(ends.path(stored), path(1, 1));
  EXPECT_EQ(ends.size(), 1U);
  ends.release(hash_of_ends(), stored);
  EXPECT_EQ(ends.size(), 0U);
  EXPECT_EQ(ends.path(ends.store(hash_of_ends(), path(2, 2))), path(2, 2));
}

// An address that is in use for a short time only leaves nothing behind.
TEST(OwnEnds, NumbersAreUsedAgain) {
  OwnEnds ends;
  const StoredPath first = ends.store(hash_of_ends(), path(1, 1));
  ends.release(hash_of_ends(), first);
  for (std::uint8_t i = 0; i < 100; ++i) {
    const StoredPath stored = ends.store(hash_of_ends(), path(2, i));
    EXPECT_EQ(stored.own_end, first.own_end);
    ends.release(hash_of_ends(), stored);
  }
}

}  // namespace
}  // namespace sluice::dtls::table
