// Sessions that wake without a known path: an authentic datagram shows it.
#include "support/sleeping.h"

// NOLINTBEGIN(bugprone-use-after-move): an Error leaves the state where it was.
namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using dtls::Buffer;
using dtls::ConnectionHandle;
using dtls::Errc;
using dtls::Instant;
using dtls::SessionState;

class UnknownPath : public Sleeping {
 protected:
  EndpointHost host() { return Sleeping::host({.waking = {.max_wanted = 8}}); }
  dtls::Result<dtls::Pending> answer(EndpointHost& host, SessionState& state) {
    auto answered = host.endpoint.restore_wanted(host.wanted.back().wanted, config_,
                                                 std::move(state), std::nullopt, {});
    host.settle({});
    return answered;
  }
  static Buffer forged(Buffer datagram) {
    datagram.back() ^= std::byte{1};
    return datagram;
  }
};

TEST_P(UnknownPath, ItIsWhereTheFirstAuthenticDatagramComesFrom) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kHome);
  const Buffer old = peer.seal(bytes_of("old"));
  host.receive(old, kHome);
  SessionState state = put_to_sleep(host, *host.endpoint.find(kHome));
  const Buffer record = peer.seal(bytes_of("data"));
  host.receive(forged(record), kElsewhere);
  host.receive(old, kElsewhere);
  host.receive(record, kAway);
  host.receive(record, kElsewhere);
  must(answer(host, state).map([](dtls::Pending) {}));
  EXPECT_EQ(host.endpoint.find(kElsewhere), std::nullopt);
  ASSERT_TRUE(host.endpoint.find(kAway));
  const ConnectionHandle handle = *host.endpoint.find(kAway);
  EXPECT_TRUE(host.known[handle].restored);
  pass(host, Instant{1s});
  EXPECT_EQ(host.known[handle].data, std::vector<Buffer>{copy_of(bytes_of("data"))});
  EXPECT_EQ(host.endpoint.path_of(handle), kAway);
  EXPECT_TRUE(works_both_ways(peer, kAway, host, handle, Instant{1s}));
}

TEST_P(UnknownPath, WithoutAnAuthenticDatagramItSleepsOn) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kHome);
  SessionState state = put_to_sleep(host, *host.endpoint.find(kHome));
  const Buffer before = copy_of(state.bytes());
  host.receive(forged(peer.seal(bytes_of("data"))), kElsewhere);
  const auto refused = answer(host, state);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::not_wanted);
  EXPECT_EQ(copy_of(state.bytes()), before);
  EXPECT_EQ(host.endpoint.size(), 0U);
  EXPECT_TRUE(host.take_datagrams().empty());
  EXPECT_EQ(host.endpoint.statistics().wanted_dropped, 1U);
  // The device is not shut out by it.
  host.receive(peer.seal(bytes_of("data")), kHome);
  ASSERT_EQ(host.wanted.size(), 2U);
  must(answer(host, state).map([](dtls::Pending) {}));
  EXPECT_TRUE(host.endpoint.find(kHome));
}

TEST_P(UnknownPath, TheConfigIsCheckedAsEver) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kHome);
  SessionState state = put_to_sleep(host, *host.endpoint.find(kHome));
  host.receive(peer.seal(bytes_of("data")), kHome);
  const auto refused = host.endpoint.restore_wanted(host.wanted.back().wanted, asking_for(0),
                                                    std::move(state), std::nullopt, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::session_refused);
  EXPECT_FALSE(state.bytes().empty());
}

INSTANTIATE_TEST_SUITE_P(Versions, UnknownPath, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
// NOLINTEND(bugprone-use-after-move)
