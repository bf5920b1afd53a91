// Connections over loopback: what comes in, how they end, and what hostile peers send.
#include <sluice/tcp/listener.h>

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"

namespace sluice::tcp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Listener, GivesDatagramsWithThePathOfTheirConnection) {
  Port port;
  const Peer peer(port.listener.own());
  peer.send({"one", "two"});
  port.until_arrived(2);
  EXPECT_THAT(texts_of(port), ElementsAre("one", "two"));
  const auto& path = port.arrived[0].path;
  EXPECT_TRUE(is_connection(path));
  EXPECT_EQ(path.peer, peer.own());
  EXPECT_EQ(path.own, port.listener.own());
  EXPECT_EQ(port.arrived[1].path, path);
  EXPECT_EQ(port.listener.size(), 1U);
  EXPECT_EQ(port.listener.statistics().accepted, 1U);
  EXPECT_EQ(port.listener.statistics().received, 2U);
}

TEST(Listener, AnswersOverTheConnection) {
  Port port;
  auto first = port.connect();
  auto second = port.connect();
  EXPECT_NE(first.path.socket, second.path.socket);
  port.send("to the second", second.path);
  port.send("to the first", first.path);
  port.send("again", first.path);
  port.listener.flush();
  EXPECT_EQ(text_of(first.peer.read()), text_of(framed({"to the first", "again"})));
  EXPECT_EQ(text_of(second.peer.read()), text_of(framed({"to the second"})));
  EXPECT_EQ(port.listener.statistics().sent, 3U);
}

// What the service manager has opened serves the next process as well.
TEST(Listener, AdoptsASocketAndLeavesItListening) {
  const auto any = *udp::resolve("127.0.0.1:0");
  const udp::Descriptor bound(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(bound.number(), any.get(), any.size), 0);
  for (const auto* text : {"one", "two"}) {
    Port port(dup(bound.number()));
    const Peer peer(port.listener.own());
    peer.send({text});
    port.until_arrived(1);
    EXPECT_THAT(texts_of(port), ElementsAre(text));
  }
}

TEST(Listener, SaysWhyASocketCannotBeAdopted) {
  auto environment = *dtls::Environment::make();
  const auto none = Listener::adopt(-1, environment);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error(), testing::StartsWith("fcntl: "));
  const int udp_socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto datagrams = Listener::adopt(udp_socket, environment);
  ASSERT_FALSE(datagrams);
  EXPECT_THAT(datagrams.error(), testing::StartsWith("TCP_NODELAY: "));
}

TEST(Listener, IsReadableWhenThereIsSomethingToDo) {
  Port port;
  EXPECT_FALSE(is_ready(port.listener.descriptor(), POLLIN, 0ms));
  const Peer peer(port.listener.own());
  port.until_open(1);
  EXPECT_FALSE(is_ready(port.listener.descriptor(), POLLIN, 0ms));
  peer.send({"x"});
  port.until_arrived(1);
  EXPECT_FALSE(is_ready(port.listener.descriptor(), POLLIN, 0ms));
}

TEST(Listener, AcceptsIpv4AndIpv6) {
  Port port({}, "*:0");
  const auto number = port.listener.own().port;
  const Peer v4({dtls::Ipv4Address{127, 0, 0, 1}, number});
  v4.send({"v4"});
  port.until_arrived(1);
  EXPECT_EQ(port.arrived[0].path.peer, v4.own());
  EXPECT_EQ(port.arrived[0].path.own, (dtls::UdpEndpoint{dtls::Ipv4Address{127, 0, 0, 1}, number}));
  if (std::holds_alternative<dtls::Ipv4Address>(port.listener.own().address)) {
    GTEST_SKIP() << "this machine has no IPv6";
  }
  dtls::Ipv6Address loopback{};
  loopback.back() = 1;
  const Peer v6({loopback, number});
  v6.send({"v6"});
  port.until_arrived(2);
  EXPECT_EQ(port.arrived[1].path.peer, v6.own());
}

// More than one call gives out, in pieces that the kernel divides.
TEST(Listener, TakesManyDatagramsInOrder) {
  Port port;
  const Peer peer(port.listener.own());
  std::vector<std::string> sent;
  sent.reserve(1000);
  for (int i = 0; i < 1000; ++i) {
    sent.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i % 700), 'x'));
  }
  // Not larger than what fits the kernel's buffers: the test has one thread.
  for (std::size_t begin = 0; begin < sent.size(); begin += 100) {
    const auto first = sent.begin() + static_cast<std::ptrdiff_t>(begin);
    peer.send(std::vector<std::string>(first, first + 100));
    port.until_arrived(begin + 100);
  }
  EXPECT_EQ(texts_of(port), sent);
}

// What was read and not given out yet makes no descriptor readable.
TEST(Listener, TellsWhereMoreIsLeftThanOneCallGives) {
  Port port;
  const Peer peer(port.listener.own());
  peer.send(std::vector<std::string>(Listener::kBatch + 1, "x"));
  for (int i = 0; i < 100 && port.arrived.empty(); ++i) {
    ASSERT_TRUE(is_ready(port.listener.descriptor(), POLLIN, kLongest));
    for (const auto& each : port.listener.receive(port.now)) {
      port.arrived.push_back({text_of(each.bytes), each.path});
    }
  }
  EXPECT_EQ(port.arrived.size(), Listener::kBatch);
  EXPECT_FALSE(is_ready(port.listener.descriptor(), POLLIN, 0ms));
  EXPECT_EQ(port.listener.next_timeout(), port.now);
  EXPECT_EQ(port.listener.receive(port.now).size(), 1U);
  EXPECT_EQ(port.listener.next_timeout(), port.now + 10s);
}

TEST(Listener, ASlowSenderIsHeardWhenItsFrameIsWhole) {
  Port port;
  const Peer peer(port.listener.own());
  const auto stream = framed({"slow", "", "datagram"});
  port.until_open(1);
  for (std::size_t i = 0; i + 1 < stream.size(); ++i) {
    peer.send(dtls::Bytes(stream).subspan(i, 1));
    ASSERT_TRUE(is_ready(port.listener.descriptor(), POLLIN, kLongest));
    port.take();
  }
  EXPECT_THAT(texts_of(port), ElementsAre("slow"));
  peer.send(dtls::Bytes(stream).last(1));
  port.until_arrived(2);
  EXPECT_EQ(port.arrived[1].text, "datagram");
  EXPECT_EQ(port.listener.statistics().null_frames, 1U);
}

// The end of one frame and the beginning of the next come together: the first must stay whole while
// the second is kept.
TEST(Listener, AFrameInPiecesIsNotOverwrittenByTheNext) {
  Port port;
  const Peer peer(port.listener.own());
  const auto stream = framed({"first datagram", "second", "third datagram"});
  port.until_open(1);
  std::size_t begin = 0;
  for (const std::size_t end : {std::size_t{9}, std::size_t{28}, stream.size()}) {
    peer.send(dtls::Bytes(stream).subspan(begin, end - begin));
    begin = end;
    ASSERT_TRUE(is_ready(port.listener.descriptor(), POLLIN, kLongest));
    port.take();
  }
  EXPECT_THAT(texts_of(port), ElementsAre("first datagram", "second", "third datagram"));
}

TEST(Listener, ALengthThatLiesEndsTheConnection) {
  Port port({.max_frame = 100});
  const Peer peer(port.listener.own());
  peer.send({"good", std::string(101, 'x')});
  port.until_closed(1);
  EXPECT_THAT(texts_of(port), ElementsAre("good"));
  EXPECT_THAT(reasons_of(port), ElementsAre(CloseReason::frame_too_large));
  EXPECT_EQ(port.closed[0].path, port.arrived[0].path);
  EXPECT_TRUE(peer.has_ended());
  EXPECT_EQ(port.listener.statistics().count(CloseReason::frame_too_large), 1U);
}

TEST(Listener, WhatCameBeforeAHalfCloseIsTaken) {
  Port port;
  const Peer peer(port.listener.own());
  peer.send({"last"});
  peer.send(dtls::Bytes(framed({"cut off"})).first(4));
  peer.half_close();
  port.until_closed(1);
  EXPECT_THAT(texts_of(port), ElementsAre("last"));
  EXPECT_THAT(reasons_of(port), ElementsAre(CloseReason::by_peer));
  EXPECT_TRUE(peer.has_ended());
  EXPECT_EQ(port.listener.size(), 0U);
}

TEST(Listener, AResetEndsTheConnection) {
  Port port;
  auto known = port.connect();
  known.peer.reset();
  port.until_closed(1);
  EXPECT_THAT(reasons_of(port), ElementsAre(CloseReason::failed));
  port.send("too late", known.path);
  port.listener.flush();
  EXPECT_EQ(port.listener.statistics().count(SendDrop::no_connection), 1U);
}

// To send does not end a connection: what has come before its end is still to be read.
TEST(Listener, SendingToAConnectionThatWasResetIsNoError) {
  Port port;
  auto known = port.connect();
  known.peer.reset();
  for (int i = 0; i < 3; ++i) {
    port.send("lost", known.path);
    port.listener.flush();
  }
  port.until_closed(1);
  EXPECT_EQ(port.listener.queued(), 0U);
  const auto& statistics = port.listener.statistics();
  EXPECT_EQ(statistics.sent + statistics.count(SendDrop::cut_off), 3U);
}

// The place is used again, the path is not.
TEST(Listener, AClosedConnectionHasNoPathAnyMore) {
  Port port;
  auto first = port.connect();
  port.listener.close(first.path);
  EXPECT_TRUE(first.peer.has_ended());
  EXPECT_THAT(port.closed, IsEmpty());
  EXPECT_EQ(port.listener.size(), 0U);
  auto second = port.connect("127.0.0.1:0");
  EXPECT_NE(second.path.socket, first.path.socket);
  port.listener.close(first.path);
  port.listener.confirm(first.path, port.now);
  EXPECT_EQ(port.listener.size(), 1U);
  port.send("not for the second", first.path);
  port.send("for the second", second.path);
  port.listener.flush();
  EXPECT_EQ(text_of(second.peer.read()), text_of(framed({"for the second"})));
}

TEST(Listener, APathOfUdpIsNoConnection) {
  Port port;
  auto known = port.connect();
  auto path = known.path;
  path.socket = {};
  EXPECT_FALSE(is_connection(path));
  port.send("x", path);
  EXPECT_EQ(port.listener.statistics().count(SendDrop::no_connection), 1U);
}

TEST(Listener, RefusesOptionsThatAreOutOfRange) {
  auto environment = dtls::Environment::make().value();
  const auto refused = [&](const ListenerOptions& options) {
    return Listener::open(*udp::resolve("127.0.0.1:0"), environment, options).error();
  };
  EXPECT_EQ(refused({.max_connections = 0}), "max_connections: out of range");
  EXPECT_EQ(refused({.ipv6_host_prefix = 129}), "ipv6_host_prefix: out of range");
  EXPECT_EQ(refused({.confirm_within = 0s}), "confirm_within: out of range");
  EXPECT_EQ(refused({.idle_after = 0s}), "idle_after: out of range");
  EXPECT_EQ(refused({.max_frame = 65'536}), "max_frame: out of range");
  EXPECT_EQ(refused({.max_queued = 65'536}), "max_queued: out of range");
  EXPECT_EQ(refused({.backlog = 0}), "backlog: out of range");
}

TEST(Listener, NamesTheCallThatFailed) {
  const Port port;
  auto environment = dtls::Environment::make().value();
  const auto again = Listener::open(dtls::to_socket_address(port.listener.own()), environment);
  ASSERT_FALSE(again.has_value());
  EXPECT_THAT(again.error(), testing::StartsWith("bind: "));
}

}  // namespace
}  // namespace sluice::tcp
