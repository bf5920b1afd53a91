// Sessions whose peers are idle leave an Endpoint.
#include "support/sleeping.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using dtls::ConnectionHandle;
using dtls::EndReason;
using dtls::Errc;
using dtls::Instant;

class Ageing : public Sleeping {
 protected:
  static bool has_aged(EndpointHost& host, ConnectionHandle handle) {
    return host.known[handle].aged.has_value();
  }
};

TEST_P(Ageing, AnIdleConnectionLeavesWithoutAWord) {
  EndpointHost host = this->host({.age_after = 60s});
  const Peer peer = connect(host, kHome);
  const ConnectionHandle handle = *host.endpoint.find(kHome);
  const auto ids = host.endpoint.find(handle)->own_connection_ids();
  pass(host, Instant{60s});
  EXPECT_FALSE(has_aged(host, handle));
  EXPECT_EQ(host.endpoint.next_timeout(), Instant{61s});
  host.handle_timeout(Instant{61s});
  ASSERT_TRUE(has_aged(host, handle));
  const auto& aged = *host.known[handle].aged;
  EXPECT_EQ(aged.path, kHome);
  EXPECT_EQ(aged.state.own_connection_ids(), ids);
  EXPECT_TRUE(aged.state.tag().empty());
  EXPECT_FALSE(host.known[handle].ended) << "SessionAged is the last event";
  EXPECT_TRUE(host.take_datagrams().empty());
  EXPECT_EQ(host.endpoint.next_timeout(), std::nullopt);
  EXPECT_EQ(host.endpoint.size(), 0U);
  EXPECT_EQ(host.endpoint.find(handle), nullptr);
  EXPECT_EQ(host.endpoint.find(kHome), std::nullopt);
  EXPECT_EQ(host.endpoint.statistics().aged, 1U);
  EXPECT_EQ(host.endpoint.statistics().count(EndReason::exported), 0U);
}

TEST_P(Ageing, RecordsOfThePeerKeepItHere) {
  EndpointHost host = this->host({.age_after = 10s});
  Peer talker = connect(host, kHome);
  const Peer silent = connect(host, kAway);
  const ConnectionHandle talking = *host.endpoint.find(kHome);
  const ConnectionHandle sleeping = *host.endpoint.find(kAway);
  for (Instant now{}; now < Instant{100s}; now += 4s) {
    pass(host, now);
    EXPECT_TRUE(reaches(talker, kHome, host, talking, now));
    EXPECT_EQ(has_aged(host, sleeping), now >= Instant{11s});
  }
  pass(host, Instant{106s});
  EXPECT_FALSE(has_aged(host, talking));
  pass(host, Instant{107s});
  EXPECT_TRUE(has_aged(host, talking));
}

TEST_P(Ageing, TheSessionGoesOnUnderAnotherHandle) {
  EndpointHost host = this->host({.age_after = 10s});
  Peer peer = connect(host, kHome);
  const ConnectionHandle first = *host.endpoint.find(kHome);
  for (int round = 1; round <= 3; ++round) {
    const Instant now{round * 100s};
    const ConnectionHandle before = *host.endpoint.find(kHome);
    pass(host, now);
    ASSERT_TRUE(has_aged(host, before));
    auto& aged = *host.known[before].aged;
    const ConnectionHandle after =
        must(host.endpoint.adopt(config_, std::move(aged.state), aged.path, now));
    host.settle(now);
    EXPECT_NE(after, before);
    EXPECT_NE(after, first);
    EXPECT_EQ(host.endpoint.close(before, now).error().code, Errc::closed);
    EXPECT_TRUE(works_both_ways(peer, kHome, host, after, now));
  }
  EXPECT_EQ(host.endpoint.statistics().aged, 3U);
  EXPECT_EQ(host.endpoint.statistics().adopted, 3U);
  EXPECT_EQ(host.endpoint.statistics().connected, 1U);
}

TEST_P(Ageing, ItsTagGoesAlong) {
  EndpointHost host = this->host({.age_after = 10s});
  const Peer peer = connect(host, kHome);
  const Peer nameless = connect(host, kAway);
  const ConnectionHandle named = *host.endpoint.find(kHome);
  const ConnectionHandle other = *host.endpoint.find(kAway);
  must(host.endpoint.set_tag(named, bytes_of("meter 7")));
  must(host.endpoint.set_tag(other, bytes_of("meter 8")));
  must(host.endpoint.set_tag(other, {}));
  const dtls::Buffer long_one(dtls::kMaxSessionTag + 1);
  EXPECT_EQ(host.endpoint.set_tag(named, long_one).error().code, Errc::invalid_argument);
  pass(host, Instant{20s});
  EXPECT_EQ(host.endpoint.set_tag(named, {}).error().code, Errc::closed);
  auto& aged = *host.known[named].aged;
  EXPECT_EQ(to_hex(aged.state.tag()), to_hex(bytes_of("meter 7")));
  EXPECT_TRUE(host.known[other].aged->state.tag().empty());
  // It has the name when it ages again, and nobody gets it who has the slot then.
  const auto again = must(host.endpoint.adopt(config_, std::move(aged.state), kHome, Instant{20s}));
  const auto unnamed = must(
      host.endpoint.adopt(config_, std::move(host.known[other].aged->state), kAway, Instant{20s}));
  pass(host, Instant{40s});
  EXPECT_EQ(to_hex(host.known[again].aged->state.tag()), to_hex(bytes_of("meter 7")));
  EXPECT_TRUE(host.known[unnamed].aged->state.tag().empty());
  // Nor does a newcomer.
  std::vector<ConnectionHandle> newcomers;
  for (const dtls::UdpPath& path : {kHome, kAway}) {
    const Peer newcomer = connect(host, path, Instant{40s});
    newcomers.push_back(*host.endpoint.find(path));
  }
  ASSERT_TRUE(std::ranges::any_of(
      newcomers, [&](auto handle) { return dtls::slot_of(handle) == dtls::slot_of(again); }));
  pass(host, Instant{60s});
  for (const ConnectionHandle handle : newcomers) {
    EXPECT_TRUE(host.known[handle].aged->state.tag().empty());
  }
}

TEST_P(Ageing, AboveACountTheLongestIdleLeave) {
  EndpointHost host = this->host({.max_live = 2});
  std::vector<Peer> peers;
  std::vector<ConnectionHandle> handles;
  for (unsigned i = 0; i < 4; ++i) {
    const Instant now{i * 10s};
    peers.push_back(connect(host, path_of(i), now));
    handles.push_back(*host.endpoint.find(path_of(i)));
    // The first one is in use.
    if (i > 0) {
      EXPECT_TRUE(reaches(peers[0], path_of(0), host, handles[0], now));
    }
    pass(host, now);
    EXPECT_EQ(host.endpoint.size(), std::min(i + 1, 2U));
  }
  EXPECT_FALSE(has_aged(host, handles[0]));
  EXPECT_TRUE(has_aged(host, handles[1]));
  EXPECT_TRUE(has_aged(host, handles[2]));
  EXPECT_FALSE(has_aged(host, handles[3]));
  // Those who stay have no limit of time.
  pass(host, Instant{24h * 365});
  EXPECT_EQ(host.endpoint.size(), 2U);
}

TEST_P(Ageing, PausesWhileMuchIsToBePolled) {
  EndpointHost host = this->host({.age_after = 10s, .max_timers_per_call = 2});
  std::vector<Peer> peers;
  for (unsigned i = 0; i < 5; ++i) peers.push_back(connect(host, path_of(i)));
  const Instant late{100s};
  for (int i = 0; i < 4; ++i) host.endpoint.handle_timeout(late);
  EXPECT_EQ(host.endpoint.size(), 3U);
  EXPECT_GT(host.endpoint.next_timeout().value_or(Instant::max()), late)
      << "nothing to be done before the poll";
  const auto first = host.endpoint.poll_event();
  ASSERT_TRUE(first);
  EXPECT_TRUE(std::holds_alternative<dtls::SessionAged>(first->what));
  EXPECT_EQ(host.endpoint.next_timeout(), late);
  host.endpoint.handle_timeout(late);
  EXPECT_EQ(host.endpoint.size(), 2U);
  pass(host, late);
  EXPECT_EQ(host.endpoint.size(), 2U) << "the events are to be polled first";
  host.settle(late);
  pass(host, late);
  EXPECT_EQ(host.endpoint.size(), 0U);
  EXPECT_EQ(host.endpoint.statistics().aged, 5U);
}

// Such as a KeyUpdate that nobody has polled.
TEST_P(Ageing, WhatCannotBeExportedYetIsTriedAgain) {
  if (!is13()) return;
  EndpointHost host = this->host({.age_after = 10s});
  const Peer peer = connect(host, kHome);
  const Peer other = connect(host, kAway, Instant{1s});
  const ConnectionHandle handle = *host.endpoint.find(kHome);
  const Instant late{1000s};
  must(host.endpoint
           .apply(handle,
                  [&](dtls::Connection& c) {
                    return c.update_keys(dtls::KeyUpdateRequest::update_not_requested, late);
                  })
           .map([](dtls::Pending) {}));
  host.endpoint.handle_timeout(late);
  EXPECT_EQ(host.endpoint.size(), 2U);
  Instant now = late;
  for (int turn = 0; turn < 20 && host.endpoint.size() != 0; ++turn) {
    host.settle(now);
    // The KeyUpdate, which is sent again until the session leaves.
    static_cast<void>(host.take_datagrams());
    now = host.endpoint.next_timeout().value();
    host.endpoint.handle_timeout(now);
  }
  host.settle(now);
  EXPECT_EQ(now, late + 1s);
  EXPECT_TRUE(has_aged(host, handle));
  EXPECT_EQ(host.endpoint.size(), 0U);
}

TEST_P(Ageing, OnlySessionsThatCanBeFoundAgain) {
  EndpointHost host = this->host({.age_after = 10s});
  EndpointHost called = this->host();
  const Peer without = connect_without_id(host, kHome);
  ASSERT_TRUE(host.endpoint.connect(config_, kAway, {}));
  exchange(host, called);
  ASSERT_TRUE(host.endpoint.find(*host.endpoint.find(kAway))->connected());
  pass(host, Instant{24h * 365});
  EXPECT_TRUE(host.endpoint.find(kHome)) << "it has no connection ID";
  EXPECT_TRUE(host.endpoint.find(kAway)) << "this side has begun it";
}

TEST_P(Ageing, AShorterLimitOfSilenceComesFirst) {
  EndpointHost host = this->host({.idle_limit = 5s, .age_after = 10s});
  const Peer peer = connect(host, kHome);
  const Peer without = connect_without_id(host, kAway, Instant{1s});
  const ConnectionHandle first = *host.endpoint.find(kHome);
  const ConnectionHandle second = *host.endpoint.find(kAway);
  pass(host, Instant{6s});
  EXPECT_EQ(host.known[first].ended->reason, EndReason::idle);
  EXPECT_FALSE(host.known[second].ended);
  pass(host, Instant{7s});
  EXPECT_EQ(host.known[second].ended->reason, EndReason::idle);
  EXPECT_EQ(host.endpoint.statistics().aged, 0U);
}

TEST_P(Ageing, TheLongestSilentOfAllGivesWay) {
  for (const bool has_id : {true, false}) {
    EndpointHost host =
        this->host({.max_connections = 2, .displace_silent_after = 10s, .age_after = 1000s});
    const Peer one = has_id ? connect(host, kHome) : connect_without_id(host, kHome);
    const Peer other =
        has_id ? connect_without_id(host, kAway, Instant{5s}) : connect(host, kAway, Instant{5s});
    const Peer newcomer = connect(host, kElsewhere, Instant{100s});
    EXPECT_FALSE(host.endpoint.find(kHome));
    EXPECT_TRUE(host.endpoint.find(kAway));
    EXPECT_EQ(host.endpoint.statistics().count(EndReason::displaced_silent), 1U);
  }
}

TEST_P(Ageing, NeedsConnectionIds) {
  const auto error_of = [](dtls::EndpointOptions options, const dtls::ConfigPtr& config) {
    options.server = config;
    const auto made = dtls::Endpoint::make(options, environment());
    return made ? std::string() : std::string(made.error().detail.view());
  };
  const auto without = make_config(options());
  const std::string none = "the server's Config has no connection_id_size";
  EXPECT_EQ(error_of({.age_after = 1s}, without), "age_after, max_live: " + none);
  EXPECT_EQ(error_of({.max_live = 1}, without), "age_after, max_live: " + none);
  EXPECT_EQ(error_of({.waking = {.max_wanted = 1}}, asking_for(0)), "waking: " + none);
  EXPECT_EQ(error_of({.age_after = 1s, .max_live = 1, .waking = {.max_wanted = 1}}, config_), "");
  EXPECT_EQ(error_of({.age_after = -1s}, config_), "age_after: not from 0 to 3650 days");
  EXPECT_EQ(error_of({.waking = {.timeout = 0s}}, config_),
            "waking: timeout not above 0 and up to 1 hour");
  EXPECT_EQ(error_of({.waking = {.max_datagrams_each = 0}}, config_),
            "waking: max_datagrams_each: 0");
}

INSTANTIATE_TEST_SUITE_P(Versions, Ageing, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
