// Peers that vanish: connections end when they have been idle, and give way to new peers.
#include <gtest/gtest.h>

#include "support/by_version.h"
#include "support/bytes.h"
#include "support/endpoint_host.h"
#include "support/hello_fields.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using dtls::Buffer;
using dtls::EndpointOptions;
using dtls::EndReason;
using dtls::Instant;
using dtls::Refusal;

class Silence : public ByVersion {
 protected:
  static EndpointHost host(EndpointOptions options) {
    return EndpointHost(make_config(ByVersion::options()), std::move(options));
  }
  static Peer connect(EndpointHost& host, const dtls::UdpPath& path, Instant now = {}) {
    Peer peer = make_client(make_config(options()), now);
    exchange(peer, path, host, now);
    EXPECT_TRUE(works(peer, path, host, now));
    return peer;
  }
  // Gets its cookie and asks to be let in; the server's flight is lost.
  static Peer begin(EndpointHost& host, const dtls::UdpPath& path, Instant now = {}) {
    Peer peer = make_client(make_config(options()), now);
    for (int turn = 0; turn < 2; ++turn) {
      for (auto& datagram : peer.take_datagrams()) host.receive(std::move(datagram), path, now);
      for (auto& sent : host.take_datagrams()) {
        if (turn == 0) peer.receive(std::move(sent.datagram), now);
      }
    }
    return peer;
  }
  // The server's flight comes a second time.
  static void go_on(Peer& peer, EndpointHost& host, const dtls::UdpPath& path, Instant now) {
    host.handle_timeout(now);
    exchange(peer, path, host, now);
  }
  // All timers up to that time.
  static void pass(EndpointHost& host, Instant until) {
    for (auto next = host.endpoint.next_timeout(); next && *next <= until;
         next = host.endpoint.next_timeout()) {
      host.handle_timeout(*next);
      static_cast<void>(host.take_datagrams());
    }
  }
  static bool exists(EndpointHost& host, const dtls::UdpPath& path) {
    return host.endpoint.find(path).has_value();
  }
  static std::uint64_t ends(const EndpointHost& host, EndReason reason) {
    return host.endpoint.statistics().count(reason);
  }
};

const dtls::UdpPath kA = path_of(1);
const dtls::UdpPath kB = path_of(2);
const dtls::UdpPath kC = path_of(3);

TEST_P(Silence, AnIdleConnectionEndsAndSaysSo) {
  auto server = host({.idle_limit = 600s});
  Peer peer = connect(server, kA);
  const auto handle = *server.endpoint.find(kA);
  pass(server, Instant{600s});
  EXPECT_TRUE(exists(server, kA));
  EXPECT_EQ(server.endpoint.next_timeout(), Instant{601s});
  server.handle_timeout(Instant{601s});
  EXPECT_FALSE(exists(server, kA));
  EXPECT_EQ(server.known[handle].ended->reason, EndReason::idle);
  EXPECT_EQ(ends(server, EndReason::idle), 1U);
  EXPECT_EQ(server.endpoint.next_timeout(), std::nullopt);
  // In case the peer is there.
  for (auto& sent : server.take_datagrams()) peer.receive(std::move(sent.datagram), Instant{601s});
  EXPECT_TRUE(peer.closed);
}

TEST_P(Silence, RecordsOfThePeerKeepItOpen) {
  auto server = host({.idle_limit = 10s});
  Peer talker = connect(server, kA);
  const Peer silent = connect(server, kB);
  for (Instant now{}; now < Instant{100s}; now += 4s) {
    pass(server, now);
    server.receive(talker.seal(counted(10)), kA, now);
    EXPECT_TRUE(exists(server, kA));
    EXPECT_EQ(exists(server, kB), now < Instant{11s});
  }
  // 96 s was the last.
  pass(server, Instant{106s});
  EXPECT_TRUE(exists(server, kA));
  pass(server, Instant{107s});
  EXPECT_FALSE(exists(server, kA));
}

// A record may come shortly after another: the end is not earlier for that.
TEST_P(Silence, TheLastRecordCounts) {
  auto server = host({.idle_limit = 10s});
  Peer peer = connect(server, kA);
  server.receive(peer.seal(counted(10)), kA, Instant{999ms});
  pass(server, Instant{10'998ms});
  EXPECT_TRUE(exists(server, kA));
  pass(server, Instant{11'999ms});
  EXPECT_FALSE(exists(server, kA));
}

// What anybody can send from there: forgeries, and what was sent before.
TEST_P(Silence, OnlyAuthenticRecordsCount) {
  auto server = host({.idle_limit = 10s});
  Peer peer = connect(server, kA);
  const Buffer record = peer.seal(counted(10));
  server.receive(record, kA);
  Buffer forged = peer.seal(counted(10));
  forged.back() ^= std::byte{1};
  for (Instant now{}; now < Instant{10s}; now += 500ms) {
    for (const Buffer& datagram :
         {record, forged, datagram_of(hello_fields13()), datagram_of(ClientHelloFields{}),
          from_hex("15 fefd 0000 000000000002 0002 0100")}) {
      server.receive(datagram, kA, now);
    }
    static_cast<void>(server.take_datagrams());
  }
  pass(server, Instant{11s});
  EXPECT_FALSE(exists(server, kA));
}

TEST_P(Silence, WithoutALimitNoneEnds) {
  auto server = host({});
  Peer peer = connect(server, kA);
  pass(server, Instant::max());
  const Instant late{24h * 365};
  EXPECT_TRUE(works(peer, kA, server, late));
}

// Those that this side has begun are its own affair.
TEST_P(Silence, ConnectionsThatWeBeganHaveNoLimit) {
  auto caller = host({.idle_limit = 10s});
  auto server = host({});
  ASSERT_TRUE(caller.endpoint.connect(make_config(options()), kA, {}));
  exchange(caller, server);
  ASSERT_TRUE(caller.at(kA)->connected);
  pass(caller, Instant{3600s});
  EXPECT_TRUE(exists(caller, kA));
}

TEST_P(Silence, TheLongestSilentGivesWay) {
  auto server = host({.max_connections = 2, .displace_silent_after = 60s});
  Peer talker = connect(server, kA);
  Peer silent = connect(server, kB);
  const auto handle = *server.endpoint.find(kB);
  Peer early = make_client(make_config(options()), Instant{59s});
  exchange(early, kC, server, Instant{59s});
  EXPECT_FALSE(early.connected);
  EXPECT_EQ(server.endpoint.statistics().count(Refusal::too_many_connections), 1U);
  server.receive(talker.seal(counted(10)), kA, Instant{59s});

  // Both have been silent, but one longer.
  Peer newcomer = make_client(make_config(options()), Instant{200s});
  for (bool moved = true; moved;) {
    moved = false;
    for (auto& datagram : newcomer.take_datagrams()) {
      server.receive(std::move(datagram), kC, Instant{200s});
    }
    for (auto& sent : server.take_datagrams()) {
      (sent.path == kC ? newcomer : silent).receive(std::move(sent.datagram), Instant{200s});
      moved = true;
    }
  }
  EXPECT_TRUE(works(newcomer, kC, server, Instant{200s}));
  EXPECT_TRUE(works(talker, kA, server, Instant{200s}));
  EXPECT_FALSE(exists(server, kB));
  EXPECT_EQ(server.known[handle].ended->reason, EndReason::displaced_silent);
  EXPECT_TRUE(silent.closed) << "it was told";
  EXPECT_EQ(server.endpoint.size(), 2U);
  EXPECT_EQ(ends(server, EndReason::displaced_silent), 1U);
}

// An address alone ends no connection.
TEST_P(Silence, WhoDoesNotConnectTakesNoPlace) {
  auto server = host({.max_connections = 2, .max_half_open = 3, .displace_silent_after = 60s});
  Peer a = connect(server, kA);
  Peer b = connect(server, kB);
  // Spoofed addresses, and some that are true.
  for (std::uint32_t i = 100; i < 200; ++i) {
    server.receive(datagram_of(hello_fields13()), path_of(i), Instant{100s});
    server.receive(datagram_of(ClientHelloFields{}), path_of(i), Instant{100s});
  }
  static_cast<void>(server.take_datagrams());
  for (std::uint32_t i = 200; i < 210; ++i) {
    begin(server, path_of(i), Instant{100s});
    EXPECT_LE(server.endpoint.half_open(), 3U);
    EXPECT_LE(server.endpoint.size(), 5U);
  }
  EXPECT_EQ(server.endpoint.half_open(), 3U);
  EXPECT_EQ(server.endpoint.statistics().count(Refusal::too_many_connections), 7U);
  pass(server, Instant{300s});
  EXPECT_EQ(server.endpoint.size(), 2U);
  EXPECT_TRUE(works(a, kA, server, Instant{300s}));
  EXPECT_TRUE(works(b, kB, server, Instant{300s}));
}

TEST_P(Silence, HandshakesGiveWayBeforeConnections) {
  auto server = host({.max_connections = 2, .half_open_grace = 2s, .displace_silent_after = 60s});
  Peer a = connect(server, kA);
  const Peer stalled = begin(server, kB, Instant{100s});
  const Peer newcomer = connect(server, kC, Instant{110s});
  EXPECT_EQ(ends(server, EndReason::displaced), 1U);
  EXPECT_EQ(ends(server, EndReason::displaced_silent), 0U);
  EXPECT_FALSE(exists(server, kB));
  EXPECT_TRUE(works(a, kA, server, Instant{110s}));
}

// While the newcomer's handshake was under way, the others have spoken again.
TEST_P(Silence, WhoIsInUseStays) {
  auto server = host({.max_connections = 2, .displace_silent_after = 60s});
  Peer a = connect(server, kA);
  Peer b = connect(server, kB);
  Peer newcomer = begin(server, kC, Instant{100s});
  const auto handle = *server.endpoint.find(kC);
  EXPECT_TRUE(works(a, kA, server, Instant{101s}));
  EXPECT_TRUE(works(b, kB, server, Instant{101s}));
  go_on(newcomer, server, kC, Instant{102s});
  EXPECT_EQ(server.known[handle].ended->reason, EndReason::displaced);
  EXPECT_TRUE(newcomer.closed || newcomer.error) << "it was told";
  EXPECT_EQ(server.endpoint.size(), 2U);
  EXPECT_TRUE(works(a, kA, server, Instant{102s}));
  EXPECT_TRUE(works(b, kB, server, Instant{102s}));
}

TEST_P(Silence, WithoutTheOptionNoneGivesWay) {
  auto server = host({.max_connections = 1, .displace_silent_after = std::nullopt});
  Peer a = connect(server, kA);
  const Instant late{24h * 365};
  Peer newcomer = make_client(make_config(options()), late);
  exchange(newcomer, kB, server, late);
  EXPECT_FALSE(newcomer.connected);
  EXPECT_TRUE(works(a, kA, server, late));
}

TEST_P(Silence, ADeviceThatStartsAgainDisplacesItselfOnly) {
  auto server = host({.max_connections = 2, .displace_silent_after = 60s});
  const Peer a = connect(server, kA);
  Peer b = connect(server, kB);
  Peer again = connect(server, kA, Instant{100s});
  EXPECT_EQ(ends(server, EndReason::replaced), 1U);
  EXPECT_EQ(ends(server, EndReason::displaced_silent), 0U);
  EXPECT_TRUE(works(again, kA, server, Instant{100s}));
  EXPECT_TRUE(works(b, kB, server, Instant{100s}));
}

INSTANTIATE_TEST_SUITE_P(Versions, Silence, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
