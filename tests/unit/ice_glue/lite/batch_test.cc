// Batches of datagrams into an IceLiteServer.
#include <algorithm>
#include <vector>

#include "lite_server.h"
#include "support/bytes.h"

namespace sluice::ice_lite {
namespace {

using dtls::ReceivedDatagram;
using test::IceWorld;

class LiteBatch : public testing::Test {
 protected:
  static constexpr std::size_t kClients = 3;

  void SetUp() override {
    for (std::size_t i = 0; i < kClients; ++i) {
      sessions_.push_back(
          world_.begin({.candidates = {peer(i)}, .seed = static_cast<std::uint64_t>(i)}));
    }
    world_.run_for(5s);
    for (const auto& client : world_.clients) ASSERT_TRUE(client->transport.connected());
  }
  static dtls::UdpEndpoint peer(std::size_t client) {
    return address(1, static_cast<std::uint16_t>(5000 + client));
  }

  void add(dtls::Buffer bytes, std::size_t client) {
    buffers_.push_back(std::move(bytes));
    paths_.push_back(LiteServer::path(peer(client)));
  }
  void add_rtp(std::size_t client, std::uint16_t sequence) {
    const auto plain = test::make_rtp({.sequence = sequence});
    dtls::Buffer bytes(plain);
    bytes.resize(plain.size() + srtp::kMaxTrailer);
    bytes.resize(world_.clients[client]->transport.protect_rtp(bytes, plain.size()).value());
    add(std::move(bytes), client);
  }
  void add_data(std::size_t client) {
    dtls::Buffer bytes(200);
    bytes.resize(
        world_.clients[client]->transport.seal_data(test::counted(100), bytes).value().size);
    add(std::move(bytes), client);
  }
  // Takes what was added from `first` on.
  BatchPending take(std::size_t first = 0) {
    std::vector<ReceivedDatagram> batch;
    for (std::size_t i = first; i < buffers_.size(); ++i) batch.push_back({buffers_[i], paths_[i]});
    return world_.server.handle_datagrams(batch, world_.now);
  }
  struct Got {
    SessionHandle session;
    unsigned sequence;

    friend bool operator==(const Got&, const Got&) = default;
  };
  std::vector<Got> poll_media() {
    std::vector<Got> got;
    while (const auto media = world_.server.poll_media()) {
      const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(media->packet[i]); };
      got.push_back({media->session, at(2) << 8 | at(3)});
    }
    return got;
  }

  // A check moves a tuple to another session at once.
  IceWorld world_{{.server = {.max_sessions = kClients, .tuple_hold = {}}}};
  std::vector<SessionHandle> sessions_;
  std::vector<dtls::Buffer> buffers_;
  std::vector<dtls::UdpPath> paths_;
};

TEST_F(LiteBatch, MediaOfAllDatagramsComesInTheirOrder) {
  std::vector<Got> expected;
  for (std::uint16_t i = 0; i < 30; ++i) {
    const std::size_t client = i * 7 % kClients;
    add_rtp(client, i);
    expected.push_back({sessions_[client], i});
  }
  const auto done = take();
  EXPECT_EQ(done.taken, 30U);
  EXPECT_TRUE(done.pending.media);
  EXPECT_EQ(poll_media(), expected);
}

TEST_F(LiteBatch, StopsBeforeASessionThatHasDataToBePolled) {
  add_data(0);
  add_rtp(1, 1);
  add_rtp(0, 2);
  add_rtp(1, 3);
  EXPECT_EQ(take().taken, 2U);
  const auto data = world_.server.poll_data();
  ASSERT_TRUE(data);
  EXPECT_EQ(data->session, sessions_[0]);
  EXPECT_TRUE(std::ranges::equal(data->bytes, test::counted(100)));
  EXPECT_FALSE(world_.server.poll_data());
  EXPECT_EQ(poll_media(), (std::vector<Got>{{sessions_[1], 1}}));
  EXPECT_EQ(take(2).taken, 2U);
  EXPECT_EQ(poll_media(), (std::vector<Got>{{sessions_[0], 2}, {sessions_[1], 3}}));
}

// A check would be an input to the session's transport.
TEST_F(LiteBatch, StopsBeforeACheckOfAnUnknownPathWhileThereIsDataToBePolled) {
  const auto credentials = world_.server.local_credentials(sessions_[0]).value();
  add_data(0);
  add(make_check({.username = credentials.ufrag + ":client", .pwd = credentials.pwd}), 0);
  paths_.back() = LiteServer::path(address(2, 1));
  EXPECT_EQ(take().taken, 1U);
  EXPECT_TRUE(world_.server.poll_data());
  EXPECT_FALSE(world_.server.poll_data());
  EXPECT_EQ(take(1).taken, 1U);
  EXPECT_EQ(world_.server.tuples(), kClients + 1);
}

// The path is one of client 1, and the check is for the session of client 0.
TEST_F(LiteBatch, StopsBeforeACheckForASessionThatHasDataToBePolled) {
  const auto credentials = world_.server.local_credentials(sessions_[0]).value();
  add_data(0);
  add(make_check({.username = credentials.ufrag + ":client", .pwd = credentials.pwd}), 1);
  EXPECT_EQ(take().taken, 1U);
  EXPECT_TRUE(world_.server.poll_data());
  EXPECT_FALSE(world_.server.poll_data());
  EXPECT_EQ(take(1).taken, 1U);
  EXPECT_EQ(world_.server.find(paths_.back()), sessions_[0]);
}

// Early media stands in memory of the session's transport, which is gone.
TEST_F(LiteBatch, MediaOfASessionThatIsRemovedIsGone) {
  add_rtp(1, 1);
  add_rtp(0, 2);
  add_rtp(2, 3);
  add_rtp(0, 4);
  add_rtp(2, 5);
  EXPECT_EQ(take().taken, 5U);
  ASSERT_TRUE(world_.server.poll_media());
  world_.server.remove(sessions_[0]);
  EXPECT_EQ(poll_media(), (std::vector<Got>{{sessions_[2], 3}, {sessions_[2], 5}}));
}

TEST_F(LiteBatch, TheFirstDatagramIsAlwaysTaken) {
  add_data(0);
  add_rtp(0, 1);
  EXPECT_EQ(take().taken, 1U);
  // Nothing was polled: the data is gone.
  EXPECT_EQ(take(1).taken, 1U);
  EXPECT_FALSE(world_.server.poll_data());
  EXPECT_EQ(poll_media(), (std::vector<Got>{{sessions_[0], 1}}));
  EXPECT_EQ(world_.server.handle_datagrams({}, world_.now).taken, 0U);
}

// A server without data channels polls none, and a peer may send some and close in one datagram.
TEST_F(LiteBatch, AnEndedSessionMakesRoomAlsoWhereItsDataIsNotPolled) {
  add_data(0);
  auto& peer_transport = world_.clients[0]->transport;
  static_cast<void>(test::must(peer_transport.close(world_.now)));
  std::array<std::byte, dtls::kMaxDatagram> out{};
  const auto alert = peer_transport.poll_transmit(out);
  ASSERT_TRUE(alert);
  const auto end = out.begin() + static_cast<std::ptrdiff_t>(alert->size);
  buffers_[0].insert(buffers_[0].end(), out.begin(), end);
  EXPECT_TRUE(take().pending.data);
  while (world_.server.poll_transmit(out)) continue;
  EXPECT_TRUE(poll_media().empty());
  std::size_t ended = 0;
  while (const auto event = world_.server.poll_event()) {
    ended += std::holds_alternative<Ended>(event->what) ? 1 : 0;
  }
  EXPECT_EQ(ended, 1U);
  world_.server.handle_timeout(world_.now);
  world_.add({.candidates = {peer(9)}});
  EXPECT_EQ(world_.server.size(), kClients);
}

TEST_F(LiteBatch, WhatIsNotPolledIsGoneWithTheNextInput) {
  add_rtp(0, 1);
  EXPECT_EQ(take().taken, 1U);
  EXPECT_FALSE(world_.server.handle_timeout(world_.now).media);
  EXPECT_EQ(poll_media(), std::vector<Got>{});
}

TEST_F(LiteBatch, StopsWhenTheQueueOfResponsesIsFull) {
  const auto credentials = world_.server.local_credentials(sessions_[0]).value();
  for (std::size_t i = 0; i <= kMaxQueuedResponses; ++i) {
    add(make_check({.username = credentials.ufrag + ":client", .pwd = credentials.pwd}), 0);
  }
  EXPECT_EQ(take().taken, kMaxQueuedResponses);
  std::array<std::byte, dtls::kMaxDatagram> out{};
  std::size_t responses = 0;
  while (world_.server.poll_transmit(out)) ++responses;
  EXPECT_EQ(responses, kMaxQueuedResponses);
  EXPECT_EQ(take(kMaxQueuedResponses).taken, 1U);
}

// Early media stands in memory of the transport: one packet at a time can be looked at.
// Nothing that comes in the same batch may free it, such as a check from a path of another session.
TEST(LiteBatchEarly, EarlyMediaComesFirst) {
  IceWorld world({.server = {.tuple_hold = {}}});
  const auto session = world.begin({.candidates = {kPeer}});
  const dtls::UdpEndpoint others = address(1, 6000);
  world.begin({.candidates = {others}, .seed = 2});
  // What the client sends after its handshake overtakes its last flight.
  std::vector<dtls::Buffer> held;
  world.to_server = [&](std::size_t client, std::size_t, dtls::Bytes bytes) {
    const auto packet_class = transport::classify(bytes);
    const bool is_last = world.clients[0]->transport.connected();
    if (client != 0 || packet_class != transport::PacketClass::dtls || !is_last) return true;
    held.emplace_back(bytes.begin(), bytes.end());
    return false;
  };
  for (int i = 0; i < 100 && !world.clients[0]->transport.connected(); ++i) world.run_for(10ms);
  ASSERT_TRUE(world.clients[0]->transport.connected());
  ASSERT_FALSE(held.empty());
  std::vector<dtls::Buffer> packets;
  for (std::uint16_t sequence = 1; sequence <= 3; ++sequence) {
    dtls::Buffer bytes = test::make_rtp({.sequence = sequence});
    const std::size_t size = bytes.size();
    bytes.resize(size + srtp::kMaxTrailer);
    bytes.resize(world.clients[0]->transport.protect_rtp(bytes, size).value());
    packets.push_back(std::move(bytes));
  }
  const dtls::UdpPath path = LiteServer::path(kPeer);
  std::vector<ReceivedDatagram> batch{{packets[0], path}, {packets[1], path}};
  for (auto& each : held) batch.push_back({each, path});
  const auto credentials = world.server.local_credentials(session).value();
  auto check = make_check({.username = credentials.ufrag + ":client", .pwd = credentials.pwd});
  batch.push_back({check, LiteServer::path(others)});
  batch.push_back({packets[2], path});
  std::vector<unsigned> got;
  std::span<const ReceivedDatagram> rest = batch;
  std::array<std::byte, dtls::kMaxDatagram> out{};
  while (!rest.empty()) {
    rest = rest.subspan(world.server.handle_datagrams(rest, world.now).taken);
    while (world.server.poll_transmit(out)) continue;
    while (const auto media = world.server.poll_media()) {
      got.push_back(std::to_integer<unsigned>(media->packet[3]));
    }
    while (world.server.poll_event()) continue;
  }
  EXPECT_EQ(got, (std::vector<unsigned>{1, 2, 3})) << held.size() << " datagrams held back";
  EXPECT_TRUE(world.server.find(session)->connected());
}

}  // namespace
}  // namespace sluice::ice_lite
