// Connections of an Endpoint that their caller moves to another path.
#include <gtest/gtest.h>

#include "support/by_version.h"
#include "support/bytes.h"
#include "support/endpoint_host.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using dtls::Buffer;
using dtls::ConnectionHandle;
using dtls::EndReason;
using dtls::Errc;
using dtls::Instant;
using dtls::Refusal;

const dtls::UdpPath kHome = path_of(1);
const dtls::UdpPath kAway = path_of(2, 99);

class EndpointPaths : public ByVersion {
 protected:
  EndpointHost host(dtls::EndpointOptions limits = {}) {
    return EndpointHost(make_config(options()), std::move(limits));
  }
  Peer client() { return make_client(make_config(options())); }
  Peer connect(EndpointHost& host, const dtls::UdpPath& path) {
    Peer peer = client();
    exchange(peer, path, host);
    EXPECT_TRUE(works(peer, path, host));
    return peer;
  }
  // A handshake that has its cookie, and has been answered with the server's flight, which is lost.
  Peer begin(EndpointHost& host, const dtls::UdpPath& path) {
    Peer peer = client();
    for (int turn = 0; turn < 2; ++turn) {
      for (auto& datagram : peer.take_datagrams()) host.receive(std::move(datagram), path);
      for (auto& sent : host.take_datagrams()) {
        if (turn == 0) peer.receive(std::move(sent.datagram), {});
      }
    }
    return peer;
  }
  // The peer gets it from `path` by its repetition.
  static void go_on(Peer& peer, const dtls::UdpPath& path, EndpointHost& host) {
    host.handle_timeout(*host.endpoint.next_timeout());
    exchange(peer, path, host, Instant{1s});
  }
};

TEST_P(EndpointPaths, AMovedConnectionIsFoundAtItsNewPathOnly) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kHome);
  const ConnectionHandle handle = *host.endpoint.find(kHome);
  ASSERT_TRUE(host.endpoint.set_path(handle, kAway));
  EXPECT_EQ(host.endpoint.path_of(handle), kAway);
  EXPECT_EQ(host.endpoint.find(kAway), handle);
  EXPECT_EQ(host.endpoint.find(kHome), std::nullopt);
  EXPECT_TRUE(works(peer, kAway, host));
  const std::size_t received = host.at(kAway)->data.size();
  const std::uint64_t from_unknown = host.endpoint.statistics().to_listener;
  host.receive(peer.seal(bytes_of("late")), kHome);
  EXPECT_EQ(host.at(kAway)->data.size(), received);
  EXPECT_EQ(host.endpoint.statistics().to_listener, from_unknown + 1);
  EXPECT_EQ(host.endpoint.size(), 1U);
  // The former path is free for another.
  Peer another = connect(host, kHome);
  EXPECT_TRUE(works(peer, kAway, host));
  EXPECT_TRUE(works(another, kHome, host));
  // And back again, once that has gone.
  EXPECT_EQ(host.endpoint.set_path(handle, kHome).error().code, Errc::invalid_argument);
  ASSERT_TRUE(host.endpoint.abort(*host.endpoint.find(kHome)));
  host.settle({});
  ASSERT_TRUE(host.endpoint.set_path(handle, kHome));
  EXPECT_TRUE(works(peer, kHome, host));
}

TEST_P(EndpointPaths, WhatItSendsGoesToTheNewPath) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kHome);
  const ConnectionHandle handle = *host.endpoint.find(kHome);
  ASSERT_TRUE(host.endpoint.set_path(handle, kAway));
  ASSERT_TRUE(host.endpoint.close(handle, {}));
  host.settle({});
  EXPECT_EQ(host.known[handle].ended->path, kAway);
  const auto sent = host.take_datagrams();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].path, kAway);
  peer.receive(sent[0].datagram, {});
  EXPECT_TRUE(peer.closed);
}

// Transmit::path of the Connection says where a datagram goes.
TEST_P(EndpointPaths, AConnectionMaySendToItsFormerPath) {
  EndpointHost host = this->host();
  const Peer peer = connect(host, kHome);
  const ConnectionHandle handle = *host.endpoint.find(kHome);
  const dtls::PathId former = host.endpoint.find(handle)->path();
  ASSERT_TRUE(host.endpoint.set_path(handle, kAway));
  const dtls::PathId present = host.endpoint.find(handle)->path();
  EXPECT_NE(former, present);
  const auto closed = host.endpoint.apply(handle, [&](dtls::Connection& connection) {
    connection.set_path(former);
    return connection.close({});
  });
  ASSERT_TRUE(closed);
  const auto sent = host.take_datagrams();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].path, kHome);
}

TEST_P(EndpointPaths, APathThatNobodyKnowsIsThePresentOne) {
  EndpointHost host = this->host();
  const Peer peer = connect(host, kHome);
  const ConnectionHandle handle = *host.endpoint.find(kHome);
  ASSERT_TRUE(host.endpoint.set_path(handle, kAway));
  ASSERT_TRUE(host.endpoint.apply(handle, [&](dtls::Connection& connection) {
    connection.set_path(dtls::PathId{77});
    return connection.close({});
  }));
  const auto sent = host.take_datagrams();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].path, kAway);
}

TEST_P(EndpointPaths, AMoveThatCannotBeChangesNothing) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kHome);
  Peer other = connect(host, kAway);
  const ConnectionHandle handle = *host.endpoint.find(kHome);
  const auto taken = host.endpoint.set_path(handle, kAway);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::invalid_argument);
  EXPECT_FALSE(taken.error().detail.empty());
  EXPECT_TRUE(host.endpoint.set_path(handle, kHome)) << "where it is";
  EXPECT_TRUE(works(peer, kHome, host));
  EXPECT_TRUE(works(other, kAway, host));
  ASSERT_TRUE(host.endpoint.abort(handle));
  EXPECT_EQ(host.endpoint.set_path(handle, path_of(3)).error().code, Errc::closed);
  host.settle({});
  EXPECT_EQ(host.endpoint.set_path(handle, path_of(3)).error().code, Errc::closed);
  EXPECT_EQ(host.endpoint.find(path_of(3)), std::nullopt);
}

TEST_P(EndpointPaths, HostsAreCountedAsConnectionsMove) {
  EndpointHost host = this->host({.max_connections_per_host = 1});
  const auto connects = [&](const dtls::UdpPath& path) {
    Peer peer = client();
    exchange(peer, path, host);
    return works(peer, path, host);
  };
  Peer peer = connect(host, path_of(1, 1));
  const ConnectionHandle handle = *host.endpoint.find(path_of(1, 1));
  EXPECT_FALSE(connects(path_of(1, 2)));
  ASSERT_TRUE(host.endpoint.set_path(handle, path_of(2, 1)));
  EXPECT_TRUE(connects(path_of(1, 2)));
  EXPECT_FALSE(connects(path_of(2, 2)));
  // A limit does not hold back a move.
  ASSERT_TRUE(host.endpoint.set_path(handle, path_of(1, 1)));
  EXPECT_TRUE(works(peer, path_of(1, 1), host));
  EXPECT_TRUE(connects(path_of(2, 2)));
  // Nothing is left of those that end.
  ASSERT_TRUE(host.endpoint.abort(handle));
  ASSERT_TRUE(host.endpoint.abort(*host.endpoint.find(path_of(1, 2))));
  host.settle({});
  EXPECT_TRUE(connects(path_of(1, 3)));
}

TEST_P(EndpointPaths, AHandshakeMovesWithItsCount) {
  EndpointHost host = this->host({.max_half_open_per_host = 1});
  Peer peer = begin(host, path_of(1, 1));
  const ConnectionHandle handle = *host.endpoint.find(path_of(1, 1));
  const Peer refused = begin(host, path_of(1, 2));
  EXPECT_EQ(host.endpoint.statistics().count(Refusal::too_many_half_open_of_host), 1U);
  ASSERT_TRUE(host.endpoint.set_path(handle, path_of(2, 1)));
  EXPECT_EQ(host.endpoint.half_open(), 1U);
  const Peer taken = begin(host, path_of(1, 2));
  EXPECT_EQ(host.endpoint.half_open(), 2U);
  const Peer refused_again = begin(host, path_of(2, 2));
  EXPECT_EQ(host.endpoint.statistics().count(Refusal::too_many_half_open_of_host), 2U);
  ASSERT_TRUE(host.endpoint.abort(*host.endpoint.find(path_of(1, 2))));
  go_on(peer, path_of(2, 1), host);
  EXPECT_TRUE(works(peer, path_of(2, 1), host, Instant{1s}));
  EXPECT_EQ(host.endpoint.half_open(), 0U);
  EXPECT_EQ(host.endpoint.find(path_of(2, 1)), handle);
}

// RFC 9147 section 5.11: a new association is at the path of the old one.
TEST_P(EndpointPaths, WhenTheOldMovesANewAssociationStays) {
  EndpointHost host = this->host();
  Peer old = connect(host, kHome);
  const ConnectionHandle first = *host.endpoint.find(kHome);
  Peer anew = begin(host, kHome);
  ASSERT_EQ(host.endpoint.size(), 2U);
  ASSERT_EQ(host.endpoint.find(kHome), first);
  ASSERT_TRUE(host.endpoint.set_path(first, kAway));
  EXPECT_TRUE(works(old, kAway, host));
  ASSERT_TRUE(host.endpoint.find(kHome));
  EXPECT_NE(host.endpoint.find(kHome), first);
  go_on(anew, kHome, host);
  EXPECT_TRUE(works(anew, kHome, host, Instant{1s}));
  EXPECT_TRUE(works(old, kAway, host, Instant{1s}));
  EXPECT_EQ(host.endpoint.statistics().count(EndReason::replaced), 0U);
  EXPECT_EQ(host.endpoint.size(), 2U);
}

TEST_P(EndpointPaths, ANewAssociationThatMovesReplacesNobody) {
  EndpointHost host = this->host();
  Peer old = connect(host, kHome);
  const ConnectionHandle first = *host.endpoint.find(kHome);
  Peer anew = begin(host, kHome);
  // It has the next slot.
  const ConnectionHandle second{static_cast<std::uint64_t>(slot_of(first)) + 1};
  ASSERT_EQ(host.endpoint.path_of(second), kHome);
  ASSERT_TRUE(host.endpoint.set_path(second, kAway));
  EXPECT_EQ(host.endpoint.find(kHome), first);
  EXPECT_EQ(host.endpoint.find(kAway), second);
  go_on(anew, kAway, host);
  EXPECT_TRUE(works(anew, kAway, host, Instant{1s}));
  EXPECT_TRUE(works(old, kHome, host, Instant{1s}));
  EXPECT_EQ(host.endpoint.statistics().count(EndReason::replaced), 0U);
}

// Two associations at one path count once, and twice when they are apart.
TEST_P(EndpointPaths, AssociationsAtOnePathPartWithinTheLimit) {
  EndpointHost host = this->host({.max_connections = 1});
  const Peer old = connect(host, kHome);
  const ConnectionHandle first = *host.endpoint.find(kHome);
  const Peer anew = begin(host, kHome);
  const ConnectionHandle second{static_cast<std::uint64_t>(slot_of(first)) + 1};
  ASSERT_EQ(host.endpoint.path_of(second), kHome);
  for (const ConnectionHandle handle : {first, second}) {
    const auto moved = host.endpoint.set_path(handle, kAway);
    ASSERT_FALSE(moved);
    EXPECT_EQ(moved.error().code, dtls::Errc::too_many_connections);
  }
  ASSERT_TRUE(host.endpoint.abort(second));
  EXPECT_TRUE(host.endpoint.set_path(first, kAway));
}

INSTANTIATE_TEST_SUITE_P(Versions, EndpointPaths, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
