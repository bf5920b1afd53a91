// The connection IDs of one connection (RFC 9147 sections 4 and 9).
#include "record/connection_ids.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "support/bytes.h"

namespace sluice::dtls::record {
namespace {

using test::counted;
using test::from_hex;
using test::to_hex;

const Buffer kOwn = from_hex("a0a1a2a3a4a5a6a7");
const Buffer kPeers = from_hex("b0b1b2");

TEST(ConnectionIds, AreEmptyUntilTheyAreSet) {
  ConnectionIds ids;
  EXPECT_FALSE(ids.are_set());
  EXPECT_TRUE(ids.own().empty());
  EXPECT_TRUE(ids.peers().empty());
  ids.begin_datagram();
  EXPECT_TRUE(ids.take({}));
  EXPECT_FALSE(ids.take(kOwn));
}

TEST(ConnectionIds, HoldBothOfAnySize) {
  ConnectionIds ids;
  for (const std::size_t own : {0U, 1U, 8U, 255U}) {
    for (const std::size_t peers : {0U, 1U, 8U, 255U}) {
      ids.set(counted(own), counted(peers));
      EXPECT_TRUE(ids.are_set());
      EXPECT_EQ(to_hex(ids.own()), to_hex(counted(own)));
      EXPECT_EQ(to_hex(ids.peers()), to_hex(counted(peers)));
    }
  }
  ids.clear();
  EXPECT_FALSE(ids.are_set());
}

// All connections have one, and its padding is used.
static_assert(sizeof(ConnectionIds) <= 32);

// In the object and allocated.
TEST(ConnectionIds, ManyBecomeFewAndFewMany) {
  ConnectionIds ids;
  ids.set(counted(8), counted(8));
  for (const std::size_t size : {255U, 8U, 9U, 1U}) {
    ids.restore({ids.own().first(std::min<std::size_t>(size, 8))}, 0, {counted(size)});
    EXPECT_EQ(to_hex(ids.own()), to_hex(counted(std::min<std::size_t>(size, 8))));
    EXPECT_EQ(to_hex(ids.peers()), to_hex(counted(size)));
  }
}

TEST(ConnectionIds, ADatagramNeedsOurIdOnce) {
  ConnectionIds ids;
  ids.set(kOwn, {});
  ids.begin_datagram();
  EXPECT_FALSE(ids.take({}));
  EXPECT_FALSE(ids.take(kPeers));
  EXPECT_TRUE(ids.take(kOwn));
  EXPECT_TRUE(ids.take({}));
  EXPECT_FALSE(ids.take(kPeers));
  ids.begin_datagram();
  EXPECT_FALSE(ids.take({}));
}

// ---- further IDs of DTLS 1.3

std::string hex_of_own(const ConnectionIds& ids) {
  std::string all;
  for (const ConnectionId& id : ids.all_own()) all += (all.empty() ? "" : " ") + to_hex(id.bytes());
  return all;
}
std::vector<ConnectionId> numbered(std::initializer_list<int> numbers) {
  std::vector<ConnectionId> ids;
  for (const int number : numbers) ids.emplace_back(Buffer{static_cast<std::byte>(number)});
  return ids;
}
std::string use(ConnectionIds& ids, const std::string& id) {
  ids.on_newest(from_hex(id));
  return hex_of_own(ids) + " " + to_hex(ids.own()) + " " + std::to_string(ids.unused_own());
}

TEST(ConnectionIds, FollowWhichOneThePeerUses) {
  ConnectionIds ids;
  ids.set(from_hex("00"), {});
  EXPECT_TRUE(ids.add_own(numbered({1, 2, 3}), false).empty());
  EXPECT_EQ(use(ids, "00"), "00 01 02 03 00 3");
  EXPECT_EQ(use(ids, ""), "00 01 02 03 00 3") << "a record without one";
  EXPECT_EQ(use(ids, "02"), "00 02 01 03 02 2") << "it may leave one out";
  EXPECT_EQ(use(ids, "01"), "00 02 01 03 01 1");
  EXPECT_EQ(use(ids, "00"), "02 01 00 03 00 1") << "it may return to an earlier one";
  EXPECT_EQ(use(ids, "03"), "02 01 00 03 03 0");
  for (const auto* const id : {"00", "01", "02", "03"}) EXPECT_TRUE(ids.take(from_hex(id)));
  EXPECT_FALSE(ids.take(from_hex("04")));
}

TEST(ConnectionIds, EndWithThoseThatWereUsedLongestAgo) {
  ConnectionIds ids;
  ids.set(from_hex("00"), kPeers);
  ids.add_own(numbered({1, 2, 3, 4, 5, 6, 7, 8}), false);
  for (int used = 1; used <= 8; ++used) ids.on_newest(Buffer{static_cast<std::byte>(used)});
  const auto ended = ids.add_own(numbered({11, 12, 13, 14, 15, 16, 17, 18}), false);
  EXPECT_EQ(ended, numbered({0}));
  EXPECT_EQ(ids.all_own().size(), ConnectionIds::kMaxOwn);
  EXPECT_EQ(to_hex(ids.own()), "08");
  EXPECT_EQ(ids.unused_own(), 8U);
  EXPECT_EQ(to_hex(ids.peers()), to_hex(kPeers));
}

TEST(ConnectionIds, AReplacementEndsTheSparesBeforeIt) {
  ConnectionIds ids;
  ids.set(from_hex("00"), {});
  ids.add_own(numbered({1, 2}), false);
  ids.add_own(numbered({3}), true);
  EXPECT_EQ(hex_of_own(ids), "01 02 00 03");
  EXPECT_EQ(to_hex(ids.own()), "00") << "until the peer uses the new one";
  EXPECT_EQ(ids.unused_own(), 1U);
  EXPECT_EQ(use(ids, "03"), "01 02 00 03 03 0");
}

TEST(ConnectionIds, OfThePeerAreUsedInTheirOrder) {
  ConnectionIds ids;
  ids.set(kOwn, kPeers);
  EXPECT_EQ(ids.spares(), 0U);
  const Buffer first = from_hex("01");
  const Buffer second(255);
  const std::array<Bytes, 2> two{first, second};
  ids.add_spares(two);
  EXPECT_EQ(ids.spares(), 2U);
  EXPECT_EQ(to_hex(ids.peers()), to_hex(kPeers));
  ids.use_spare();
  EXPECT_EQ(to_hex(ids.peers()), "01");
  ids.use_spare();
  EXPECT_EQ(to_hex(ids.peers()), to_hex(second));
  EXPECT_EQ(ids.spares(), 0U);
  for (int i = 0; i < 10; ++i) ids.add_spares(two);
  EXPECT_EQ(ids.spares(), ConnectionIds::kMaxSpares);
  ids.replace_peers(two);
  EXPECT_EQ(to_hex(ids.peers()), "01");
  EXPECT_EQ(ids.spares(), 1U);
  EXPECT_EQ(to_hex(ids.own()), to_hex(kOwn));
}

}  // namespace
}  // namespace sluice::dtls::record
