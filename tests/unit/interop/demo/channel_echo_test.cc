// Two real SCTP associations connected in memory; one of them echoes.
#include "demo/channel_echo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

namespace sluice::interop::demo {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kDeadline{60};  // of virtual time

Buffer random_bytes(std::size_t size) {
  std::minstd_rand random{static_cast<unsigned>(size) + 1};
  Buffer bytes(size);
  for (auto& byte : bytes) byte = std::byte(random() & 0xff);
  return bytes;
}

class ChannelEchoTest : public testing::Test {
 protected:
  void SetUp() override { connect({}); }

  void connect(SctpOptions options, std::uint64_t max_message_size = 0) {
    echo_.reset();
    client_ = SctpAssociation::make(stack_, {}).value();
    server_ = SctpAssociation::make(stack_, options).value();
    echo_.emplace(*server_, max_message_size);
    ASSERT_TRUE(run_until([this] {
      return client_->state() == SctpState::established &&
             server_->state() == SctpState::established;
    }));
  }

  // Delivers the waiting packets. False: there were none.
  bool exchange() {
    bool any = false;
    while (const auto packet = client_->poll_packet()) {
      any = true;
      if (packet->size() > largest_packet_) largest_packet_ = packet->size();
      if (drop_ && drop_()) continue;
      server_->receive(*packet);
    }
    echo_->pump();
    while (const auto packet = server_->poll_packet()) {
      any = true;
      if (drop_ && drop_()) continue;
      client_->receive(*packet);
    }
    while (auto message = client_->poll_message()) received_.push_back(std::move(*message));
    while (const auto reset = client_->poll_stream_reset()) resets_.push_back(reset->stream);
    return any;
  }

  // Runs both sides on virtual time until `done` or the deadline.
  bool run_until(const std::function<bool()>& done) {
    for (milliseconds now{0}; now < kDeadline; now += SctpStack::kTick) {
      while (exchange()) {
      }
      if (done()) return true;
      stack_.advance(SctpStack::kTick);
    }
    return false;
  }

  void open(std::uint16_t stream, Reliability reliability = {}) {
    const ChannelOpen request{
        .reliability = reliability, .priority = 0, .label = "chat", .protocol = ""};
    const SctpMessage message{stream, PayloadProtocol::dcep, write_channel_open(request)};
    ASSERT_EQ(client_->send(message, {}), SendStatus::sent);
    ASSERT_TRUE(run_until([&] { return !received_.empty(); }));
    EXPECT_EQ(received_.front().stream, stream);
    EXPECT_EQ(received_.front().protocol, PayloadProtocol::dcep);
    EXPECT_TRUE(is_channel_ack(received_.front().data));
    received_.clear();
  }

  void expect_echo(std::uint16_t stream, PayloadProtocol protocol, const Buffer& data) {
    ASSERT_EQ(client_->send({stream, protocol, data}, {}), SendStatus::sent);
    ASSERT_TRUE(run_until([&] { return !received_.empty(); }));
    ASSERT_EQ(received_.size(), 1U);
    EXPECT_EQ(received_.front().stream, stream);
    EXPECT_EQ(received_.front().protocol, protocol);
    EXPECT_EQ(received_.front().data, data);
    received_.clear();
  }

  SctpStack stack_;
  std::unique_ptr<SctpAssociation> client_;
  std::unique_ptr<SctpAssociation> server_;
  std::optional<ChannelEcho> echo_;
  std::vector<SctpMessage> received_;  // by the client
  std::vector<std::uint16_t> resets_;
  std::function<bool()> drop_;
  std::size_t largest_packet_ = 0;
};

TEST_F(ChannelEchoTest, OpensAndEchoesEveryKindOfMessage) {
  open(0);
  expect_echo(0, PayloadProtocol::string, random_bytes(5));
  expect_echo(0, PayloadProtocol::binary, random_bytes(1));
  expect_echo(0, PayloadProtocol::string_empty, {std::byte{0}});
  expect_echo(0, PayloadProtocol::binary_empty, {std::byte{0}});
  EXPECT_EQ(echo_->statistics().messages_echoed, 4U);
  EXPECT_EQ(echo_->statistics().last_label, "chat");
}

TEST_F(ChannelEchoTest, LargeMessagesInSmallPackets) {
  open(2);
  for (const std::size_t size : {1200U, 65536U, 262144U}) {
    expect_echo(2, PayloadProtocol::binary, random_bytes(size));
  }
  EXPECT_LE(largest_packet_, SctpOptions{}.mtu);
}

TEST_F(ChannelEchoTest, ManyMessagesStayInOrder) {
  open(0);
  constexpr std::size_t kMessages = 300;
  std::size_t sent = 0;
  ASSERT_TRUE(run_until([&] {
    while (sent < kMessages && client_->send({0, PayloadProtocol::binary, random_bytes(sent + 1)},
                                             {}) == SendStatus::sent) {
      ++sent;
    }
    return received_.size() == kMessages;
  }));
  for (std::size_t i = 0; i < kMessages; ++i) EXPECT_EQ(received_[i].data, random_bytes(i + 1));
}

// SACKs that report the gap repair the loss. usrsctp's timeouts would also depend on the real
// clock.
TEST_F(ChannelEchoTest, LostPacketsAreSentAgain) {
  open(0);
  int packets = 0;
  drop_ = [&packets] {
    ++packets;
    return packets == 3 || packets == 70;
  };
  expect_echo(0, PayloadProtocol::binary, random_bytes(65536));
  EXPECT_GT(packets, 70);
}

TEST_F(ChannelEchoTest, ChannelsKeepApart) {
  open(0);
  open(4, {.ordered = false, .policy = Reliability::Policy::max_retransmits, .limit = 3});
  expect_echo(4, PayloadProtocol::string, random_bytes(9));
  expect_echo(0, PayloadProtocol::string, random_bytes(10));
  EXPECT_EQ(echo_->open_channels(), 2U);
}

TEST_F(ChannelEchoTest, ClosingResetsOurStreamToo) {
  open(0);
  open(2);
  client_->reset_stream(0);
  ASSERT_TRUE(run_until([&] { return !resets_.empty(); }));
  EXPECT_THAT(resets_, testing::ElementsAre(0));
  EXPECT_EQ(echo_->open_channels(), 1U);
  EXPECT_EQ(echo_->statistics().channels_closed, 1U);
  open(0);  // the stream can be used again
  expect_echo(0, PayloadProtocol::string, random_bytes(3));
}

TEST_F(ChannelEchoTest, DropsWhatIsOfNoChannel) {
  open(0);
  ASSERT_EQ(client_->send({8, PayloadProtocol::string, random_bytes(3)}, {}), SendStatus::sent);
  ASSERT_EQ(client_->send({0, PayloadProtocol{99}, random_bytes(3)}, {}), SendStatus::sent);
  ASSERT_EQ(client_->send({0, PayloadProtocol::dcep, random_bytes(3)}, {}), SendStatus::sent);
  expect_echo(0, PayloadProtocol::string, random_bytes(4));
  EXPECT_EQ(echo_->statistics().messages_dropped, 3U);
}

TEST_F(ChannelEchoTest, OversizedMessageIsSkippedWhole) {
  SctpOptions options;
  options.max_message_size = 20000;
  connect(options);
  open(0);
  ASSERT_EQ(client_->send({0, PayloadProtocol::binary, random_bytes(20001)}, {}), SendStatus::sent);
  expect_echo(0, PayloadProtocol::binary, random_bytes(20000));
  EXPECT_EQ(server_->oversized(), 1U);
}

// RFC 8841 section 6: no message to a peer is larger than the peer's limit.
TEST_F(ChannelEchoTest, PeersLimitHolds) {
  connect({}, 1000);
  open(0);
  ASSERT_EQ(client_->send({0, PayloadProtocol::binary, random_bytes(1001)}, {}), SendStatus::sent);
  expect_echo(0, PayloadProtocol::binary, random_bytes(1000));
  EXPECT_EQ(echo_->statistics().messages_dropped, 1U);
}

// A peer that sends and never reads: the receive window stops it, and the waiting data is bounded.
TEST_F(ChannelEchoTest, PeerThatDoesNotReadIsStopped) {
  open(0);
  const auto message = random_bytes(60000);
  std::size_t sent = 0;
  for (int round = 0; round < 2000; ++round) {
    while (sent < 1000 &&
           client_->send({0, PayloadProtocol::binary, message}, {}) == SendStatus::sent) {
      ++sent;
    }
    while (const auto packet = client_->poll_packet()) server_->receive(*packet);
    echo_->pump();
    while (const auto packet = server_->poll_packet()) client_->receive(*packet);
    stack_.advance(SctpStack::kTick);
  }
  // Both sides have two socket buffers of 512 kB, and the echo holds one message.
  EXPECT_LT(sent * message.size(), 4U * 600'000);
  EXPECT_GT(sent, 8U);
  // The echo continues once the peer reads.
  const auto before = sent;
  ASSERT_TRUE(run_until([&] { return received_.size() == before; }));
}

TEST_F(ChannelEchoTest, GarbageIsIgnored) {
  open(0);
  for (const std::size_t size : {0U, 1U, 12U, 100U, 1200U}) {
    server_->receive(random_bytes(size));
    client_->receive(random_bytes(size));
  }
  expect_echo(0, PayloadProtocol::string, random_bytes(3));
}

}  // namespace
}  // namespace sluice::interop::demo
