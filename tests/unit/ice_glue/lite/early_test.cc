// A ClientHello that is ahead of its first check.
#include "early_datagrams.h"

#include <map>
#include <random>

#include "crypto/library.h"
#include "lite_server.h"
#include "tuple_table.h"

namespace sluice::ice_lite {
namespace {

dtls::Buffer hello(std::uint8_t mark, std::size_t size = 100) {
  dtls::Buffer bytes(size);
  bytes[0] = std::byte{22};
  bytes[1] = std::byte{0xfe};
  bytes[2] = std::byte{0xfd};
  bytes.back() = std::byte{mark};
  return bytes;
}

class EarlyDatagramsTest : public testing::Test {
 public:
  [[nodiscard]] std::uint64_t hash(const dtls::UdpPath& path) const {
    return TupleTable::hash_of(keyed, path);
  }
  EarlyDatagrams::Kept keep(EarlyDatagrams& early, std::uint16_t port, std::uint8_t mark,
                            std::size_t size = 100) {
    const auto path = LiteServer::path(address(1, port));
    return early.keep(keyed, hash(path), path, hello(mark, size), now, gone);
  }
  std::vector<unsigned> take(EarlyDatagrams& early, std::uint16_t port) const {
    const auto path = LiteServer::path(address(1, port));
    std::vector<unsigned> marks;
    for (const auto& bytes : early.take(keyed, hash(path), path, now)) {
      marks.push_back(std::to_integer<unsigned>(bytes.back()));
    }
    return marks;
  }

  dtls::crypto::KeyedHash keyed =
      test::must(dtls::crypto::KeyedHash::make(test::environment().library()));
  Instant now = Instant(1h);
  EarlyDatagrams::Gone gone;
};

using Marks = std::vector<unsigned>;
using Kept = EarlyDatagrams::Kept;

TEST_F(EarlyDatagramsTest, AreTwoOfATuple) {
  EarlyDatagrams early{ServerOptions{}};
  EXPECT_EQ(keep(early, 1, 10), Kept::yes);
  EXPECT_EQ(keep(early, 2, 20), Kept::yes);
  EXPECT_EQ(keep(early, 1, 11), Kept::yes);
  EXPECT_EQ(keep(early, 1, 12), Kept::full);
  EXPECT_EQ(take(early, 1), (Marks{10, 11}));
  EXPECT_EQ(take(early, 1), Marks{});
  EXPECT_EQ(take(early, 2), Marks{20});
  EXPECT_EQ(take(early, 3), Marks{});
  EXPECT_EQ(gone.displaced + gone.expired, 0U);
}

TEST_F(EarlyDatagramsTest, HaveASizeLimit) {
  EarlyDatagrams early{ServerOptions{}};
  EXPECT_EQ(keep(early, 1, 1, kMaxEarlyDatagram + 1), Kept::large);
  EXPECT_EQ(take(early, 1), Marks{});
  EXPECT_EQ(keep(early, 1, 1, kMaxEarlyDatagram), Kept::yes);
}

TEST_F(EarlyDatagramsTest, DisplaceTheOldestTuple) {
  EarlyDatagrams early{ServerOptions{.max_early_tuples = 3}};
  for (std::uint16_t port = 1; port <= 3; ++port) keep(early, port, 1);
  keep(early, 1, 2);
  EXPECT_EQ(keep(early, 4, 4), Kept::yes);
  EXPECT_EQ(gone.displaced, 2U) << "datagrams";
  EXPECT_EQ(take(early, 1), Marks{});
  EXPECT_EQ(take(early, 2), Marks{1});
  EXPECT_EQ(take(early, 3), Marks{1});
  EXPECT_EQ(take(early, 4), Marks{4});
}

TEST_F(EarlyDatagramsTest, ExpireInTheirOrder) {
  EarlyDatagrams early{ServerOptions{.max_early_tuples = 4}};
  for (std::uint16_t port = 1; port <= 6; ++port) {
    keep(early, port, 1);
    now += 100ms;
  }
  EXPECT_EQ(gone.displaced, 2U);
  EXPECT_EQ(take(early, 4), Marks{1});
  // 3 came at 200 ms, 5 at 400, 6 at 500; it is 600.
  now += kEarlyLifetime - 401ms;
  EXPECT_EQ(take(early, 3), Marks{1});
  now += 202ms;
  EXPECT_EQ(take(early, 5), Marks{}) << "too old";
  keep(early, 7, 7);
  EXPECT_EQ(gone.expired, 1U);
  now += 1s;
  keep(early, 8, 8);
  EXPECT_EQ(gone.expired, 2U);
  EXPECT_EQ(take(early, 7), Marks{7});
  EXPECT_EQ(take(early, 8), Marks{8});
}

TEST_F(EarlyDatagramsTest, OfOneHostAreLimited) {
  EarlyDatagrams early{ServerOptions{.max_early_tuples = 8, .max_early_tuples_per_host = 2}};
  EXPECT_EQ(keep(early, 1, 1), Kept::yes);
  EXPECT_EQ(keep(early, 2, 2), Kept::yes);
  EXPECT_EQ(keep(early, 3, 3), Kept::full);
  EXPECT_EQ(keep(early, 1, 4), Kept::yes);
  const auto path = LiteServer::path(address(2, 1));
  EXPECT_EQ(early.keep(keyed, hash(path), path, hello(1), now, gone), Kept::yes);
  EXPECT_EQ(take(early, 1), (Marks{1, 4}));
  EXPECT_EQ(keep(early, 3, 3), Kept::yes);
  now += kEarlyLifetime;
  EXPECT_EQ(keep(early, 4, 4), Kept::yes) << "those that have expired do not count";
}

TEST_F(EarlyDatagramsTest, MayBeOff) {
  EarlyDatagrams early{ServerOptions{.max_early_tuples = 0}};
  EXPECT_EQ(keep(early, 1, 1), Kept::full);
}

// Whatever came before: what was kept a moment ago is there, and nothing that is too old or was
// taken.
TEST_F(EarlyDatagramsTest, AreThoseOfTheLastMoments) {
  EarlyDatagrams early{ServerOptions{.max_early_tuples = 5, .max_early_tuples_per_host = 1000}};
  std::mt19937 random(7);
  std::map<std::uint16_t, Instant> may_be_there;  // at the latest since when
  int found = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto port = static_cast<std::uint16_t>(1 + random() % 12);
    std::erase_if(may_be_there,
                  [&](const auto& each) { return now - each.second >= kEarlyLifetime; });
    const bool is_kept = random() % 3 != 0 && keep(early, port, 1) == Kept::yes;
    if (is_kept) may_be_there.insert_or_assign(port, now);
    if (random() % 3 == 0) {
      const bool is_there = !take(early, port).empty();
      ASSERT_TRUE(is_there || !is_kept) << i;
      ASSERT_TRUE(!is_there || may_be_there.contains(port)) << i;
      found += is_there ? 1 : 0;
      may_be_there.erase(port);
    }
    now += 1ms * (random() % 400);
  }
  EXPECT_GT(found, 500);
}

TEST(LiteEarly, KnowsAClientHelloByItsRecord) {
  EXPECT_TRUE(may_be_client_hello(hello(1)));
  EXPECT_FALSE(may_be_client_hello(hello(1, 13)));
  EXPECT_TRUE(may_be_client_hello(hello(1, 14)));
  auto other = hello(1);
  other[0] = std::byte{23};
  EXPECT_FALSE(may_be_client_hello(other));
  other = hello(1);
  other[1] = std::byte{3};
  EXPECT_FALSE(may_be_client_hello(other));
  for (const std::size_t epoch : {3U, 4U}) {
    other = hello(1);
    other[epoch] = std::byte{1};
    EXPECT_FALSE(may_be_client_hello(other));
  }
}

TEST(LiteEarly, CountsWhatItKeepsAndDrops) {
  LiteServer lite({.max_early_tuples = 2, .max_early_tuples_per_host = 1});
  for (int i = 0; i < 3; ++i) lite.send(hello(1), kPeer);
  EXPECT_EQ(lite.server.statistics().early_kept, 2U);
  EXPECT_EQ(lite.dropped(Drop::early_full), 1U);
  lite.send(hello(1), address(1, 2));
  EXPECT_EQ(lite.dropped(Drop::early_full), 2U);
  lite.send(hello(1, 1501), address(2, 1));
  EXPECT_EQ(lite.dropped(Drop::early_large), 1U);
  lite.send(hello(1), address(2, 1));
  lite.send(hello(1), address(3, 1));
  EXPECT_EQ(lite.dropped(Drop::early_displaced), 2U);
  lite.pass(kEarlyLifetime);
  lite.send(hello(1), address(4, 1));
  EXPECT_EQ(lite.dropped(Drop::early_expired), 2U);
  EXPECT_TRUE(lite.sent.empty());
}

TEST(LiteEarly, IsDeliveredWithTheFirstCheck) {
  LiteServer lite;
  const auto session = lite.add();
  lite.send(hello(1), kPeer);
  EXPECT_EQ(lite.server.find(session)->dtls_statistics(), std::nullopt);
  lite.nominate(session, kPeer);
  EXPECT_EQ(lite.server.statistics().early_delivered, 1U);
  EXPECT_TRUE(lite.server.find(session)->dtls_statistics()) << "DTLS has begun";
}

// With credentials of before a restart that begins a new association, the transport has no use for
// the path.
TEST(LiteEarly, IsDroppedWhereTheTransportHasNotThePath) {
  LiteServer lite;
  const auto session = lite.add();
  const auto old = lite.check_for(session);
  ASSERT_TRUE(lite.server.restart_ice(
      session, {.dtls = IceRestart::Dtls{.role = dtls::Role::server}}, lite.now));
  lite.send(hello(1), kPeer);
  EXPECT_EQ(lite.check(old, kPeer), kSuccess);
  EXPECT_EQ(lite.dropped(Drop::early_undeliverable), 1U);
}

}  // namespace
}  // namespace sluice::ice_lite
