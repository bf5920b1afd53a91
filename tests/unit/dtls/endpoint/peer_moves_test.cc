// Connections that follow their peers to other paths (RFC 9146 section 6).
#include <gtest/gtest.h>

#include "support/by_version.h"
#include "support/bytes.h"
#include "support/endpoint_peers.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using dtls::Buffer;
using dtls::ConnectionHandle;
using dtls::EndReason;
using dtls::Instant;
using dtls::PeerMove;
using dtls::Refusal;

const dtls::UdpPath kFormer = path_of(1);
const dtls::UdpPath kNext = path_of(2, 99);
const dtls::UdpPath kFar = path_of(3, 7);

class PeerMoves : public ByVersion {
 protected:
  static dtls::ConfigPtr asking_for(std::optional<std::size_t> size) {
    dtls::ConfigOptions asking = options();
    asking.connection_id_size = size;
    asking.return_routability = dtls::ReturnRoutability::none;
    return make_config(asking);
  }
  static EndpointHost host(dtls::EndpointOptions limits = {}) {
    limits.peer_move = PeerMove::newer_record;
    return EndpointHost(asking_for(8), std::move(limits));
  }
  static Peer client() { return make_client(asking_for(0)); }
  // Its records have no ID.
  static Peer client_without_id() { return make_client(make_config(options())); }
  static Peer connect(EndpointHost& host, const dtls::UdpPath& path) {
    return connect(client(), host, path);
  }
  static Peer connect(Peer peer, EndpointHost& host, const dtls::UdpPath& path) {
    return connected(std::move(peer), path, host);
  }
  // A handshake that has been answered with the server's flight, which is lost.
  static Peer begin(EndpointHost& host, const dtls::UdpPath& path) {
    Peer peer = client();
    for (int turn = 0; turn < 2; ++turn) {
      for (auto& datagram : peer.take_datagrams()) host.receive(std::move(datagram), path);
      for (auto& sent : host.take_datagrams()) {
        if (turn == 0) peer.receive(std::move(sent.datagram), {});
      }
    }
    return peer;
  }
};

TEST_P(PeerMoves, ANewerRecordMovesTheConnection) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kFormer);
  const ConnectionHandle handle = *host.endpoint.find(kFormer);
  EXPECT_TRUE(reaches(peer, kNext, host, handle));
  EXPECT_EQ(host.endpoint.path_of(handle), kNext);
  EXPECT_EQ(host.endpoint.find(kNext), handle);
  EXPECT_EQ(host.endpoint.find(kFormer), std::nullopt);
  EXPECT_EQ(host.endpoint.statistics().moves, 1U);
  ASSERT_EQ(host.known[handle].moves.size(), 1U);
  EXPECT_EQ(host.known[handle].moves[0].from, kFormer);
  EXPECT_EQ(host.known[handle].moves[0].to, kNext);
  EXPECT_TRUE(works(peer, kNext, host));
  // And back.
  EXPECT_TRUE(reaches(peer, kFormer, host, handle));
  EXPECT_EQ(host.endpoint.path_of(handle), kFormer);
  EXPECT_EQ(host.endpoint.size(), 1U);
}

TEST_P(PeerMoves, AnOlderRecordMovesNothing) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kFormer);
  const ConnectionHandle handle = *host.endpoint.find(kFormer);
  const Buffer late = peer.seal(bytes_of("late"));
  const Buffer later = peer.seal(bytes_of("later"));
  EXPECT_TRUE(reaches(peer, kNext, host, handle));
  const std::size_t before = host.known[handle].data.size();
  host.receive(late, kFormer);
  host.receive(later, kFar);
  EXPECT_EQ(host.known[handle].data.size(), before + 2) << "they are authentic";
  EXPECT_EQ(host.endpoint.path_of(handle), kNext);
  EXPECT_EQ(host.endpoint.statistics().moves, 1U);
}

TEST_P(PeerMoves, AReplayedOrForgedRecordMovesNothing) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kFormer);
  const ConnectionHandle handle = *host.endpoint.find(kFormer);
  const Buffer datagram = peer.seal(bytes_of("data"));
  host.receive(datagram, kFormer);
  host.receive(datagram, kNext);
  Buffer forged = peer.seal(bytes_of("data"));
  forged.back() ^= std::byte{1};
  host.receive(forged, kNext);
  EXPECT_EQ(host.endpoint.path_of(handle), kFormer);
  EXPECT_EQ(host.endpoint.statistics().moves, 0U);
  EXPECT_EQ(host.endpoint.find(kNext), std::nullopt);
  // What this side sends comes back to it from another address.
  host.receive(host.seal(handle, bytes_of("data")), kNext);
  EXPECT_EQ(host.endpoint.path_of(handle), kFormer);
}

// The weakness that <sluice/dtls/endpoint.h> states: the copy of a record that comes first counts.
// The next newer record of the peer ends it.
TEST_P(PeerMoves, TheFirstCopyOfANewerRecordMovesTheConnection) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kFormer);
  const ConnectionHandle handle = *host.endpoint.find(kFormer);
  const Buffer datagram = peer.seal(bytes_of("data"));
  host.receive(datagram, kFar);
  host.receive(datagram, kFormer);
  EXPECT_EQ(host.endpoint.path_of(handle), kFar);
  EXPECT_TRUE(reaches(peer, kFormer, host, handle));
  EXPECT_EQ(host.endpoint.path_of(handle), kFormer);
  EXPECT_TRUE(works(peer, kFormer, host));
}

TEST_P(PeerMoves, ADatagramWithSeveralRecordsCountsByItsNewest) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kFormer);
  const ConnectionHandle handle = *host.endpoint.find(kFormer);
  const Buffer old = peer.seal(bytes_of("old"));
  EXPECT_TRUE(reaches(peer, kFormer, host, handle));
  Buffer both = old;
  const Buffer newer = peer.seal(bytes_of("newer"));
  both.insert(both.end(), newer.begin(), newer.end());
  host.receive(both, kNext);
  EXPECT_EQ(host.endpoint.path_of(handle), kNext);
}

TEST_P(PeerMoves, BeforeThePeerIsAcceptedNothingMoves) {
  EndpointHost host = this->host();
  host.accepts_peers = false;
  Peer peer = client();
  exchange(peer, kFormer, host);
  ASSERT_TRUE(peer.connected);
  const ConnectionHandle handle = *host.endpoint.find(kFormer);
  ASSERT_FALSE(host.known[handle].connected);
  host.receive(peer.seal(bytes_of("data")), kNext);
  EXPECT_EQ(host.endpoint.path_of(handle), kFormer);
  EXPECT_EQ(host.endpoint.half_open(), 1U);
}

// RFC 5246 section 7.2.1: a close_notify is answered, at the address from which it has come.
TEST_P(PeerMoves, APeerMayCloseFromAnotherPath) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kFormer);
  const ConnectionHandle handle = *host.endpoint.find(kFormer);
  peer.settle(peer.connection().close({}), {});
  for (auto& datagram : peer.take_datagrams()) host.receive(std::move(datagram), kNext);
  ASSERT_TRUE(host.known[handle].ended);
  EXPECT_EQ(host.known[handle].ended->reason, EndReason::closed_by_peer);
  EXPECT_EQ(host.known[handle].ended->path, kNext);
  const auto sent = host.take_datagrams();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].path, kNext);
  EXPECT_EQ(host.endpoint.find(kNext), std::nullopt);
  EXPECT_EQ(host.endpoint.find(kFormer), std::nullopt);
}

TEST_P(PeerMoves, MovesThatWereNotPolledAreToldAsOne) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kFormer);
  const ConnectionHandle handle = *host.endpoint.find(kFormer);
  const auto arrive = [&](const dtls::UdpPath& path) {
    Buffer datagram = peer.seal(bytes_of("data"));
    host.endpoint.handle_datagram(datagram, path, {});
    // The data is a part of the datagram.
    while (host.endpoint.poll_data()) continue;
  };
  arrive(kNext);
  arrive(kFar);
  host.settle({});
  ASSERT_EQ(host.known[handle].moves.size(), 1U);
  EXPECT_EQ(host.known[handle].moves[0].from, kFormer);
  EXPECT_EQ(host.known[handle].moves[0].to, kFar);
  arrive(kNext);
  arrive(kFar);
  host.settle({});
  EXPECT_EQ(host.known[handle].moves.size(), 1U) << "it is where it was";
  EXPECT_EQ(host.endpoint.statistics().moves, 4U);
}

TEST_P(PeerMoves, AMoveOfTheConnectionItselfIsFollowed) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kFormer);
  const ConnectionHandle handle = *host.endpoint.find(kFormer);
  const dtls::PathId former = host.endpoint.find(handle)->path();
  ASSERT_TRUE(host.endpoint.set_path(handle, kNext));
  const auto move_to = [&](dtls::PathId path) {
    return host.endpoint.apply(handle, [&](dtls::Connection& connection) {
      connection.set_path(path);
      return connection.handle_timeout({});
    });
  };
  ASSERT_TRUE(move_to(former));
  host.settle({});
  EXPECT_EQ(host.endpoint.path_of(handle), kFormer);
  EXPECT_EQ(host.endpoint.find(kFormer), handle);
  EXPECT_EQ(host.endpoint.find(kNext), std::nullopt);
  ASSERT_EQ(host.known[handle].moves.size(), 1U);
  EXPECT_EQ(host.known[handle].moves[0].from, kNext);
  // To a path that is not known it does not go.
  ASSERT_TRUE(move_to(dtls::PathId{77}));
  EXPECT_EQ(host.endpoint.find(handle)->path(), former);
  EXPECT_EQ(host.endpoint.path_of(handle), kFormer);
  EXPECT_TRUE(works(peer, kFormer, host));
}

// ---- several connections at one path

TEST_P(PeerMoves, TheNewerOwnerOfAPathIsFoundThere) {
  EndpointHost host = this->host();
  Peer sleeping = connect(host, kFormer);
  Peer moving = connect(host, kNext);
  const ConnectionHandle first = *host.endpoint.find(kFormer);
  const ConnectionHandle second = *host.endpoint.find(kNext);
  EXPECT_TRUE(reaches(moving, kFormer, host, second));
  EXPECT_EQ(host.endpoint.path_of(second), kFormer);
  EXPECT_EQ(host.endpoint.find(kFormer), second);
  EXPECT_EQ(host.endpoint.find(kNext), std::nullopt);
  EXPECT_EQ(host.endpoint.path_of(first), kFormer);
  // Both are reached by their IDs from there.
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(reaches(sleeping, kFormer, host, first));
    EXPECT_TRUE(reaches(moving, kFormer, host, second));
    EXPECT_TRUE(is_reached(sleeping, host, first));
    EXPECT_TRUE(is_reached(moving, host, second));
  }
  // Each goes its way.
  EXPECT_TRUE(reaches(sleeping, kFar, host, first));
  EXPECT_EQ(host.endpoint.find(kFar), first);
  EXPECT_EQ(host.endpoint.find(kFormer), second);
  ASSERT_TRUE(host.endpoint.abort(second));
  EXPECT_EQ(host.endpoint.find(kFormer), std::nullopt);
  EXPECT_TRUE(works(sleeping, kFar, host));
}

TEST_P(PeerMoves, TheOneThatLeavesAPathEndsNobodyThere) {
  EndpointHost host = this->host();
  const Peer sleeping = connect(host, kFormer);
  Peer moving = connect(host, kNext);
  const ConnectionHandle first = *host.endpoint.find(kFormer);
  const ConnectionHandle second = *host.endpoint.find(kNext);
  EXPECT_TRUE(reaches(moving, kFormer, host, second));
  // The one without an entry in the index of paths ends.
  ASSERT_TRUE(host.endpoint.abort(first));
  host.settle({});
  EXPECT_EQ(host.endpoint.find(kFormer), second);
  EXPECT_TRUE(works(moving, kFormer, host));
  EXPECT_EQ(host.endpoint.size(), 1U);
}

TEST_P(PeerMoves, AConnectionWithoutAnIdKeepsItsPath) {
  EndpointHost host = this->host();
  Peer without = connect(client_without_id(), host, kFormer);
  Peer moving = connect(host, kNext);
  const ConnectionHandle first = *host.endpoint.find(kFormer);
  const ConnectionHandle second = *host.endpoint.find(kNext);
  EXPECT_TRUE(reaches(moving, kFormer, host, second));
  EXPECT_EQ(host.endpoint.path_of(second), kFormer);
  EXPECT_EQ(host.endpoint.find(kFormer), first);
  EXPECT_TRUE(works(without, kFormer, host));
  EXPECT_TRUE(reaches(moving, kFormer, host, second));
  EXPECT_TRUE(is_reached(moving, host, second));
  EXPECT_TRUE(works(without, kFormer, host));
  // It does not move either.
  host.receive(without.seal(bytes_of("data")), kFar);
  EXPECT_EQ(host.endpoint.path_of(first), kFormer);
  EXPECT_TRUE(reaches(moving, kFar, host, second));
  EXPECT_EQ(host.endpoint.find(kFar), second);
  EXPECT_EQ(host.endpoint.find(kFormer), first);
}

TEST_P(PeerMoves, AHandshakeKeepsItsPath) {
  EndpointHost host = this->host();
  Peer moving = connect(host, kNext);
  const ConnectionHandle second = *host.endpoint.find(kNext);
  Peer beginning = begin(host, kFormer);
  const ConnectionHandle first = *host.endpoint.find(kFormer);
  EXPECT_TRUE(reaches(moving, kFormer, host, second));
  EXPECT_EQ(host.endpoint.path_of(second), kFormer);
  EXPECT_EQ(host.endpoint.find(kFormer), first);
  host.handle_timeout(*host.endpoint.next_timeout());
  exchange(beginning, kFormer, host, Instant{1s});
  EXPECT_TRUE(works(beginning, kFormer, host, Instant{1s}));
  EXPECT_TRUE(reaches(moving, kFormer, host, second));
  EXPECT_EQ(host.endpoint.size(), 2U);
}

// RFC 9147 section 5.11: a handshake from the path of a connection replaces that, once complete,
// and none that is found by its ID there.
TEST_P(PeerMoves, ANewAssociationReplacesThatWhichIsFoundAtThePath) {
  EndpointHost host = this->host();
  Peer sleeping = connect(host, kFormer);
  Peer moving = connect(host, kNext);
  const ConnectionHandle first = *host.endpoint.find(kFormer);
  const ConnectionHandle second = *host.endpoint.find(kNext);
  EXPECT_TRUE(reaches(moving, kFormer, host, second));
  Peer anew = client();
  exchange(anew, kFormer, host);
  EXPECT_TRUE(works(anew, kFormer, host));
  EXPECT_EQ(host.endpoint.find(second), nullptr);
  ASSERT_TRUE(host.known[second].ended);
  EXPECT_EQ(host.known[second].ended->reason, EndReason::replaced);
  EXPECT_TRUE(reaches(sleeping, kFormer, host, first));
  EXPECT_TRUE(reaches(sleeping, kFar, host, first));
  EXPECT_EQ(host.endpoint.size(), 2U);
}

TEST_P(PeerMoves, ANewAssociationStaysWhenTheOldOneMoves) {
  EndpointHost host = this->host();
  Peer old = connect(host, kFormer);
  const ConnectionHandle first = *host.endpoint.find(kFormer);
  Peer anew = begin(host, kFormer);
  EXPECT_TRUE(reaches(old, kNext, host, first));
  EXPECT_EQ(host.endpoint.find(kNext), first);
  ASSERT_TRUE(host.endpoint.find(kFormer));
  host.handle_timeout(*host.endpoint.next_timeout());
  exchange(anew, kFormer, host, Instant{1s});
  EXPECT_TRUE(works(anew, kFormer, host, Instant{1s}));
  EXPECT_TRUE(works(old, kNext, host, Instant{1s}));
  EXPECT_EQ(host.endpoint.size(), 2U);
}

// The two would be one above the limit.
TEST_P(PeerMoves, AtTheLimitAConnectionDoesNotLeaveItsNewAssociation) {
  EndpointHost host = this->host({.max_connections = 1});
  Peer old = connect(host, kFormer);
  const ConnectionHandle first = *host.endpoint.find(kFormer);
  const Peer anew = begin(host, kFormer);
  ASSERT_EQ(host.endpoint.size(), 2U);
  EXPECT_TRUE(reaches(old, kNext, host, first));
  EXPECT_EQ(host.endpoint.path_of(first), kFormer);
  ASSERT_TRUE(
      host.endpoint.abort(ConnectionHandle{static_cast<std::uint64_t>(slot_of(first)) + 1}));
  EXPECT_TRUE(reaches(old, kNext, host, first));
  EXPECT_EQ(host.endpoint.path_of(first), kNext);
}

TEST_P(PeerMoves, ConnectionsAtOnePathCountEach) {
  EndpointHost host = this->host({.max_connections = 2});
  const Peer sleeping = connect(host, kFormer);
  Peer moving = connect(host, kNext);
  EXPECT_TRUE(reaches(moving, kFormer, host, *host.endpoint.find(kNext)));
  Peer refused = client();
  exchange(refused, kFar, host);
  EXPECT_FALSE(refused.connected);
  EXPECT_EQ(host.endpoint.statistics().count(Refusal::too_many_connections), 1U);
}

TEST_P(PeerMoves, HostsAreCountedAsConnectionsMove) {
  EndpointHost host = this->host({.max_connections_per_host = 1});
  const auto connects = [&](const dtls::UdpPath& path) {
    Peer peer = client();
    exchange(peer, path, host);
    return works(peer, path, host);
  };
  Peer peer = connect(host, path_of(1, 1));
  const ConnectionHandle handle = *host.endpoint.find(path_of(1, 1));
  EXPECT_FALSE(connects(path_of(1, 2)));
  EXPECT_TRUE(reaches(peer, path_of(2, 1), host, handle));
  EXPECT_TRUE(connects(path_of(1, 2)));
  EXPECT_FALSE(connects(path_of(2, 2)));
  // A limit does not hold back a move, also not one to the path of another.
  EXPECT_TRUE(reaches(peer, path_of(1, 2), host, handle));
  EXPECT_TRUE(connects(path_of(2, 2)));
  ASSERT_TRUE(host.endpoint.abort(handle));
  host.settle({});
  EXPECT_FALSE(connects(path_of(1, 3)));
}

INSTANTIATE_TEST_SUITE_P(Versions, PeerMoves, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
