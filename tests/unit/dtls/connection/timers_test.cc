// When handle_timeout() is due, and how a program learns it that only sends.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "support/connections.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::connected_pair;
using test::Pair;
using namespace std::chrono_literals;

ConfigOptions few_records_per_key() {
  ConfigOptions options = test::options_for(ProtocolVersion::dtls13);
  options.max_records_per_key = 64;
  return options;
}

// "handle_timeout() at next_timeout()" must not overflow, so the time is never in the past.
TEST(NextTimeout, IsNeverEarlierThanTheLastInput) {
  Pair pair(few_records_per_key());
  const Instant later{27h};
  pair.run(later);
  Buffer out(100);
  std::size_t sealed = 0;
  for (int i = 0; i < 60; ++i) {
    sealed += pair.client.connection().seal(bytes_of("data"), out) ? 1U : 0U;
    const auto timeout = pair.client.connection().next_timeout();
    if (timeout) {
      EXPECT_GE(*timeout, later);
    }
  }
  EXPECT_GE(sealed, 32U);
  EXPECT_EQ(pair.client.connection().next_timeout(), later) << "new keys are due at once";
}

// A timer that is late is due now, not in the past.
TEST(NextTimeout, OfALateTimerIsTheLastInput) {
  Pair pair;
  pair.client.take_datagrams();
  const auto first = pair.client.connection().next_timeout();
  ASSERT_TRUE(first);
  const Instant later = *first + 10s;
  pair.client.receive(test::copy_of(bytes_of("stray")), later);
  EXPECT_EQ(pair.client.connection().next_timeout(), later);
}

// A program that only sends has no input whose Pending could tell it.
TEST(Sealed, TellsThatNewKeysAreDue) {
  Pair pair = connected_pair(few_records_per_key());
  Connection& client = pair.client.connection();
  pair.client.settle(client.handle_timeout({}), {});
  Buffer out(100);
  int told = 0;
  int updates = 0;
  for (int i = 0; i < 400; ++i) {
    const auto sealed = client.seal(bytes_of("data"), out);
    ASSERT_TRUE(sealed) << "after " << i;
    pair.server.receive(Buffer(out.begin(), out.begin() + static_cast<long>(sealed->size)), {});
    if (!sealed->timer) continue;
    ++told;
    ASSERT_EQ(client.next_timeout(), Instant{});
    pair.client.settle(client.handle_timeout({}), {});
    if (pair.flight(pair.client) > 0) ++updates;
    // The server's ACK comes by its timer.
    const auto ack = pair.server.connection().next_timeout();
    if (ack) pair.server.settle(pair.server.connection().handle_timeout(*ack), *ack);
    pair.flight(pair.server);
  }
  EXPECT_GE(updates, 400 / 64);
  EXPECT_LE(told, updates + 1) << "once for each";
  EXPECT_EQ(pair.server.data.size(), 400U);
}

}  // namespace
}  // namespace sluice::dtls
