// An Endpoint finds its connections by connection ID, and no two of them have the same one.
#include <gtest/gtest.h>

#include <sluice/dtls/routable_connection_id.h>

#include "support/by_version.h"
#include "support/bytes.h"
#include "support/endpoint_peers.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
using dtls::Bytes;
using dtls::Connection;
using dtls::ConnectionHandle;
using dtls::Discard;
using dtls::Errc;

constexpr std::size_t kIdSize = 4;
const dtls::UdpPath kUsualPath = path_of(1);
const dtls::UdpPath kOtherPath = path_of(2, 99);
const dtls::UdpPath kThirdPath = path_of(3, 7);

// Makes IDs of one number, which counts up to `values` and then begins again.
class CountingIds final : public dtls::ConnectionIdSource {
 public:
  explicit CountingIds(unsigned values, std::size_t size = kIdSize)
      : values_(values), size_(size) {}
  [[nodiscard]] std::size_t size() const override { return size_; }
  dtls::Result<void> make(dtls::MutableBytes out) override {
    std::ranges::fill(out, static_cast<std::byte>(made++ % values_));
    return {};
  }
  void retire(Bytes id) override { retired.push_back(std::to_integer<unsigned>(id[0])); }

  unsigned made = 0;
  std::vector<unsigned> retired;

 private:
  unsigned values_;
  std::size_t size_;
};

class EndpointIds : public ByVersion {
 protected:
  static dtls::ConfigPtr asking_for(std::optional<std::size_t> size) {
    dtls::ConfigOptions asking = options();
    asking.connection_id_size = size;
    return make_config(asking);
  }
  static EndpointHost host(dtls::EndpointOptions limits = {}) {
    return EndpointHost(asking_for(kIdSize), std::move(limits));
  }
  // Its records have the ID of the other side.
  static Peer client() { return make_client(asking_for(0)); }
  static Peer connect(EndpointHost& host, const dtls::UdpPath& path) {
    return connected(client(), path, host);
  }
  static Buffer id_in(Bytes datagram) {
    return copy_of(dtls::connection_id_in(datagram, kIdSize).value_or(Bytes{}));
  }
};

TEST_P(EndpointIds, ARecordIsFoundByItsIdFromAnywhere) {
  EndpointHost host = this->host();
  Peer one = connect(host, kUsualPath);
  Peer other = connect(host, kOtherPath);
  const ConnectionHandle first = *host.endpoint.find(kUsualPath);
  const ConnectionHandle second = *host.endpoint.find(kOtherPath);
  EXPECT_TRUE(reaches(one, kThirdPath, host, first));
  EXPECT_TRUE(reaches(other, kThirdPath, host, second));
  EXPECT_TRUE(reaches(one, kOtherPath, host, first));
  EXPECT_TRUE(reaches(other, kUsualPath, host, second));
  EXPECT_TRUE(reaches(one, kUsualPath, host, first));
  // Nothing has moved.
  EXPECT_EQ(host.endpoint.path_of(first), kUsualPath);
  EXPECT_EQ(host.endpoint.path_of(second), kOtherPath);
  EXPECT_EQ(host.endpoint.statistics().moves, 0U);
  EXPECT_TRUE(host.known[first].moves.empty());
  EXPECT_EQ(host.endpoint.statistics().unknown_connection_id, 0U);
}

TEST_P(EndpointIds, AnUnknownIdIsDroppedAndCounted) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kUsualPath);
  const ConnectionHandle handle = *host.endpoint.find(kUsualPath);
  const std::uint64_t to_listener = host.endpoint.statistics().to_listener;
  Buffer datagram = peer.seal(bytes_of("data"));
  datagram[is13() ? 1 : 11] ^= std::byte{1};
  host.receive(datagram, kOtherPath);
  EXPECT_EQ(host.endpoint.statistics().unknown_connection_id, 1U);
  EXPECT_EQ(host.endpoint.statistics().to_listener, to_listener);
  // The connection at a path gets what comes from there.
  host.receive(datagram, kUsualPath);
  EXPECT_EQ(host.endpoint.statistics().unknown_connection_id, 1U);
  EXPECT_EQ(host.endpoint.find(handle)->statistics().count(Discard::wrong_connection_id), 1U);
  EXPECT_TRUE(reaches(peer, kOtherPath, host, handle));
}

TEST_P(EndpointIds, TheIdOfAnEndedConnectionIsUnknown) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kUsualPath);
  const Buffer before = peer.seal(bytes_of("data"));
  const Buffer after = peer.seal(bytes_of("data"));
  ASSERT_TRUE(host.endpoint.abort(*host.endpoint.find(kUsualPath)));
  host.receive(before, kOtherPath);
  EXPECT_EQ(host.endpoint.statistics().unknown_connection_id, 1U);
  host.settle({});
  static_cast<void>(host.take_datagrams());
  host.receive(after, kOtherPath);
  EXPECT_EQ(host.endpoint.statistics().unknown_connection_id, 2U);
}

TEST_P(EndpointIds, AnEndpointThatOnlyConnectsCountsUnknownIds) {
  EndpointHost host = this->host();
  EndpointHost caller(nullptr);
  ASSERT_TRUE(caller.endpoint.connect(asking_for(kIdSize), kUsualPath, {}));
  exchange(caller, host);
  const ConnectionHandle called = *host.endpoint.find(kUsualPath);
  const ConnectionHandle calling = *caller.endpoint.find(kUsualPath);
  const Buffer datagram = host.seal(called, bytes_of("data"));
  Buffer forged = datagram;
  forged[is13() ? 1 : 11] ^= std::byte{1};
  caller.receive(forged, kOtherPath);
  EXPECT_EQ(caller.endpoint.statistics().unknown_connection_id, 1U);
  EXPECT_EQ(caller.endpoint.statistics().unknown, 0U);
  caller.receive(datagram, kOtherPath);
  EXPECT_EQ(caller.known[calling].data.size(), 1U);
}

// RFC 9147 section 5.11. The new association has an ID of its own.
TEST_P(EndpointIds, APeerBeginsAnewAtItsPath) {
  EndpointHost host = this->host();
  Peer old = connect(host, kUsualPath);
  const ConnectionHandle first = *host.endpoint.find(kUsualPath);
  Peer anew = client();
  for (int turn = 0; turn < 2; ++turn) {
    for (auto& datagram : anew.take_datagrams()) host.receive(std::move(datagram), kUsualPath);
    if (turn == 1) break;
    for (auto& sent : host.take_datagrams()) anew.receive(std::move(sent.datagram), {});
  }
  ASSERT_EQ(host.endpoint.size(), 2U);
  EXPECT_TRUE(reaches(old, kUsualPath, host, first));
  EXPECT_TRUE(reaches(old, kOtherPath, host, first));
  exchange(anew, kUsualPath, host);
  EXPECT_TRUE(works(anew, kUsualPath, host));
  EXPECT_EQ(host.endpoint.statistics().count(dtls::EndReason::replaced), 1U);
  host.receive(old.seal(bytes_of("data")), kOtherPath);
  EXPECT_EQ(host.endpoint.statistics().unknown_connection_id, 1U);
  EXPECT_TRUE(reaches(anew, kOtherPath, host, *host.endpoint.find(kUsualPath)));
}

// ---- sources

TEST_P(EndpointIds, TheSourceMakesThem) {
  CountingIds source(200);
  EndpointHost host = this->host({.connection_ids = &source});
  Peer peer = connect(host, kUsualPath);
  EXPECT_EQ(source.made, 1U);
  EXPECT_EQ(to_hex(id_in(peer.seal(bytes_of("data")))), "00000000");
  EXPECT_TRUE(reaches(peer, kOtherPath, host, *host.endpoint.find(kUsualPath)));
}

TEST_P(EndpointIds, NoTwoConnectionsHaveTheSame) {
  constexpr unsigned kValues = 4;
  CountingIds source(kValues);
  EndpointHost host = this->host({.connection_ids = &source});
  std::vector<Peer> peers;
  for (unsigned i = 0; i < kValues; ++i) peers.push_back(connect(host, path_of(i)));
  // There is no other: the handshake ends, and those that are there stay.
  Peer refused = client();
  exchange(refused, kOtherPath, host);
  EXPECT_FALSE(refused.connected);
  EXPECT_LE(source.made, kValues + 32);
  EXPECT_EQ(host.endpoint.statistics().count(dtls::EndReason::failed), 1U);
  const auto failed = std::ranges::find_if(
      host.known, [](const auto& known) { return known.second.ended.has_value(); });
  ASSERT_NE(failed, host.known.end());
  EXPECT_EQ(failed->second.ended->error->code, Errc::connection_id_in_use);
  for (unsigned i = 0; i < kValues; ++i) {
    EXPECT_TRUE(reaches(peers[i], kOtherPath, host, *host.endpoint.find(path_of(i))));
  }
  // One that has ended leaves its ID to another.
  ASSERT_TRUE(host.endpoint.abort(*host.endpoint.find(path_of(2))));
  host.settle({});
  Peer next = connect(host, kOtherPath);
  EXPECT_EQ(to_hex(id_in(next.seal(bytes_of("data")))), "02020202");
}

TEST_P(EndpointIds, AnIdThatTheServerDoesNotAgreeOnIsFree) {
  CountingIds source(1);
  EndpointHost host(make_config(options()));
  EndpointHost caller(nullptr, {.connection_ids = &source});
  for (const dtls::UdpPath& path : {kUsualPath, kOtherPath}) {
    ASSERT_TRUE(caller.endpoint.connect(asking_for(kIdSize), path, {}));
    exchange(caller, host);
    ASSERT_TRUE(caller.at(path)->connected);
    EXPECT_TRUE(caller.at(path)->connected->own_connection_id.empty());
  }
  EXPECT_EQ(source.retired.size(), 2U);
}

TEST_P(EndpointIds, AConnectionThatCannotBeMadeLeavesNothing) {
  CountingIds source(1);
  EndpointHost caller(nullptr, {.connection_ids = &source});
  ASSERT_TRUE(caller.endpoint.connect(asking_for(kIdSize), kUsualPath, {}));
  const auto refused = caller.endpoint.connect(asking_for(kIdSize), kOtherPath, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::connection_id_in_use);
  EXPECT_EQ(caller.endpoint.size(), 1U);
  ASSERT_TRUE(caller.endpoint.abort(*caller.endpoint.find(kUsualPath)));
  EXPECT_TRUE(caller.endpoint.connect(asking_for(kIdSize), kOtherPath, {}));
}

TEST_P(EndpointIds, ASourceOfAnotherSizeIsRefused) {
  CountingIds source(9);
  const auto made = dtls::Endpoint::make(
      {.server = asking_for(kIdSize + 1), .connection_ids = &source}, environment());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::invalid_config);
  EXPECT_TRUE(made.error().detail.starts_with("connection_id_size:"));
  for (const std::size_t size : {std::size_t{0}, dtls::kMaxConnectionId + 1}) {
    CountingIds impossible(9, size);
    const auto refused = dtls::Endpoint::make({.connection_ids = &impossible}, environment());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_config);
    EXPECT_TRUE(refused.error().detail.starts_with("connection_ids:"));
  }
  EndpointHost host(nullptr, {.connection_ids = &source});
  const auto connected = host.endpoint.connect(asking_for(kIdSize + 1), kUsualPath, {});
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Errc::invalid_config);
  EXPECT_TRUE(connected.error().detail.starts_with("connection_id_size:"));
  EXPECT_EQ(host.endpoint.size(), 0U);
  // Without IDs of its own, any source will do.
  EXPECT_TRUE(host.endpoint.connect(asking_for(0), kUsualPath, {}));
  EXPECT_TRUE(host.endpoint.connect(asking_for(std::nullopt), kOtherPath, {}));
}

TEST_P(EndpointIds, WithoutASourceAllHaveOneSize) {
  EndpointHost host(nullptr);
  EXPECT_TRUE(host.endpoint.connect(asking_for(0), kUsualPath, {}));
  EXPECT_TRUE(host.endpoint.connect(asking_for(5), kOtherPath, {}));
  const auto refused = host.endpoint.connect(asking_for(6), kThirdPath, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_config);
  EXPECT_TRUE(refused.error().detail.starts_with("connection_id_size:"));
  EXPECT_TRUE(host.endpoint.connect(asking_for(5), kThirdPath, {}));
}

INSTANTIATE_TEST_SUITE_P(Versions, EndpointIds, both_versions(), name_of_version);

// ---- further IDs of DTLS 1.3 (RFC 9147 section 9)

class EndpointSpareIds : public EndpointIds {
 protected:
  // The peer gets another ID, and its ACK arrives.
  static bool renew(Peer& peer, EndpointHost& host, ConnectionHandle handle) {
    const auto renewed = host.endpoint.apply(
        handle, [](Connection& connection) { return connection.renew_connection_id({}); });
    exchange(peer, kUsualPath, host);
    if (const auto ack = peer.connection().next_timeout()) {
      peer.settle(peer.connection().handle_timeout(*ack), *ack);
      exchange(peer, kUsualPath, host, *ack);
    }
    return renewed.has_value();
  }
  // A record of the epoch after the handshake with this ID, which nobody can open.
  static Buffer datagram_with(std::string_view id) {
    Buffer datagram = from_hex("3f" + std::string(id) + "0000 0010");
    datagram.resize(datagram.size() + 16);
    return datagram;
  }
};

TEST_P(EndpointSpareIds, SparesFindTheConnection) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kUsualPath);
  const ConnectionHandle handle = *host.endpoint.find(kUsualPath);
  peer.settle(peer.connection().request_connection_ids(3, {}), {});
  exchange(peer, kUsualPath, host);
  ASSERT_EQ(peer.connection().spare_connection_ids(), 3U);
  const Buffer before = peer.seal(bytes_of("before"));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(peer.connection().change_connection_id());
    const Buffer datagram = peer.seal(bytes_of("after"));
    EXPECT_NE(id_in(datagram), id_in(before));
    host.receive(datagram, kOtherPath);
  }
  host.receive(before, kOtherPath);
  EXPECT_EQ(host.endpoint.statistics().unknown_connection_id, 0U);
  EXPECT_EQ(host.known[handle].data.size(), 5U);
}

TEST_P(EndpointSpareIds, ThoseThatAConnectionRetiresAreFree) {
  CountingIds source(250);
  EndpointHost host = this->host({.connection_ids = &source});
  Peer peer = connect(host, kUsualPath);
  const ConnectionHandle handle = *host.endpoint.find(kUsualPath);
  const Buffer first = peer.seal(bytes_of("data"));
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(renew(peer, host, handle));
    ASSERT_TRUE(reaches(peer, kOtherPath, host, handle)) << i;
  }
  ASSERT_EQ(source.made, 41U);
  ASSERT_EQ(source.retired.size(), 41U - 2 * dtls::kMaxSpareConnectionIds);
  host.receive(first, kOtherPath);
  EXPECT_EQ(host.endpoint.statistics().unknown_connection_id, 1U);
  // They may be given to others.
  source.made = 0;
  Peer other = connect(host, kThirdPath);
  EXPECT_EQ(to_hex(id_in(other.seal(bytes_of("data")))), "00000000");
  EXPECT_TRUE(reaches(other, kOtherPath, host, *host.endpoint.find(kThirdPath)));
  // Those of a connection that ends all leave.
  ASSERT_TRUE(host.endpoint.abort(handle));
  host.settle({});
  static_cast<void>(host.take_datagrams());
  source.made = source.retired.back() + 1;
  Peer next = connect(host, kUsualPath);
  EXPECT_EQ(std::to_integer<unsigned>(id_in(next.seal(bytes_of("data")))[0]),
            source.retired.back() + 1);
}

// IDs that are made within apply() belong to its connection, whatever else the function does.
TEST_P(EndpointSpareIds, AFunctionMayUseTheEndpointMeanwhile) {
  EndpointHost host = this->host();
  Peer one = connect(host, kUsualPath);
  Peer other = connect(host, kOtherPath);
  const ConnectionHandle first = *host.endpoint.find(kUsualPath);
  const ConnectionHandle second = *host.endpoint.find(kOtherPath);
  const auto renew = [](Connection& connection) { return connection.renew_connection_id({}); };
  ASSERT_TRUE(host.endpoint.apply(first, [&](Connection& connection) {
    const auto renewed = renew(connection);
    EXPECT_TRUE(host.endpoint.apply(second, renew));
    return renewed;
  }));
  for (auto& sent : host.take_datagrams()) {
    (sent.path == kUsualPath ? one : other).receive(std::move(sent.datagram), {});
  }
  EXPECT_TRUE(reaches(one, kThirdPath, host, first));
  EXPECT_TRUE(reaches(other, kThirdPath, host, second));
  EXPECT_EQ(host.endpoint.statistics().unknown_connection_id, 0U);
}

TEST_P(EndpointSpareIds, AFunctionThatEndsItsConnectionLeavesNone) {
  CountingIds source(250);
  EndpointHost host = this->host({.connection_ids = &source});
  const Peer one = connect(host, kUsualPath);
  const ConnectionHandle handle = *host.endpoint.find(kUsualPath);
  ASSERT_TRUE(host.endpoint.apply(handle, [&](Connection& connection) {
    EXPECT_TRUE(host.endpoint.abort(handle));
    return connection.renew_connection_id({});
  }));
  host.settle({});
  static_cast<void>(host.take_datagrams());
  ASSERT_EQ(source.made, 2U);
  // Nobody is found by the ID that was made last, and it is free.
  host.receive(datagram_with("01010101"), kOtherPath);
  EXPECT_EQ(host.endpoint.statistics().unknown_connection_id, 1U);
  source.made = 1;
  Peer next = connect(host, kUsualPath);
  EXPECT_EQ(to_hex(id_in(next.seal(bytes_of("data")))), "01010101");
  EXPECT_TRUE(reaches(next, kOtherPath, host, *host.endpoint.find(kUsualPath)));
}

// Not even while the function runs.
TEST_P(EndpointSpareIds, AConnectionThatHasEndedIsNotFoundByALaterId) {
  CountingIds source(250);
  EndpointHost host = this->host({.connection_ids = &source});
  const Peer one = connect(host, kUsualPath);
  const ConnectionHandle handle = *host.endpoint.find(kUsualPath);
  ASSERT_TRUE(host.endpoint.apply(handle, [&](Connection& connection) {
    EXPECT_TRUE(host.endpoint.abort(handle));
    const auto renewed = connection.renew_connection_id({});
    host.receive(datagram_with("01010101"), kOtherPath);
    EXPECT_EQ(host.endpoint.statistics().unknown_connection_id, 1U);
    return renewed;
  }));
}

INSTANTIATE_TEST_SUITE_P(Versions, EndpointSpareIds, testing::Values(dtls::ProtocolVersion::dtls13),
                         name_of_version);

}  // namespace
}  // namespace sluice::test
