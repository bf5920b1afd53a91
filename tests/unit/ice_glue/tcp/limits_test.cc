// What strangers can use: connections, time and descriptors.
#include <sys/resource.h>

#include <gmock/gmock.h>

#include "loopback.h"

namespace sluice::tcp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ListenerLimits, AnUnconfirmedConnectionIsClosedInTime) {
  Port port;
  const Peer silent(port.listener.own());
  port.until_open(1);
  ASSERT_EQ(port.listener.next_timeout(), port.now + 10s);
  port.pass(10s - 1us);
  EXPECT_THAT(port.closed, IsEmpty());
  port.pass(1us);
  EXPECT_THAT(reasons_of(port), ElementsAre(CloseReason::unconfirmed));
  EXPECT_TRUE(silent.has_ended());
  EXPECT_EQ(port.listener.next_timeout(), std::nullopt);
}

// Bytes alone prolong nothing.
TEST(ListenerLimits, ATalkativeStrangerIsClosedAllTheSame) {
  Port port;
  auto known = port.connect();
  port.pass(9s);
  known.peer.send({"once more"});
  port.until_arrived(2);
  port.pass(1s);
  EXPECT_THAT(reasons_of(port), ElementsAre(CloseReason::unconfirmed));
}

TEST(ListenerLimits, AConfirmedConnectionIsClosedWhenTheLastIsLongAgo) {
  Port port;
  auto known = port.connect();
  port.listener.confirm(known.path, port.now);
  port.pass(59s);
  EXPECT_THAT(port.closed, IsEmpty());
  port.listener.confirm(known.path, port.now);
  EXPECT_EQ(port.listener.next_timeout(), port.now + 60s);
  port.pass(60s - 1us);
  EXPECT_THAT(port.closed, IsEmpty());
  port.pass(1us);
  EXPECT_THAT(reasons_of(port), ElementsAre(CloseReason::idle));
  EXPECT_EQ(port.closed[0].path, known.path);
}

TEST(ListenerLimits, TheLongestUnconfirmedMakesRoom) {
  Port port({.max_connections = 3});
  auto confirmed = port.connect();
  port.listener.confirm(confirmed.path, port.now);
  auto oldest = port.connect();
  auto newer = port.connect();
  auto newest = port.connect();
  EXPECT_THAT(reasons_of(port), ElementsAre(CloseReason::displaced));
  EXPECT_EQ(port.closed[0].path, oldest.path);
  EXPECT_TRUE(oldest.peer.has_ended());
  EXPECT_EQ(port.listener.size(), 3U);
  // All of them are confirmed: the next one is refused.
  port.listener.confirm(newer.path, port.now);
  port.listener.confirm(newest.path, port.now);
  const Peer refused(port.listener.own());
  port.until([&] { return port.listener.statistics().count(Refusal::too_many) == 1; });
  EXPECT_TRUE(refused.has_ended());
  EXPECT_EQ(port.listener.size(), 3U);
  EXPECT_EQ(port.closed.size(), 1U);
}

TEST(ListenerLimits, OneHostLeavesRoomForOthers) {
  Port port({.max_connections_per_host = 2}, "0.0.0.0:0");
  const dtls::UdpEndpoint to{dtls::Ipv4Address{127, 0, 0, 1}, port.listener.own().port};
  const Peer first(to);
  const Peer second(to);
  port.until_open(2);
  const Peer third(to);
  port.until([&] { return port.listener.statistics().count(Refusal::too_many_of_host) == 1; });
  EXPECT_TRUE(third.has_ended());
  const Peer other(to, "127.0.0.2:0");
  port.until_open(3);
  // When one ends, its host has room again.
  first.half_close();
  port.until_open(2);
  const Peer fourth(to);
  port.until_open(3);
}

// Puts the limit of descriptors back.
class DescriptorLimit {
 public:
  DescriptorLimit() { getrlimit(RLIMIT_NOFILE, &former_); }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &former_); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  void set(rlim_t most) const {
    auto limit = former_;
    limit.rlim_cur = most;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }

 private:
  rlimit former_{};
};

TEST(ListenerLimits, WithoutDescriptorsItWaitsInsteadOfTurning) {
  Port port;
  auto unconfirmed = port.connect();
  const Peer waiting(port.listener.own());
  {
    const DescriptorLimit limit;
    limit.set(3);
    port.until([&] { return port.listener.statistics().count(Refusal::no_resources) == 1; });
    // One that has proved nothing makes room, and the port does not wake the caller meanwhile.
    EXPECT_THAT(reasons_of(port), ElementsAre(CloseReason::displaced));
    EXPECT_FALSE(is_ready(port.listener.descriptor(), POLLIN, 0ms));
    EXPECT_EQ(port.listener.next_timeout(), port.now + 1s);
  }
  port.pass(1s);
  port.until_open(1);
  EXPECT_EQ(port.listener.statistics().accepted, 2U);
}

TEST(ListenerLimits, NamesItsReasons) {
  std::size_t counters = 0;
  for_each_counter(ListenerStatistics{},
                   [&](std::string_view name, std::string_view reason, std::uint64_t value) {
                     ++counters;
                     EXPECT_FALSE(name.empty());
                     EXPECT_NE(reason, "unknown");
                     EXPECT_EQ(value, 0U);
                   });
  EXPECT_EQ(counters, 5 + kCloseReasons + kRefusals + kSendDrops);
}

}  // namespace
}  // namespace sluice::tcp
