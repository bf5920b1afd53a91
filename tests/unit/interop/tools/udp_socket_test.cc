#include "tools/udp_socket.h"

#include <gmock/gmock.h>

namespace sluice::interop::tools {
namespace {

constexpr dtls::Ipv4Address kLoopback{127, 0, 0, 1};
// Linux takes all of 127.0.0.0/8 for its own.
constexpr dtls::Ipv4Address kSecondLoopback{127, 0, 0, 2};

UdpSocket bound(const std::string& address, const UdpSocketOptions& options) {
  auto made = UdpSocket::bind(*resolve(address), options);
  EXPECT_TRUE(made.has_value()) << (made ? "" : made.error());
  return *std::move(made);
}

struct Received {
  std::string text;
  dtls::UdpPath path;
};

// A datagram on loopback can be read as soon as it has been sent.
std::vector<Received> received(UdpSocket& socket) {
  std::vector<Received> all;
  socket.receive([&](dtls::MutableBytes bytes, const dtls::UdpPath& path) {
    all.push_back({{reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path});
  });
  return all;
}

void send(const UdpSocket& socket, const std::string& text, const dtls::UdpPath& path) {
  socket.send(std::as_bytes(std::span(text)), path);
}

TEST(UdpSocket, AnswersFromTheAddressThatADatagramCameTo) {
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

TEST(UdpSocket, NamesOnlyThePeerWhereTheLocalAddressIsNotWanted) {
  auto receiver = bound("127.0.0.1:0", {.reports_local_address = false});
  const auto sender = bound("127.0.0.1:0", {});
  send(sender, "hello", {.peer = {kLoopback, receiver.own().port}});
  const auto arrived = received(receiver);
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(arrived[0].path, dtls::UdpPath{.peer = sender.own()});
}

TEST(UdpSocket, APortIsSharedOnlyWhenAllSocketsAllowIt) {
  const auto first = bound("127.0.0.1:0", {.shares_port = true});
  const auto same = to_socket_address(first.own(), 0);
  EXPECT_TRUE(UdpSocket::bind(same, {.shares_port = true}).has_value());
  EXPECT_FALSE(UdpSocket::bind(same, {.shares_port = false}).has_value());
}

TEST(UdpSocket, AnotherPortLeadsToTheSamePeer) {
  auto peer = bound("127.0.0.1:0", {.reports_local_address = false});
  auto first = bound("127.0.0.2:0", {.reports_local_address = false});
  ASSERT_TRUE(first.connect(to_socket_address(peer.own(), 0)).has_value());
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

TEST(UdpSocket, OnlyAConnectedSocketHasAnotherPortToThePeer) {
  EXPECT_FALSE(bound("127.0.0.1:0", {}).with_another_port().has_value());
}

TEST(UdpSocket, ReceivesNothingWhereNothingHasCome) {
  auto socket = bound("127.0.0.1:0", {});
  EXPECT_TRUE(received(socket).empty());
}

}  // namespace
}  // namespace sluice::interop::tools
