// Sessions leave an Endpoint and enter one by call.
#include "support/sleeping.h"

// NOLINTBEGIN(bugprone-use-after-move): an Error leaves the state where it was.
namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using dtls::ConnectionHandle;
using dtls::EndReason;
using dtls::Errc;
using dtls::Instant;
using dtls::SessionState;

class Adopting : public Sleeping {};

TEST_P(Adopting, ASessionMovesToAnotherEndpoint) {
  EndpointHost one = host();
  EndpointHost other = host();
  Peer peer = connect(one, kHome);
  const ConnectionHandle before = *one.endpoint.find(kHome);
  must(one.endpoint.set_tag(before, bytes_of("name")));
  SessionState state = must(one.endpoint.export_session(before, {}, {}));
  EXPECT_EQ(to_hex(state.tag()), to_hex(bytes_of("name")));
  one.settle({});
  ASSERT_TRUE(one.known[before].ended);
  EXPECT_EQ(one.known[before].ended->reason, EndReason::exported);
  EXPECT_EQ(one.endpoint.statistics().count(EndReason::exported), 1U);
  EXPECT_TRUE(one.take_datagrams().empty()) << "its peer is told nothing";
  EXPECT_EQ(one.endpoint.size(), 0U);
  EXPECT_EQ(one.endpoint.export_session(before, {}, {}).error().code, Errc::closed);

  const ConnectionHandle after = must(other.endpoint.adopt(config_, std::move(state), kHome, {}));
  other.settle({});
  EXPECT_EQ(other.endpoint.size(), 1U);
  EXPECT_EQ(other.endpoint.find(kHome), after);
  EXPECT_TRUE(works_both_ways(peer, kHome, other, after));
  EXPECT_TRUE(reaches(peer, kAway, other, after)) << "by its connection ID";
}

TEST_P(Adopting, AnExportThatFailsChangesNothing) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kHome);
  const ConnectionHandle handle = *host.endpoint.find(kHome);
  const dtls::Buffer long_one(dtls::kMaxSessionTag + 1);
  EXPECT_EQ(host.endpoint.export_session(handle, {.tag = long_one}, {}).error().code,
            Errc::invalid_argument);
  const Peer begun = make_client(asking_for(0));
  EXPECT_TRUE(works_both_ways(peer, kHome, host, handle));
  EndpointHost caller(nullptr);
  const auto calling = must(caller.endpoint.connect(config_, kAway, {}));
  EXPECT_EQ(caller.endpoint.export_session(calling, {}, {}).error().code, Errc::export_blocked);
  exchange(caller, host);
  EXPECT_TRUE(caller.endpoint.find(calling)->connected());
}

TEST_P(Adopting, ASessionWithoutAnIdNeedsAPathOfItsOwn) {
  EndpointHost host = this->host();
  Peer first = connect_without_id(host, kHome);
  SessionState state = put_to_sleep(host, *host.endpoint.find(kHome));
  EXPECT_TRUE(state.own_connection_ids().empty());
  Peer second = connect_without_id(host, kHome);
  const ConnectionHandle holder = *host.endpoint.find(kHome);
  EXPECT_EQ(host.endpoint.adopt(config_, std::move(state), kHome, {}).error().code,
            Errc::invalid_argument);
  ASSERT_FALSE(state.bytes().empty()) << "it is still the caller's";
  EXPECT_TRUE(works_both_ways(second, kHome, host, holder));
  const auto adopted = must(host.endpoint.adopt(config_, std::move(state), kAway, {}));
  EXPECT_TRUE(works_both_ways(first, kAway, host, adopted));
}

TEST_P(Adopting, SessionsWithIdsShareAPath) {
  EndpointHost host = this->host();
  Peer first = connect(host, kHome);
  SessionState state = put_to_sleep(host, *host.endpoint.find(kHome));
  Peer second = connect_without_id(host, kHome);
  const ConnectionHandle other = *host.endpoint.find(kHome);
  const auto adopted = must(host.endpoint.adopt(config_, std::move(state), kHome, {}));
  EXPECT_EQ(host.endpoint.find(kHome), other);
  EXPECT_TRUE(works_both_ways(first, kHome, host, adopted));
  EXPECT_TRUE(works_both_ways(second, kHome, host, other));
  must(host.endpoint.abort(adopted).map([](dtls::Pending) {}));
  EXPECT_TRUE(works_both_ways(second, kHome, host, other));
}

TEST_P(Adopting, NoSessionIsHereTwice) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kHome);
  SessionState state = put_to_sleep(host, *host.endpoint.find(kHome));
  SessionState stale = copy_of_state(state);
  const auto adopted = must(host.endpoint.adopt(config_, std::move(state), kHome, {}));
  EXPECT_EQ(host.endpoint.adopt(config_, std::move(stale), kAway, {}).error().code,
            Errc::connection_id_in_use);
  EXPECT_FALSE(stale.bytes().empty());
  EXPECT_EQ(host.endpoint.size(), 1U);
  EXPECT_TRUE(works_both_ways(peer, kHome, host, adopted));
}

TEST_P(Adopting, TheLimitAndTheConfigAreChecked) {
  EndpointHost host = this->host({.max_connections = 1});
  Peer peer = connect(host, kHome);
  SessionState state = put_to_sleep(host, *host.endpoint.find(kHome));
  const Peer other = connect(host, kAway);
  EXPECT_EQ(host.endpoint.adopt(config_, std::move(state), kHome, {}).error().code,
            Errc::too_many_connections);
  must(host.endpoint.abort(*host.endpoint.find(kAway)).map([](dtls::Pending) {}));
  host.settle({});
  EXPECT_EQ(host.endpoint.adopt(asking_for(0), std::move(state), kHome, {}).error().code,
            Errc::session_refused);
  EXPECT_EQ(host.endpoint.adopt(asking_for(kIdSize + 1), std::move(state), kHome, {}).error().code,
            Errc::invalid_config);
  EXPECT_EQ(host.endpoint.size(), 0U);
  const auto adopted = must(host.endpoint.adopt(config_, std::move(state), kHome, {}));
  EXPECT_TRUE(works_both_ways(peer, kHome, host, adopted));
  EXPECT_EQ(host.endpoint.statistics().adopted, 1U);
}

TEST_P(Adopting, ItsPeerMayBeginAnewAtOnce) {
  EndpointHost host = this->host();
  const Peer peer = connect(host, kHome);
  SessionState state = put_to_sleep(host, *host.endpoint.find(kHome));
  const auto adopted = must(host.endpoint.adopt(config_, std::move(state), kHome, {}));
  Peer anew = connect(host, kHome);
  EXPECT_EQ(host.known[adopted].ended->reason, EndReason::replaced);
  EXPECT_TRUE(works(anew, kHome, host));
  EXPECT_EQ(host.endpoint.size(), 1U);
}

TEST_P(Adopting, ItCountsForItsHost) {
  EndpointHost host = this->host({.max_connections_per_host = 1});
  const Peer peer = connect(host, kHome);
  SessionState state = put_to_sleep(host, *host.endpoint.find(kHome));
  const auto adopted = must(host.endpoint.adopt(config_, std::move(state), kHome, {}));
  Peer second = make_client(asking_for(0));
  exchange(second, path_of(1, 99), host);
  EXPECT_FALSE(second.connected);
  must(host.endpoint.abort(adopted).map([](dtls::Pending) {}));
  const Peer third = connect(host, path_of(1, 99));
}

TEST_P(Adopting, ASessionThatThisSideHasBegun) {
  EndpointHost host = this->host();
  EndpointHost caller(nullptr, {.age_after = 10s});
  const auto before = must(caller.endpoint.connect(config_, kHome, {}));
  exchange(caller, host);
  const ConnectionHandle peer = *host.endpoint.find(kHome);
  SessionState state = must(caller.endpoint.export_session(before, {}, {}));
  caller.settle({});
  EXPECT_EQ(state.role(), dtls::Role::client);
  const auto after = must(caller.endpoint.adopt(config_, std::move(state), kHome, {}));
  host.receive(caller.seal(after, bytes_of("up")), kHome);
  caller.receive(host.seal(peer, bytes_of("down")), kAway);
  EXPECT_EQ(host.known[peer].data.size(), 1U);
  EXPECT_EQ(caller.known[after].data.size(), 1U);
  pass(caller, Instant{1000s});
  EXPECT_NE(caller.endpoint.find(after), nullptr) << "it does not age";
}

INSTANTIATE_TEST_SUITE_P(Versions, Adopting, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
// NOLINTEND(bugprone-use-after-move)
