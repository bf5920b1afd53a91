#include <sluice/udp/socket.h>

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include <sluice/udp/address.h>

namespace sluice::udp {
namespace {

constexpr dtls::Ipv4Address kLoopback{127, 0, 0, 1};
// Linux takes all of 127.0.0.0/8 for its own.
constexpr dtls::Ipv4Address kSecondLoopback{127, 0, 0, 2};

Socket bound(const std::string& address, const SocketOptions& options) {
  auto made = Socket::bind(*resolve(address), options);
  EXPECT_TRUE(made.has_value()) << (made ? "" : made.error());
  return *std::move(made);
}

struct Arrived {
  std::string text;
  dtls::UdpPath path;
};

// A datagram on loopback can be read as soon as it has been sent.
std::vector<Arrived> received(Socket& socket) {
  std::vector<Arrived> all;
  for (const Received& each : socket.receive()) {
    all.push_back(
        {{reinterpret_cast<const char*>(each.bytes.data()), each.bytes.size()}, each.path});
  }
  return all;
}

void send(Socket& socket, const std::string& text, const dtls::UdpPath& path) {
  socket.send(std::as_bytes(std::span(text)), path);
}

TEST(Socket, AnswersFromTheAddressThatADatagramCameTo) {
  auto server = bound("0.0.0.0:0", {});
  auto client = bound("127.0.0.1:0", {.reports_local_address = false});
  send(client, "hello", {.peer = {kSecondLoopback, server.own().port}});

  const auto arrived = received(server);
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(arrived[0].text, "hello");
  EXPECT_EQ(arrived[0].path.peer, client.own());
  EXPECT_EQ(arrived[0].path.own.address, dtls::UdpEndpoint(kSecondLoopback, 0).address);

  send(server, "back", arrived[0].path);
  const auto back = received(client);
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(back[0].text, "back");
  EXPECT_EQ(back[0].path.peer, dtls::UdpEndpoint(kSecondLoopback, server.own().port));
}

TEST(Socket, NamesOnlyThePeerWhereTheLocalAddressIsNotWanted) {
  auto receiver = bound("127.0.0.1:0", {.reports_local_address = false});
  auto sender = bound("127.0.0.1:0", {});
  send(sender, "hello", {.peer = {kLoopback, receiver.own().port}});
  const auto arrived = received(receiver);
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(arrived[0].path, dtls::UdpPath{.peer = sender.own()});
}

// Each receives its own, and what one has returned is gone with the next call of the other.
TEST(Socket, SocketsCanReadIntoOneBuffer) {
  const auto buffer = std::make_shared<ReceiveBuffer>();
  const SocketOptions options{.reports_local_address = false, .shared_buffer = buffer};
  auto one = bound("127.0.0.1:0", options);
  auto other = bound("127.0.0.1:0", options);
  send(one, "to the other", {.peer = other.own()});
  send(other, "to the one", {.peer = one.own()});
  const auto at_one = one.receive();
  ASSERT_EQ(at_one.size(), 1U);
  const std::byte* const place = at_one[0].bytes.data();
  EXPECT_EQ(at_one[0].bytes.size(), std::string_view("to the one").size());
  const auto at_other = other.receive();
  ASSERT_EQ(at_other.size(), 1U);
  EXPECT_EQ(at_other[0].bytes.data(), place);
  EXPECT_EQ(at_other[0].bytes.size(), std::string_view("to the other").size());
  EXPECT_EQ(one.statistics().received, 1U);
  EXPECT_EQ(other.statistics().received, 1U);
}

TEST(Socket, SaysWhatNobodyHasReadInTime) {
  auto receiver = bound("127.0.0.1:0", {.reports_local_address = false, .receive_buffer = 4096});
  auto sender = bound("127.0.0.1:0", {});
  EXPECT_EQ(receiver.dropped_unread(), 0U);
  constexpr std::size_t kSent = 100;
  for (std::size_t i = 0; i < kSent; ++i) {
    send(sender, std::string(1000, 'x'), {.peer = receiver.own()});
  }
  std::size_t came = 0;
  for (auto all = received(receiver); !all.empty(); all = received(receiver)) came += all.size();
  EXPECT_LT(came, kSent);
  EXPECT_EQ(receiver.dropped_unread(), kSent - came);
}

// Peers compare the addresses that STUN tells them with their own.
TEST(Socket, AnIpv6SocketHasIpv4PeersInTheirOwnForm) {
  auto server = bound("*:0", {});
  for (const char* address : {"127.0.0.1:0", "[::1]:0"}) {
    auto client = bound(address, {.reports_local_address = false});
    auto to = client.own();
    to.port = server.own().port;
    send(client, "hello", {.peer = to});
    const auto arrived = received(server);
    ASSERT_EQ(arrived.size(), 1U);
    EXPECT_EQ(arrived[0].path.peer, client.own());
    EXPECT_EQ(arrived[0].path.own.address, to.address);
    send(server, "back", arrived[0].path);
    const auto back = received(client);
    ASSERT_EQ(back.size(), 1U) << address;
    EXPECT_EQ(back[0].path.peer, to);
  }
}

TEST(Socket, APortIsSharedOnlyWhenAllSocketsAllowIt) {
  const auto first = bound("127.0.0.1:0", {.shares_port = true});
  const auto same = dtls::to_socket_address(first.own());
  EXPECT_TRUE(Socket::bind(same, {.shares_port = true}).has_value());
  EXPECT_FALSE(Socket::bind(same, {.shares_port = false}).has_value());
}

TEST(Socket, AnotherPortLeadsToTheSamePeer) {
  auto peer = bound("127.0.0.1:0", {.reports_local_address = false});
  auto first = bound("127.0.0.2:0", {.reports_local_address = false});
  ASSERT_TRUE(first.connect(dtls::to_socket_address(peer.own())).has_value());
  auto second = first.with_another_port();
  ASSERT_TRUE(second.has_value()) << second.error();
  EXPECT_EQ(second->own().address, first.own().address);
  EXPECT_NE(second->own().port, first.own().port);
  const auto own = second->own();
  first = *std::move(second);
  EXPECT_EQ(first.own(), own);
  send(first, "hello", {.peer = peer.own()});
  const auto arrived = received(peer);
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(arrived[0].path.peer, own);
}

TEST(Socket, OnlyAConnectedSocketHasAnotherPortToThePeer) {
  EXPECT_FALSE(bound("127.0.0.1:0", {}).with_another_port().has_value());
}

TEST(Socket, ReceivesNothingWhereNothingHasCome) {
  auto socket = bound("127.0.0.1:0", {});
  EXPECT_TRUE(received(socket).empty());
}

// A datagram of so many bytes, all of which say which one it is.
void put_filled(SendBatch& batch, std::size_t size, int number, const dtls::UdpPath& path) {
  const auto room = batch.room(size);
  ASSERT_GE(room.size(), size);
  std::ranges::fill(room.first(size), static_cast<std::byte>(number));
  batch.commit(size, path);
}

std::vector<std::pair<std::size_t, int>> sizes_and_numbers(Socket& socket) {
  std::vector<std::pair<std::size_t, int>> all;
  for (auto received = socket.receive(); !received.empty(); received = socket.receive()) {
    for (const Received& each : received) {
      all.emplace_back(each.bytes.size(), each.bytes.empty() ? -1 : int(each.bytes.front()));
    }
  }
  return all;
}

// What a batch holds arrives datagram by datagram, however the kernels of both sides join it.
TEST(Socket, ABatchArrivesInOrderAndDivided) {
  const std::vector<std::pair<std::size_t, int>> sent = {
      {1200, 1}, {1200, 2}, {1200, 3}, {700, 4}, {1200, 5}, {1, 6}, {1, 7}, {0, -1}, {900, 8}};
  for (const bool joins_sent : {false, true}) {
    for (const bool joins_received : {false, true}) {
      auto receiver = bound("127.0.0.1:0", {.joins_received = joins_received});
      auto sender = bound("127.0.0.1:0", {.joins_sent = joins_sent});
      SendBatch batch;
      for (const auto& [size, number] : sent)
        put_filled(batch, size, number, {.peer = receiver.own()});
      sender.send(batch);
      EXPECT_EQ(sizes_and_numbers(receiver), sent) << joins_sent << joins_received;
      const SocketStatistics expected{.sent = sent.size()};
      EXPECT_EQ(sender.statistics(), expected);
      EXPECT_EQ(receiver.statistics().received, sent.size());
    }
  }
}

TEST(Socket, AFullBatchArrives) {
  auto receiver = bound("127.0.0.1:0", {.receive_buffer = 4 << 20});
  auto sender = bound("127.0.0.1:0", {});
  SendBatch batch;
  std::vector<std::pair<std::size_t, int>> sent;
  // Sizes that differ make as many runs as a batch takes.
  for (std::size_t i = 0; i < SendBatch::kMaxRuns; ++i) {
    sent.emplace_back(100 + i, static_cast<int>(i));
    put_filled(batch, sent.back().first, sent.back().second, {.peer = receiver.own()});
  }
  EXPECT_EQ(batch.runs().size(), SendBatch::kMaxRuns);
  sender.send(batch);
  EXPECT_EQ(sizes_and_numbers(receiver), sent);
}

// Loopback takes 65,536 bytes at once, so the kernel refuses segments above its MTU only.
TEST(Socket, ARunWithSegmentsAboveTheMtuLeavesDatagramByDatagram) {
  auto receiver = bound("[::1]:0", {});
  auto sender = bound("[::1]:0", {});
  const dtls::UdpPath path{.peer = receiver.own()};
  SendBatch batch;
  put_filled(batch, 32'000, 1, path);
  put_filled(batch, 32'000, 2, path);
  ASSERT_EQ(batch.runs().size(), 1U);
  sender.send(batch);
  const std::vector<std::pair<std::size_t, int>> all{{32'000, 1}, {32'000, 2}};
  EXPECT_EQ(sizes_and_numbers(receiver), all);
  EXPECT_EQ(sender.statistics().sent, 2U);
}

// Port 0 is no destination: the kernel refuses it. What stands behind it in the batch is sent.
TEST(Socket, ARefusedDatagramIsCountedAndTheOthersLeave) {
  auto receiver = bound("127.0.0.1:0", {});
  auto sender = bound("127.0.0.1:0", {});
  SendBatch batch;
  put_filled(batch, 10, 1, {.peer = receiver.own()});
  put_filled(batch, 10, 2, {.peer = {kLoopback, 0}});
  put_filled(batch, 10, 3, {.peer = {kLoopback, 0}});
  put_filled(batch, 10, 4, {.peer = receiver.own()});
  sender.send(batch);
  const std::vector<std::pair<std::size_t, int>> all{{10, 1}, {10, 4}};
  EXPECT_EQ(sizes_and_numbers(receiver), all);
  const SocketStatistics expected{.sent = 2, .dropped_refused = 2, .divided = 1};
  EXPECT_EQ(sender.statistics(), expected);
}

// Between two ends of a pair nothing is lost, so a sender fills the buffer of the other end.
TEST(Socket, DropsAndCountsWhatTheKernelHasNoRoomFor) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends.data()), 0);
  const SocketOptions plain{.reports_local_address = false, .joins_sent = false};
  auto sender = *Socket::adopt(ends[0], plain);
  auto receiver = *Socket::adopt(ends[1], plain);
  SendBatch batch;
  const SocketStatistics& counts = sender.statistics();
  std::size_t batches = 0;
  for (; counts.dropped_full == 0 && batches < 1000; ++batches) {
    for (std::size_t size = 1; size <= SendBatch::kMaxRuns; ++size) put_filled(batch, size, 1, {});
    sender.send(batch);
    batch.clear();
  }
  EXPECT_GT(counts.dropped_full, 0U);
  EXPECT_EQ(counts.sent + counts.dropped_full, batches * SendBatch::kMaxRuns);
  const auto arrived = sizes_and_numbers(receiver);
  EXPECT_EQ(arrived.size(), counts.sent);
  // There is room again.
  put_filled(batch, 5, 9, {});
  sender.send(batch);
  EXPECT_EQ(sizes_and_numbers(receiver).size(), 1U);
}

TEST(Socket, GoesOnWithAnOpenSocket) {
  auto peer = bound("127.0.0.1:0", {});
  const auto before = bound("127.0.0.1:0", {});
  auto adopted = Socket::adopt(dup(before.descriptor()));
  ASSERT_TRUE(adopted.has_value()) << adopted.error();
  EXPECT_EQ(adopted->own(), before.own());
  send(peer, "hello", {.peer = adopted->own()});
  const auto arrived = received(*adopted);
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(arrived[0].path.own.address, dtls::UdpEndpoint(kLoopback, 0).address);
}

TEST(Socket, WhatIsNoSocketCannotBeAdopted) { EXPECT_FALSE(Socket::adopt(-1).has_value()); }

TEST(Socket, ABufferThatTheSystemDoesNotGrantIsAnError) {
  const auto made = Socket::bind(*resolve("127.0.0.1:0"), {.receive_buffer = std::size_t{1} << 40});
  ASSERT_FALSE(made.has_value());
  EXPECT_THAT(made.error(), testing::StartsWith("SO_RCVBUF: "));
}

// The kernel tells of a closed port in place of sending the next datagram.
TEST(Socket, AConnectedSocketLearnsOfAClosedPort) {
  auto gone = bound("127.0.0.1:0", {});
  const auto address = dtls::to_socket_address(gone.own());
  gone = bound("127.0.0.1:0", {});
  auto client = bound("127.0.0.1:0", {.reports_local_address = false});
  ASSERT_TRUE(client.connect(address).has_value());
  EXPECT_FALSE(client.take_refusal());
  for (int i = 0; i < 3; ++i) send(client, "hello", {});
  EXPECT_TRUE(client.take_refusal());
  EXPECT_FALSE(client.take_refusal());
  EXPECT_EQ(client.statistics().sent, 3U);
}

}  // namespace
}  // namespace sluice::udp
