// After a jump of the clock all timers are due: one call fires a bounded number, and says that
// there is more.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/by_version.h"
#include "support/bytes.h"
#include "support/endpoint_host.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using dtls::Buffer;
using dtls::EndReason;
using dtls::Instant;

class TimerBudget : public ByVersion {
 protected:
  static constexpr std::uint32_t kCount = 10;
  static constexpr std::size_t kBudget = 4;

  EndpointHost host(dtls::EndpointOptions options = {}) {
    options.max_timers_per_call = kBudget;
    return EndpointHost(make_config(ByVersion::options()), std::move(options));
  }
  // One begins each millisecond, at hosts from `first` on: the server's flight is lost.
  static void begin_handshakes(EndpointHost& host, std::uint32_t first = 0, Instant start = {}) {
    for (std::uint32_t i = first; i < first + kCount; ++i) {
      const Instant now = start + (i - first) * 1ms;
      Peer peer = make_client(make_config(options()), now);
      for (int turn = 0; turn < 2; ++turn) {
        for (auto& datagram : peer.take_datagrams()) {
          host.receive(std::move(datagram), path_of(i), now);
        }
        for (auto& sent : host.take_datagrams()) {
          if (turn == 0) peer.receive(std::move(sent.datagram), now);
        }
      }
    }
    ASSERT_EQ(host.endpoint.half_open(), kCount);
  }
};

TEST_P(TimerBudget, OneCallFiresSoManyThoseThatHaveWaitedLongestFirst) {
  auto limited = host();
  begin_handshakes(limited);
  const Instant late{1000s};
  std::uint32_t left = kCount;
  for (int calls = 1; left > 0; ++calls) {
    ASSERT_LE(calls, 3);
    ASSERT_LE(*limited.endpoint.next_timeout(), late) << "there is more";
    limited.handle_timeout(late);
    static_cast<void>(limited.take_datagrams());
    left -= std::min<std::uint32_t>(left, kBudget);
    EXPECT_EQ(limited.endpoint.half_open(), left);
    for (std::uint32_t i = 0; i < kCount; ++i) {
      EXPECT_EQ(limited.endpoint.find(path_of(i)).has_value(), i >= kCount - left) << i;
    }
  }
  EXPECT_EQ(limited.endpoint.statistics().count(EndReason::failed), kCount);
  EXPECT_EQ(limited.endpoint.next_timeout(), std::nullopt);
}

TEST_P(TimerBudget, ATimerThatIsDueAgainLetsTheOthersGoFirst) {
  auto limited = host();
  begin_handshakes(limited);
  // All retransmission timers, none has given up.
  const Instant late{50s};
  for (std::uint32_t fired = 0; fired < kCount; fired += kBudget) {
    limited.handle_timeout(late);
    for (const auto& sent : limited.take_datagrams()) {
      bool is_next = false;
      for (std::uint32_t i = fired; i < std::min<std::uint32_t>(fired + kBudget, kCount); ++i) {
        is_next = is_next || sent.path == path_of(i);
      }
      EXPECT_TRUE(is_next);
    }
  }
  EXPECT_GT(*limited.endpoint.next_timeout(), late);
}

// It is due by what is sent, and not since the peer was last heard.
TEST_P(TimerBudget, AKeyUpdateLetsTheOthersGoFirst) {
  if (!is13()) return;
  auto options = ByVersion::options();
  options.max_records_per_key = 20;
  EndpointHost limited(make_config(options), {.max_timers_per_call = 1});
  const dtls::UdpPath talks = path_of(2 * kCount);
  Peer peer = make_client(make_config(options));
  exchange(peer, talks, limited);
  ASSERT_TRUE(works(peer, talks, limited));
  begin_handshakes(limited);
  const Instant late{50s};
  limited.receive(Buffer(1), path_of(3 * kCount), late);
  for (int i = 0; i < 10; ++i) static_cast<void>(limited.seal(talks, bytes_of("data")));
  for (std::uint32_t fired = 0; fired < kCount; ++fired) {
    limited.handle_timeout(late);
    for (const auto& sent : limited.take_datagrams()) EXPECT_FALSE(sent.path == talks);
  }
  limited.handle_timeout(late);
  const auto sent = limited.take_datagrams();
  ASSERT_FALSE(sent.empty());
  EXPECT_TRUE(sent.front().path == talks);
}

TEST_P(TimerBudget, IdleConnectionsShareIt) {
  auto limited = host({.idle_limit = 3600s});
  for (std::uint32_t i = 0; i < kCount; ++i) {
    Peer peer = make_client(make_config(options()));
    exchange(peer, path_of(i), limited);
    ASSERT_TRUE(works(peer, path_of(i), limited));
  }
  // No timer but that of silence is left.
  while (*limited.endpoint.next_timeout() < Instant{3600s}) {
    limited.handle_timeout(*limited.endpoint.next_timeout());
    static_cast<void>(limited.take_datagrams());
  }
  begin_handshakes(limited, kCount, Instant{3600s});
  const Instant late{10'000s};
  std::size_t left = limited.endpoint.size();
  ASSERT_EQ(left, 2 * kCount);
  while (left > 0) {
    ASSERT_LE(*limited.endpoint.next_timeout(), late);
    limited.handle_timeout(late);
    static_cast<void>(limited.take_datagrams());
    left -= std::min(left, kBudget);
    EXPECT_EQ(limited.endpoint.size(), left);
  }
  EXPECT_EQ(limited.endpoint.statistics().count(EndReason::idle), kCount);
  EXPECT_EQ(limited.endpoint.statistics().count(EndReason::failed), kCount);
}

INSTANTIATE_TEST_SUITE_P(Versions, TimerBudget, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
