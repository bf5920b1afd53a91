// Peers that do not read: whole datagrams are dropped, never parts of one.
#include <gmock/gmock.h>

#include <array>

#include "loopback.h"

namespace sluice::tcp {
namespace {

constexpr int kSmallBuffer = 4096;

// Datagrams of different sizes, each of which tells its number.
std::string numbered(int number) {
  return std::to_string(number) + " " +
         std::string(static_cast<std::size_t>(number * 37 % 1200), 'x');
}

// The numbers of the datagrams in this stream, which must be whole.
class Reader {
 public:
  void take(dtls::Buffer bytes) {
    for (dtls::MutableBytes rest = bytes;;) {
      const auto datagram = deframer_.next(rest);
      ASSERT_TRUE(datagram.has_value());
      if (!*datagram) return;
      const auto text = text_of(**datagram);
      const int number = std::stoi(text);
      EXPECT_EQ(text, numbered(number));
      EXPECT_GT(number, last_);
      last_ = number;
      ++count;
    }
  }
  std::uint64_t count = 0;

 private:
  Deframer deframer_ = Deframer(kMaxFrame);
  int last_ = -1;
};

class Sending : public testing::Test {
 protected:
  // Until `reason` has dropped some.
  int fill(Port& port, const dtls::UdpPath& path, SendDrop reason) {
    int number = 0;
    for (; number < 100'000 && port.listener.statistics().count(reason) < 5; ++number) {
      port.send(numbered(number), path);
      if (number % 7 == 0) port.listener.flush();
    }
    port.listener.flush();
    return number;
  }
  // The peer reads, and the Listener sends what waits.
  void empty_queue(Port& port, const Peer& peer, Reader& reader) {
    for (int i = 0; i < 100'000 && port.listener.queued() > 0; ++i) {
      std::array<pollfd, 2> polled{
          pollfd{.fd = peer.number(), .events = POLLIN, .revents = 0},
          pollfd{.fd = port.listener.descriptor(), .events = POLLIN, .revents = 0}};
      ASSERT_GT(poll(polled.data(), polled.size(), static_cast<int>(kLongest.count())), 0);
      if (polled[0].revents != 0) reader.take(peer.read());
      if (polled[1].revents != 0) port.take();
    }
    ASSERT_EQ(port.listener.queued(), 0U);
  }
};

TEST_F(Sending, WhatHasNoRoomIsDroppedAsWholeDatagrams) {
  Port port({.max_queued = kMaxQueuedAtLeast, .send_buffer = kSmallBuffer});
  auto known = port.connect("", kSmallBuffer);
  int number = fill(port, known.path, SendDrop::queue_full);
  const auto& statistics = port.listener.statistics();
  EXPECT_GE(statistics.count(SendDrop::queue_full), 5U);
  EXPECT_GT(port.listener.queued(), 60'000U);
  EXPECT_LE(port.listener.queued(), kMaxQueuedAtLeast);
  EXPECT_FALSE(is_ready(port.listener.descriptor(), POLLIN, 0ms)) << "the peer reads nothing";

  // Now it reads, and the rest follows, before what is sent when the kernel has room again.
  Reader reader;
  for (int i = 0; i < 1000 && !is_ready(port.listener.descriptor(), POLLIN, 0ms); ++i) {
    if (is_ready(known.peer.number(), POLLIN, 10ms)) reader.take(known.peer.read());
  }
  const auto waiting = statistics.sent;
  port.send(numbered(number++), known.path);
  port.listener.flush();
  EXPECT_EQ(statistics.sent, waiting);
  empty_queue(port, known.peer, reader);
  port.send(numbered(number), known.path);
  port.listener.flush();
  // The kernel may have no room yet.
  empty_queue(port, known.peer, reader);
  while (reader.count < statistics.sent) reader.take(known.peer.read());
  EXPECT_EQ(statistics.sent + statistics.count(SendDrop::queue_full),
            static_cast<std::uint64_t>(number) + 1);
  EXPECT_EQ(statistics.count(SendDrop::cut_off), 0U);
  EXPECT_FALSE(is_ready(port.listener.descriptor(), POLLIN, 0ms)) << "nothing waits for room";
}

TEST_F(Sending, AllConnectionsTogetherHaveALimit) {
  Port port({.max_queued_in_all = 150'000, .send_buffer = kSmallBuffer});
  auto first = port.connect("", kSmallBuffer);
  auto second = port.connect("", kSmallBuffer);
  fill(port, first.path, SendDrop::queue_full);
  fill(port, second.path, SendDrop::queue_full_in_all);
  // The rest of a frame that has begun to leave may be above it.
  EXPECT_LE(port.listener.queued(), 150'000U + 2 * 1300);
  EXPECT_GT(port.listener.queued(), 148'000U);
  port.listener.close(first.path);
  port.listener.close(second.path);
  EXPECT_EQ(port.listener.queued(), 0U);
  EXPECT_GT(port.listener.statistics().count(SendDrop::cut_off), 0U);
}

// Even where there is no room at all, what the peer gets are whole datagrams.
TEST_F(Sending, AFrameThatHasBegunIsFinishedAboveTheLimit) {
  Port port({.max_queued_in_all = 1, .send_buffer = kSmallBuffer});
  auto known = port.connect("", kSmallBuffer);
  const int number = fill(port, known.path, SendDrop::queue_full_in_all);
  EXPECT_GT(port.listener.queued(), 0U);
  Reader reader;
  empty_queue(port, known.peer, reader);
  port.send(numbered(number), known.path);
  port.listener.flush();
  const auto& statistics = port.listener.statistics();
  while (reader.count < statistics.sent) {
    const auto bytes = known.peer.read();
    ASSERT_FALSE(bytes.empty());
    reader.take(bytes);
  }
}

// A peer that does not read is no reason to keep its connection.
TEST_F(Sending, TheQueueGoesWithItsConnection) {
  Port port({.send_buffer = kSmallBuffer});
  auto known = port.connect("", kSmallBuffer);
  fill(port, known.path, SendDrop::queue_full);
  port.pass(10s);
  EXPECT_EQ(port.closed.size(), 1U);
  EXPECT_EQ(port.listener.queued(), 0U);
}

TEST_F(Sending, TheLargestDatagramLeavesAndALargerOneDoesNot) {
  Port port;
  auto known = port.connect();
  const std::string largest(kMaxFrame, 'x');
  port.send(largest, known.path);
  port.send(largest + "x", known.path);
  port.send("", known.path);
  port.listener.flush();
  EXPECT_EQ(port.listener.statistics().count(SendDrop::too_large), 1U);
  std::string stream;
  const auto expected = text_of(framed({largest, ""}));
  while (stream.size() < expected.size()) {
    const auto piece = known.peer.read();
    ASSERT_FALSE(piece.empty());
    stream += text_of(piece);
    port.take();
  }
  EXPECT_EQ(stream, expected);
}

// More than the batch holds leaves meanwhile.
TEST_F(Sending, ManyDatagramsLeaveBeforeFlush) {
  Port port;
  auto known = port.connect();
  Reader reader;
  for (int i = 0; i < 700; ++i) port.send(numbered(i), known.path);
  EXPECT_GT(port.listener.statistics().sent, 0U);
  port.listener.flush();
  const auto& statistics = port.listener.statistics();
  for (int i = 0; i < 10'000 && reader.count < 700 - statistics.count(SendDrop::queue_full); ++i) {
    reader.take(known.peer.read());
    port.take();
  }
  EXPECT_EQ(reader.count + statistics.count(SendDrop::queue_full), 700U);
}

}  // namespace
}  // namespace sluice::tcp
