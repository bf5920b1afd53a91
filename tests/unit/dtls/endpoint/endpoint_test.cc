// What an Endpoint makes of datagrams, with clients that do as they should.
#include <gtest/gtest.h>

#include "support/by_version.h"
#include "support/endpoint_host.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using dtls::Buffer;
using dtls::ConnectionHandle;
using dtls::EndReason;
using dtls::Instant;

class EndpointBoth : public ByVersion {
 protected:
  static Peer client(Instant now = {}) { return make_client(make_config(options()), now); }

  // A client that is connected from there.
  static Peer connect(EndpointHost& host, const dtls::UdpPath& path, Instant now = {}) {
    Peer peer = client(now);
    exchange(peer, path, host, now);
    EXPECT_TRUE(works(peer, path, host, now));
    return peer;
  }
};

TEST_P(EndpointBoth, TellsConnectionsApartByAddressPortAndSocket) {
  EndpointHost host(make_config(options()));
  auto other_socket = path_of(1);
  other_socket.socket = dtls::SocketId{2};
  auto other_own = path_of(1);
  other_own.own = address_of(200, 4433);
  std::vector<std::pair<dtls::UdpPath, Peer>> clients;
  for (const auto& path : {path_of(1), path_of(1, 1), path_of(2), other_socket, other_own}) {
    clients.emplace_back(path, connect(host, path));
  }
  for (auto& [path, peer] : clients) EXPECT_TRUE(works(peer, path, host));
  EXPECT_EQ(host.endpoint.size(), clients.size());
  EXPECT_EQ(host.endpoint.half_open(), 0U);
  EXPECT_EQ(host.endpoint.statistics().accepted, clients.size());
  EXPECT_EQ(host.endpoint.statistics().connected, clients.size());
}

TEST_P(EndpointBoth, UnknownSourcesAreAnsweredByNoConnection) {
  EndpointHost host(make_config(options()));
  Peer peer = client();
  for (auto& datagram : peer.take_datagrams()) host.receive(std::move(datagram), path_of(1));
  const auto cookie = host.take_datagrams();
  ASSERT_EQ(cookie.size(), 1U);
  EXPECT_EQ(cookie[0].path, path_of(1));
  EXPECT_EQ(cookie[0].connection, std::nullopt);
  EXPECT_EQ(host.endpoint.size(), 0U);
}

TEST_P(EndpointBoth, HandlesStayWhatTheyAre) {
  EndpointHost host(make_config(options()));
  const Peer peer = connect(host, path_of(1));
  const ConnectionHandle first = *host.endpoint.find(path_of(1));
  EXPECT_EQ(host.endpoint.path_of(first), path_of(1));
  EXPECT_EQ(host.endpoint.find(first)->role(), dtls::Role::server);
  ASSERT_TRUE(host.endpoint.abort(first));
  host.settle({});
  Peer next = connect(host, path_of(2));
  const ConnectionHandle second = *host.endpoint.find(path_of(2));
  EXPECT_EQ(slot_of(first), slot_of(second));
  EXPECT_NE(first, second);
  EXPECT_EQ(host.endpoint.find(first), nullptr);
  EXPECT_EQ(host.endpoint.path_of(first), std::nullopt);
  EXPECT_EQ(host.endpoint.close(first, {}).error().code, dtls::Errc::closed);
  EXPECT_EQ(host.endpoint.abort(first).error().code, dtls::Errc::closed);
  std::array<std::byte, 100> out{};
  EXPECT_EQ(host.endpoint.seal(first, {}, out).error(), dtls::SendError::not_connected);
  EXPECT_EQ(host.endpoint.find(ConnectionHandle{UINT64_MAX}), nullptr);
  EXPECT_TRUE(works(next, path_of(2), host));
}

TEST_P(EndpointBoth, AClosedOneIsGoneWhenItHasSaidSo) {
  EndpointHost host(make_config(options()));
  Peer peer = connect(host, path_of(1));
  const ConnectionHandle handle = *host.endpoint.find(path_of(1));
  const auto pending = host.endpoint.close(handle, {});
  ASSERT_TRUE(pending);
  EXPECT_TRUE(pending->event && pending->transmit);
  EXPECT_EQ(host.endpoint.size(), 0U);
  EXPECT_EQ(host.endpoint.find(path_of(1)), std::nullopt);
  host.settle({});
  EXPECT_EQ(host.known[handle].ended->reason, EndReason::closed);
  EXPECT_EQ(host.known[handle].ended->path, path_of(1));
  const auto last_words = host.take_datagrams();
  ASSERT_EQ(last_words.size(), 1U);
  EXPECT_EQ(last_words[0].path, path_of(1));
  EXPECT_EQ(last_words[0].connection, handle);
  peer.receive(last_words[0].datagram, {});
  EXPECT_TRUE(peer.closed);
  EXPECT_EQ(host.endpoint.statistics().count(EndReason::closed), 1U);
  EXPECT_EQ(host.endpoint.next_timeout(), std::nullopt);
  // The peer's own close_notify finds nobody, and changes nothing.
  for (auto& datagram : peer.take_datagrams()) host.receive(std::move(datagram), path_of(1));
  EXPECT_TRUE(host.take_datagrams().empty());
}

TEST_P(EndpointBoth, APeerThatClosesIsAnswered) {
  EndpointHost host(make_config(options()));
  Peer peer = connect(host, path_of(1));
  const ConnectionHandle handle = *host.endpoint.find(path_of(1));
  must(peer.connection().close({}).map([](dtls::Pending) {}));
  for (auto& datagram : peer.take_datagrams()) host.receive(std::move(datagram), path_of(1));
  EXPECT_EQ(host.known[handle].ended->reason, EndReason::closed_by_peer);
  EXPECT_EQ(host.take_datagrams().size(), 1U);
  EXPECT_EQ(host.endpoint.size(), 0U);
}

TEST_P(EndpointBoth, WhoFailsSaysWhy) {
  EndpointHost host(make_config(options()));
  host.accepts_peers = false;
  Peer peer = client();
  exchange(peer, path_of(1), host);
  const ConnectionHandle handle = *host.endpoint.find(path_of(1));
  EXPECT_EQ(host.endpoint.half_open(), 1U);
  const auto rejected = host.endpoint.apply(handle, [](dtls::Connection& connection) {
    return connection.answer(dtls::QuestionId{99}, dtls::AcceptPeer{}, {});
  });
  EXPECT_EQ(rejected.error().code, dtls::Errc::invalid_argument);  // the caller's own mistake
  EXPECT_NE(host.endpoint.find(handle), nullptr);
  const auto another = must(dtls::Fingerprint::of(rsa_identity().certificate(),
                                                  dtls::HashAlgorithm::sha256, environment()));
  const auto failed = host.endpoint.apply(handle, [&](dtls::Connection& connection) {
    return connection.set_peer_fingerprints({&another, 1}, {});
  });
  EXPECT_EQ(failed.error().code, dtls::Errc::peer_rejected);
  host.settle({});
  EXPECT_EQ(host.known[handle].ended->reason, EndReason::failed);
  EXPECT_EQ(host.known[handle].ended->error->code, dtls::Errc::peer_rejected);
  for (auto& sent : host.take_datagrams()) peer.receive(std::move(sent.datagram), {});
  EXPECT_EQ(peer.error->alert, dtls::Alert::bad_certificate);
  EXPECT_EQ(host.endpoint.size(), 0U);
  EXPECT_EQ(host.endpoint.half_open(), 0U);
}

TEST_P(EndpointBoth, AnAbortedOneSaysNothing) {
  EndpointHost host(make_config(options()));
  const Peer peer = connect(host, path_of(1));
  const ConnectionHandle handle = *host.endpoint.find(path_of(1));
  ASSERT_TRUE(host.endpoint.abort(handle));
  EXPECT_TRUE(host.take_datagrams().empty());
  host.settle({});
  EXPECT_EQ(host.known[handle].ended->reason, EndReason::aborted);
  EXPECT_EQ(host.endpoint.size(), 0U);
}

TEST_P(EndpointBoth, AllCanBeClosedAtOnce) {
  EndpointHost host(make_config(options()));
  std::vector<Peer> peers;
  peers.reserve(5);
  for (std::uint32_t i = 0; i < 5; ++i) peers.push_back(connect(host, path_of(i)));
  EXPECT_TRUE(host.endpoint.close_all({}).transmit);
  host.settle({});
  for (auto& sent : host.take_datagrams()) {
    for (std::uint32_t i = 0; i < 5; ++i) {
      if (sent.path == path_of(i)) peers[i].receive(std::move(sent.datagram), {});
    }
  }
  for (const Peer& peer : peers) EXPECT_TRUE(peer.closed);
  EXPECT_EQ(host.endpoint.statistics().count(EndReason::closed), 5U);
}

TEST_P(EndpointBoth, ClientsAndServersShareOneEndpoint) {
  EndpointHost one(make_config(options()));
  EndpointHost other(make_config(options()));
  const auto out = one.endpoint.connect(make_config(options()), path_of(1), {});
  ASSERT_TRUE(out);
  EXPECT_EQ(one.endpoint.connect(make_config(options()), path_of(1), {}).error().code,
            dtls::Errc::invalid_argument);
  ASSERT_TRUE(other.endpoint.connect(make_config(options()), path_of(2), {}));
  exchange(one, other);
  for (EndpointHost* host : {&one, &other}) {
    EXPECT_TRUE(host->at(path_of(1))->connected && host->at(path_of(2))->connected);
    EXPECT_EQ(host->endpoint.statistics().connected, 2U);
    EXPECT_EQ(host->endpoint.half_open(), 0U);
  }
  EXPECT_EQ(one.endpoint.find(*out)->role(), dtls::Role::client);
}

TEST_P(EndpointBoth, WithoutAServersConfigNobodyIsLetIn) {
  EndpointHost host(nullptr);
  Peer peer = client();
  exchange(peer, path_of(1), host);
  EXPECT_EQ(host.endpoint.statistics().unknown, 1U);
  EXPECT_EQ(host.endpoint.size(), 0U);
  EndpointHost server(make_config(options()));
  ASSERT_TRUE(host.endpoint.connect(make_config(options()), path_of(1), {}));
  exchange(host, server);
  EXPECT_TRUE(host.at(path_of(1))->connected);
}

TEST_P(EndpointBoth, EndpointsThatShareTheirCookiesAdmitEachOthersClients) {
  for (const bool shares : {true, false}) {
    EndpointHost asking(make_config(options()));
    EndpointHost admitting(make_config(options()));
    if (shares) {
      const auto secret = must(asking.endpoint.export_cookie_secret(Instant{}));
      must(admitting.endpoint.import_cookie_secret(secret.bytes(), Instant{}));
    }
    Peer client = make_client(make_config(options()));
    for (auto& hello : client.take_datagrams()) asking.receive(std::move(hello), path_of(1));
    for (auto& request : asking.take_datagrams()) client.receive(std::move(request.datagram), {});
    exchange(client, path_of(1), admitting);
    EXPECT_EQ(admitting.endpoint.listener_statistics().refused_cookies == 0, shares);
    EXPECT_TRUE(!shares || works(client, path_of(1), admitting));
  }
  EndpointHost without_peers(nullptr);
  EXPECT_EQ(without_peers.endpoint.export_cookie_secret(Instant{}).error().code,
            dtls::Errc::invalid_argument);
  EXPECT_EQ(without_peers.endpoint.import_cookie_secret({}, Instant{}).error().code,
            dtls::Errc::invalid_argument);
}

TEST_P(EndpointBoth, TimersFireInTheirOrder) {
  EndpointHost host(make_config(options()));
  std::vector<Peer> peers;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const Instant now{dtls::Duration{i * 100ms}};
    peers.push_back(client(now));
    // The cookie, then the server's flight, which is lost.
    for (int turn = 0; turn < 2; ++turn) {
      for (auto& datagram : peers[i].take_datagrams()) {
        host.receive(std::move(datagram), path_of(i), now);
      }
      for (auto& sent : host.take_datagrams()) {
        if (turn == 0) peers[i].receive(std::move(sent.datagram), now);
      }
    }
  }
  EXPECT_EQ(host.endpoint.half_open(), 3U);
  EXPECT_TRUE(host.take_datagrams().empty());
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(host.endpoint.next_timeout(), Instant{dtls::Duration{1s + i * 100ms}});
    host.handle_timeout(*host.endpoint.next_timeout());
    const auto sent = host.take_datagrams();
    ASSERT_FALSE(sent.empty());
    for (const auto& each : sent) EXPECT_EQ(each.path, path_of(i));
  }
  // At last they are given up.
  host.handle_timeout(Instant{200s});
  EXPECT_EQ(host.endpoint.statistics().count(EndReason::failed), 3U);
  for (const auto& [handle, known] : host.known) {
    EXPECT_EQ(known.ended->error->code, dtls::Errc::handshake_timeout);
  }
  EXPECT_EQ(host.endpoint.next_timeout(), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Versions, EndpointBoth, both_versions(), name_of_version);

TEST(Endpoint, RefusesOptionsThatMeanNothing) {
  const auto error_of = [](const dtls::EndpointOptions& options) {
    return dtls::Endpoint::make(options, environment()).error();
  };
  for (const auto& options :
       {dtls::EndpointOptions{.max_connections = 0}, dtls::EndpointOptions{.max_half_open = 0},
        dtls::EndpointOptions{.half_open_grace = -1us},
        dtls::EndpointOptions{.ipv6_host_prefix = 129}, dtls::EndpointOptions{.idle_limit = -1us},
        dtls::EndpointOptions{.idle_limit = dtls::Duration::max()},
        dtls::EndpointOptions{.displace_silent_after = -1us},
        dtls::EndpointOptions{.displace_silent_after = dtls::Duration::max()},
        dtls::EndpointOptions{.max_timers_per_call = 0}}) {
    EXPECT_EQ(error_of(options).code, dtls::Errc::invalid_config);
    EXPECT_FALSE(error_of(options).detail.empty());
  }
  dtls::EndpointOptions options{.server = make_config()};
  options.listener.max_client_hello = 1;
  EXPECT_EQ(error_of(options).code, dtls::Errc::invalid_config);
}

TEST(Endpoint, EveryReasonHasItsWords) {
  for (std::size_t i = 0; i < dtls::kEndReasons; ++i) {
    EXPECT_NE(to_string(static_cast<EndReason>(i)), "unknown");
  }
  for (std::size_t i = 0; i < dtls::kRefusals; ++i) {
    EXPECT_NE(to_string(static_cast<dtls::Refusal>(i)), "unknown");
  }
}

}  // namespace
}  // namespace sluice::test
