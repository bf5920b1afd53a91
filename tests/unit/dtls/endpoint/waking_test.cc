// Datagrams for sessions that sleep elsewhere ask for them, and wait.
#include <random>

#include "support/sleeping.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using dtls::Buffer;
using dtls::ConnectionHandle;
using dtls::Errc;
using dtls::Instant;
using dtls::PeerMove;
using dtls::SessionState;

class Waking : public Sleeping {
 protected:
  EndpointHost host(dtls::EndpointOptions limits = {}) {
    if (limits.waking.max_wanted == 0) limits.waking.max_wanted = 8;
    return Sleeping::host(std::move(limits));
  }
  struct Sleeper {
    Peer peer;
    SessionState state;
  };
  Sleeper sleeper(EndpointHost& host, const dtls::UdpPath& path = kHome) {
    Peer peer = connect(host, path);
    SessionState state = put_to_sleep(host, *host.endpoint.find(path));
    return {std::move(peer), std::move(state)};
  }
  static Buffer sealed(Sleeper& sleeper, std::string_view text = "data") {
    return sleeper.peer.seal(bytes_of(text));
  }
  // The session is there, at home.
  ConnectionHandle wake(EndpointHost& host, SessionState& state, Instant now = {}) {
    const auto known = host.known.size();
    must(host.endpoint
             .restore_wanted(host.wanted.back().wanted, config_, std::move(state), kHome, now)
             .map([](dtls::Pending) {}));
    host.settle(now);
    EXPECT_EQ(host.known.size(), known + 1);
    for (const auto& [handle, what] : host.known) {
      if (host.endpoint.find(handle) != nullptr && what.restored) return handle;
    }
    ADD_FAILURE() << "nothing is restored";
    return dtls::kNoConnection;
  }
};

// A client that has not got the server's last flight. In DTLS 1.2 its repeated flight begins with
// plaintext, which has no ID.
class LateClient {
 public:
  LateClient(const dtls::ConfigPtr& config, EndpointHost& host, const dtls::UdpPath& path)
      : client(make_client(config, {})) {
    for (bool done = false; !done;) {
      for (Buffer& datagram : client.take_datagrams()) host.receive(std::move(datagram), path);
      auto answers = host.take_datagrams();
      done = host.at(path) != nullptr && host.at(path)->connected;
      for (auto& sent : answers) {
        if (!done) client.receive(std::move(sent.datagram), {});
      }
    }
    EXPECT_FALSE(client.connection().handshake_confirmed());
  }
  // The time at which it has repeated its flight, from `path`.
  Instant repeat(EndpointHost& host, const dtls::UdpPath& path) {
    const Instant now = *client.connection().next_timeout();
    client.settle(client.connection().handle_timeout(now), now);
    for (Buffer& datagram : client.take_datagrams()) host.receive(std::move(datagram), path, now);
    return now;
  }
  // What the host sends now and at its next timer: an ACK may wait for that.
  void receive(EndpointHost& host, Instant now) {
    for (auto& sent : host.take_datagrams()) client.receive(std::move(sent.datagram), now);
    now = host.endpoint.next_timeout().value_or(now);
    host.handle_timeout(now);
    for (auto& sent : host.take_datagrams()) client.receive(std::move(sent.datagram), now);
  }

  Peer client;
};

TEST_P(Waking, AClientWithoutTheLastFlightWakesItsSession) {
  EndpointHost host = this->host();
  LateClient late(asking_for(0), host, kHome);
  SessionState state = put_to_sleep(host, *host.endpoint.find(kHome));
  const Instant now = late.repeat(host, kAway);
  ASSERT_EQ(host.wanted.size(), 1U);
  wake(host, state, now);
  host.handle_timeout(now);
  late.receive(host, now);
  EXPECT_TRUE(late.client.connection().handshake_confirmed());
}

TEST_P(Waking, AClientWithoutTheLastFlightIsAnsweredAtItsOldAddress) {
  EndpointHost host = this->host();
  LateClient late(asking_for(0), host, kHome);
  const Instant now = late.repeat(host, kAway);
  EXPECT_TRUE(host.wanted.empty());
  late.receive(host, now);
  EXPECT_TRUE(late.client.connection().handshake_confirmed());
}

// Whoever has seen the ID of a handshake could inject plaintext into it from anywhere.
TEST_P(Waking, PlaintextBeforeAnIdChangesNoHandshakeFromElsewhere) {
  if (is13()) GTEST_SKIP() << "DTLS 1.3 has no plaintext before records with an ID";
  EndpointHost host = this->host();
  Peer client = make_client(asking_for(0), {});
  const auto carry = [&](const dtls::UdpPath& path) {
    for (Buffer& datagram : client.take_datagrams()) host.receive(std::move(datagram), path);
    for (auto& sent : host.take_datagrams()) client.receive(std::move(sent.datagram), {});
  };
  carry(kHome);  // the cookie
  carry(kHome);
  const std::vector<Buffer> flight = client.take_datagrams();
  for (const Buffer& datagram : flight) host.receive(datagram, kElsewhere);
  EXPECT_TRUE(host.wanted.empty());
  // Its last flight would open the connection.
  EXPECT_TRUE(host.take_datagrams().empty());
  EXPECT_EQ(host.at(kHome)->connected, std::nullopt);
  for (const Buffer& datagram : flight) host.receive(datagram, kHome);
  static_cast<void>(host.take_datagrams());
  EXPECT_TRUE(host.at(kHome)->connected);
}

TEST_P(Waking, ADatagramWakesItsSession) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kHome);
  const ConnectionHandle before = *host.endpoint.find(kHome);
  must(host.endpoint.set_tag(before, bytes_of("name")));
  SessionState state = put_to_sleep(host, before);

  host.receive(peer.seal(bytes_of("hello")), kHome);
  ASSERT_EQ(host.wanted.size(), 1U);
  EXPECT_EQ(host.wanted[0].connection_id, state.own_connection_ids().front());
  EXPECT_EQ(host.wanted[0].path, kHome);
  EXPECT_EQ(host.endpoint.next_timeout(), Instant{2s}) << "so long it waits";
  EXPECT_EQ(host.endpoint.size(), 0U);

  const ConnectionHandle after = wake(host, state);
  EXPECT_NE(after, before);
  EXPECT_EQ(to_hex(host.known[after].restored->tag), to_hex(bytes_of("name")));
  EXPECT_TRUE(host.known[after].data.empty()) << "the event comes first";
  EXPECT_FALSE(host.known[after].connected);
  EXPECT_EQ(host.endpoint.next_timeout(), Instant{}) << "at once";
  host.handle_timeout({});
  ASSERT_EQ(host.known[after].data.size(), 1U);
  EXPECT_EQ(to_hex(host.known[after].data[0]), to_hex(bytes_of("hello")));
  EXPECT_TRUE(works_both_ways(peer, kHome, host, after));
  const auto& counted = host.endpoint.statistics();
  EXPECT_EQ(counted.wanted, 1U);
  EXPECT_EQ(counted.adopted, 1U);
  EXPECT_EQ(counted.wanted_dropped, 0U);
  EXPECT_EQ(counted.unknown_connection_id, 0U);
}

TEST_P(Waking, OneQuestionForAllItsDatagrams) {
  EndpointHost host = this->host();
  Sleeper sleeper = this->sleeper(host);
  const Buffer first = sealed(sleeper, "1");
  const Buffer second = sealed(sleeper, "2");
  host.receive(second, kHome);
  host.receive(first, kHome);
  host.receive(first, kAway);
  EXPECT_EQ(host.wanted.size(), 1U);
  const ConnectionHandle handle = wake(host, sleeper.state);
  pass(host, Instant{1s});
  // In the order in which they came, and the repeated one once.
  ASSERT_EQ(host.known[handle].data.size(), 2U);
  EXPECT_EQ(host.known[handle].data[0], copy_of(bytes_of("2")));
  EXPECT_EQ(host.known[handle].data[1], copy_of(bytes_of("1")));
}

TEST_P(Waking, WhatWasReceivedBeforeIsNotReceivedAgain) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kHome);
  const Buffer record = peer.seal(bytes_of("once"));
  host.receive(record, kHome);
  SessionState state = put_to_sleep(host, *host.endpoint.find(kHome));
  host.receive(record, kElsewhere);
  const ConnectionHandle handle = wake(host, state);
  pass(host, Instant{1s});
  EXPECT_TRUE(host.known[handle].data.empty());
  EXPECT_EQ(host.endpoint.path_of(handle), kHome);
}

// ---- the answers

TEST_P(Waking, WhereThereIsNoneItIsNotAskedAgainAtOnce) {
  EndpointHost host = this->host();
  Sleeper sleeper = this->sleeper(host);
  host.receive(sealed(sleeper), kHome);
  host.receive(sealed(sleeper), kHome);
  host.endpoint.drop_wanted(host.wanted.at(0).wanted, {});
  EXPECT_EQ(host.endpoint.statistics().wanted_dropped, 2U);
  EXPECT_EQ(host.endpoint.next_timeout(), std::nullopt);
  host.receive(sealed(sleeper), kHome, Instant{1999ms});
  EXPECT_EQ(host.endpoint.statistics().wanted_dropped, 3U);
  EXPECT_EQ(host.wanted.size(), 1U);
  host.receive(sealed(sleeper), kHome, Instant{2s});
  ASSERT_EQ(host.wanted.size(), 2U);
  EXPECT_NE(host.wanted[0].wanted, host.wanted[1].wanted);
  // An answer to the first question is none to the second.
  host.endpoint.drop_wanted(host.wanted[0].wanted, Instant{2s});
  const ConnectionHandle handle = wake(host, sleeper.state, Instant{2s});
  pass(host, Instant{3s});
  EXPECT_EQ(host.known[handle].data.size(), 1U);
}

TEST_P(Waking, ALateAnswerLeavesTheStateWithTheCaller) {
  EndpointHost host = this->host();
  Sleeper sleeper = this->sleeper(host);
  host.receive(sealed(sleeper), kHome);
  for (const bool has_fired : {true, false}) {
    const Instant late = has_fired ? Instant{2s} : Instant{12s};
    if (has_fired) {
      pass(host, late);
    } else {
      host.receive(sealed(sleeper), kHome, late - 2s);
    }
    const auto refused = host.endpoint.restore_wanted(host.wanted.back().wanted, config_,
                                                      std::move(sleeper.state), kHome, late);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_wanted);
    EXPECT_FALSE(sleeper.state.bytes().empty());
    EXPECT_EQ(host.endpoint.size(), 0U);
  }
  const auto& counted = host.endpoint.statistics();
  EXPECT_EQ(counted.wanted_expired, 2U);
  EXPECT_EQ(counted.wanted_dropped, 2U);
  EXPECT_EQ(counted.wanted_refused, 2U);
  // The device repeats itself.
  host.receive(sealed(sleeper, "again"), kHome, Instant{20s});
  ASSERT_EQ(host.wanted.size(), 3U);
  const ConnectionHandle handle = wake(host, sleeper.state, Instant{20s});
  pass(host, Instant{20s});
  EXPECT_EQ(host.known[handle].data.size(), 1U);
}

TEST_P(Waking, AnotherSessionIsNoAnswer) {
  EndpointHost host = this->host();
  Sleeper asked = sleeper(host);
  Sleeper other = sleeper(host, kAway);
  host.receive(sealed(asked), kHome);
  const auto refused = host.endpoint.restore_wanted(host.wanted.at(0).wanted, config_,
                                                    std::move(other.state), kHome, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::session_refused);
  EXPECT_EQ(host.endpoint.statistics().wanted_refused, 1U);
  EXPECT_EQ(host.endpoint.statistics().wanted_dropped, 1U);
  EXPECT_EQ(host.endpoint.size(), 0U);
  // What lies is not asked again at once.
  host.receive(sealed(asked), kHome, Instant{1s});
  EXPECT_EQ(host.wanted.size(), 1U);
  // The session is what it was.
  host.receive(sealed(other), kAway);
  ASSERT_EQ(host.wanted.size(), 2U);
  const ConnectionHandle handle = wake(host, other.state);
  pass(host, Instant{1s});
  EXPECT_EQ(host.known[handle].data.size(), 1U);
}

TEST_P(Waking, ASessionThatTheConfigRefusesIsNotRestored) {
  EndpointHost host = this->host();
  Sleeper sleeper = this->sleeper(host);
  host.receive(sealed(sleeper), kHome);
  dtls::ConfigOptions stricter = options();
  stricter.connection_id_size = kIdSize;
  stricter.policy_id = copy_of(bytes_of("another"));
  const auto refused = host.endpoint.restore_wanted(host.wanted.at(0).wanted, make_config(stricter),
                                                    std::move(sleeper.state), kHome, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::session_refused);
  EXPECT_FALSE(sleeper.state.bytes().empty());
  EXPECT_EQ(host.endpoint.size(), 0U);
}

TEST_P(Waking, WhereThereIsNoRoomItMayBeAskedAgain) {
  EndpointHost host = this->host({.max_connections = 1});
  Sleeper sleeper = this->sleeper(host);
  const Peer other = connect(host, kAway);
  host.receive(sealed(sleeper), kHome);
  const auto refused = host.endpoint.restore_wanted(host.wanted.at(0).wanted, config_,
                                                    std::move(sleeper.state), kHome, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::too_many_connections);
  must(host.endpoint.abort(*host.endpoint.find(kAway)).map([](dtls::Pending) {}));
  host.receive(sealed(sleeper), kHome);
  ASSERT_EQ(host.wanted.size(), 2U);
  wake(host, sleeper.state);
}

// By its owner's adopt(), while the store is asked.
TEST_P(Waking, ASessionThatIsHereAlreadyGetsItsDatagrams) {
  EndpointHost host = this->host();
  Sleeper sleeper = this->sleeper(host);
  SessionState stale = copy_of_state(sleeper.state);
  host.receive(sealed(sleeper), kHome);
  const auto adopted = must(host.endpoint.adopt(config_, std::move(sleeper.state), kHome, {}));
  pass(host, Instant{1s});
  EXPECT_EQ(host.known[adopted].data.size(), 1U);
  const auto refused = host.endpoint.restore_wanted(host.wanted.at(0).wanted, config_,
                                                    std::move(stale), kHome, Instant{1s});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::not_wanted);
  EXPECT_TRUE(works_both_ways(sleeper.peer, kHome, host, adopted, Instant{1s}));
}

TEST_P(Waking, WhatHasWaitedForAConnectionThatEndsIsDropped) {
  EndpointHost host = this->host();
  Sleeper sleeper = this->sleeper(host);
  host.receive(sealed(sleeper), kHome);
  const ConnectionHandle handle = wake(host, sleeper.state);
  must(host.endpoint.abort(handle).map([](dtls::Pending) {}));
  pass(host, Instant{1s});
  EXPECT_EQ(host.endpoint.statistics().wanted_dropped, 1U);
  EXPECT_TRUE(host.known[handle].data.empty());
  EXPECT_EQ(host.endpoint.next_timeout(), std::nullopt);
}

TEST_P(Waking, AWokenSessionAgesAgain) {
  EndpointHost host = this->host({.age_after = 10s});
  Sleeper sleeper = this->sleeper(host);
  host.receive(sealed(sleeper), kHome);
  const ConnectionHandle first = wake(host, sleeper.state);
  pass(host, Instant{11s});
  ASSERT_TRUE(host.known[first].aged);
  EXPECT_EQ(host.known[first].aged->path, kHome);
  EXPECT_EQ(host.known[first].data.size(), 1U);
}

// ---- paths

// Who sends from elsewhere has the connection follow only as PeerMove says.
TEST_P(Waking, ASessionWakesAtItsOwnPath) {
  EndpointHost host = this->host();
  Sleeper sleeper = this->sleeper(host);
  host.receive(sealed(sleeper), kAway);
  EXPECT_EQ(host.wanted.at(0).path, kAway);
  const ConnectionHandle handle = wake(host, sleeper.state);
  pass(host, Instant{});
  EXPECT_EQ(host.known[handle].data.size(), 1U);
  EXPECT_EQ(host.endpoint.path_of(handle), kHome);
}

TEST_P(Waking, AWokenSessionFollowsItsPeer) {
  EndpointHost host = this->host({.peer_move = PeerMove::newer_record});
  dtls::ConfigOptions unchecked = options();
  unchecked.connection_id_size = 0;
  unchecked.return_routability = dtls::ReturnRoutability::none;
  Peer peer = connect(make_config(unchecked), host, kHome, {});
  SessionState state = put_to_sleep(host, *host.endpoint.find(kHome));
  host.receive(peer.seal(bytes_of("data")), kAway);
  const ConnectionHandle handle = wake(host, state);
  EXPECT_EQ(host.endpoint.path_of(handle), kHome);
  pass(host, Instant{});
  EXPECT_EQ(host.endpoint.path_of(handle), kAway);
  EXPECT_EQ(host.known[handle].moves.size(), 1U);
}

TEST_P(Waking, AForgedDatagramWakesItButMovesNothing) {
  EndpointHost host = this->host({.peer_move = PeerMove::newer_record});
  Sleeper sleeper = this->sleeper(host);
  Buffer forged = sealed(sleeper);
  forged.back() ^= std::byte{1};
  host.receive(forged, kElsewhere);
  const ConnectionHandle handle = wake(host, sleeper.state);
  pass(host, Instant{1s});
  EXPECT_TRUE(host.known[handle].data.empty());
  EXPECT_EQ(host.endpoint.path_of(handle), kHome);
  EXPECT_TRUE(host.take_datagrams().empty());
  EXPECT_TRUE(works_both_ways(sleeper.peer, kHome, host, handle, Instant{1s}));
}

// The address of a sleeping device may be another's now.
TEST_P(Waking, ASleeperIsAskedForAtThePathOfAnother) {
  EndpointHost host = this->host();
  Sleeper sleeper = this->sleeper(host);
  Peer other = connect_without_id(host, kHome);
  const ConnectionHandle there = *host.endpoint.find(kHome);
  host.receive(sealed(sleeper), kHome);
  ASSERT_EQ(host.wanted.size(), 1U);
  const ConnectionHandle handle = wake(host, sleeper.state);
  pass(host, Instant{});
  EXPECT_EQ(host.known[handle].data.size(), 1U);
  EXPECT_TRUE(works_both_ways(other, kHome, host, there));
  EXPECT_TRUE(works_both_ways(sleeper.peer, kHome, host, handle));
}

// ---- bounds

TEST_P(Waking, TheWaitingDatagramsOfOneAreLimited) {
  EndpointHost host = this->host({.waking = {.max_wanted = 8, .max_datagrams_each = 2}});
  Sleeper sleeper = this->sleeper(host);
  for (int i = 0; i < 5; ++i) host.receive(sealed(sleeper), kHome);
  EXPECT_EQ(host.endpoint.statistics().wanted_dropped, 3U);
  const ConnectionHandle handle = wake(host, sleeper.state);
  pass(host, Instant{});
  EXPECT_EQ(host.known[handle].data.size(), 2U);
}

TEST_P(Waking, TheirBytesAreLimited) {
  EndpointHost host = this->host({.waking = {.max_wanted = 8, .max_bytes = 1500}});
  Sleeper one = sleeper(host);
  Sleeper other = sleeper(host, kAway);
  const Buffer large(1000, std::byte{7});
  host.receive(one.peer.seal(large), kHome);
  host.receive(other.peer.seal(large), kAway);
  EXPECT_EQ(host.wanted.size(), 1U);
  EXPECT_EQ(host.endpoint.statistics().wanted_dropped, 1U);
  // What was delivered waits no longer.
  const ConnectionHandle handle = wake(host, one.state);
  host.receive(other.peer.seal(large), kAway);
  EXPECT_EQ(host.wanted.size(), 1U);
  pass(host, Instant{});
  EXPECT_EQ(host.known[handle].data.size(), 1U);
  host.receive(other.peer.seal(large), kAway);
  EXPECT_EQ(host.wanted.size(), 2U);
  host.endpoint.drop_wanted(host.wanted[1].wanted, {});
  host.receive(sealed(other), kAway, Instant{2s});
  EXPECT_EQ(host.wanted.size(), 3U);
}

TEST_P(Waking, MadeUpIdsAskLittle) {
  constexpr std::size_t kMost = 4;
  EndpointHost host = this->host({.waking = {.max_wanted = kMost}});
  Sleeper sleeper = this->sleeper(host);
  const Buffer real = sealed(sleeper);
  constexpr unsigned kSeed = 20;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  std::mt19937 random(kSeed);
  const auto flood = [&](Instant now) {
    for (int i = 0; i < 100; ++i) {
      Buffer forged = real;
      for (std::size_t at = 0; at < kIdSize; ++at) {
        forged[(is13() ? 1 : 11) + at] = static_cast<std::byte>(random());
      }
      host.receive(forged, kElsewhere, now);
    }
  };
  flood({});
  EXPECT_EQ(host.wanted.size(), kMost);
  EXPECT_EQ(host.endpoint.statistics().wanted_dropped, 100 - kMost);
  flood(Instant{1s});
  EXPECT_EQ(host.wanted.size(), kMost);
  flood(Instant{2s});
  EXPECT_EQ(host.wanted.size(), 2 * kMost) << "their time has passed";
  // Who answers quickly is asked again.
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = host.wanted.size() - kMost; i < host.wanted.size(); ++i) {
      host.endpoint.drop_wanted(host.wanted[i].wanted, Instant{2s});
    }
    flood(Instant{2s});
    EXPECT_EQ(host.wanted.size(), (3 + static_cast<std::size_t>(round)) * kMost);
  }
  EXPECT_EQ(host.endpoint.statistics().wanted, host.wanted.size());
  EXPECT_TRUE(host.take_datagrams().empty()) << "nothing is sent to who makes them up";
  EXPECT_EQ(host.endpoint.size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Versions, Waking, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
