// A real association connected in memory with one that echoes.
#include "demo/channel_echo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "support/bytes.h"
#include "support/usrsctp_clock.h"

namespace sluice::interop::demo {
namespace {

using namespace std::chrono_literals;
using namespace data_channel;

constexpr dtls::Duration kDeadline = 20s;  // of virtual time
constexpr dtls::Duration kTick = 10ms;

class ChannelEchoTest : public testing::Test {
 protected:
  void SetUp() override { connect({.peer_max_message_size = 262144}); }

  void connect(Options options) {
    test::set_usrsctp_time(now_);
    echo_.reset();
    client_.reset();
    client_ = Association::make({.role = dtls::Role::client, .peer_max_message_size = 262144}, now_)
                  .value();
    options.role = dtls::Role::server;
    echo_.emplace(Association::make(options, now_).value());
    ASSERT_TRUE(run_until([this] { return client_->established() && echo_->established(); }));
  }

  // Delivers the waiting packets. False: there were none.
  bool exchange() {
    bool any = false;
    while (const auto packet = client_->poll_transmit()) {
      any = true;
      echo_->handle_packet(*packet, now_);
    }
    while (const auto packet = echo_->poll_transmit()) {
      any = true;
      client_->handle_packet(*packet, now_);
    }
    if (reads_) take_events();
    return any;
  }
  void take_events() {
    while (const auto event = client_->poll_event()) {
      if (const auto* message = std::get_if<MessageReceived>(&*event)) {
        received_.push_back(test::copy_of(message->data));
      } else if (const auto* closed = std::get_if<ChannelClosed>(&*event)) {
        closed_.push_back(closed->id);
      }
    }
  }

  // Runs both sides on virtual time until `done` or the deadline.
  bool run_until(const std::function<bool()>& done) {
    for (const auto end = now_ + kDeadline; now_ < end; now_ += kTick) {
      test::set_usrsctp_time(now_);
      client_->handle_timeout(now_);
      echo_->handle_timeout(now_);
      while (exchange()) continue;
      if (done()) return true;
    }
    return false;
  }

  ChannelId open(const ChannelOptions& options = {.label = "chat"}) {
    return client_->open(options, now_).value();
  }
  void expect_echo(ChannelId id, MessageType type, const dtls::Buffer& data) {
    received_.clear();
    ASSERT_TRUE(client_->send(id, type, data, now_));
    ASSERT_TRUE(run_until([&] { return !received_.empty(); }));
    EXPECT_THAT(received_, testing::ElementsAre(data));
  }

  dtls::Instant now_{};
  std::optional<Association> client_;
  std::optional<ChannelEcho> echo_;
  bool reads_ = true;
  std::vector<dtls::Buffer> received_;  // by the client
  std::vector<ChannelId> closed_;
};

TEST_F(ChannelEchoTest, EchoesEveryKindOfMessage) {
  const auto id = open();
  expect_echo(id, MessageType::text, test::counted(5));
  expect_echo(id, MessageType::binary, test::counted(262144));
  expect_echo(id, MessageType::text, {});
  expect_echo(id, MessageType::binary, {});
  EXPECT_EQ(echo_->statistics().messages_echoed, 4U);
  EXPECT_EQ(echo_->statistics().bytes_echoed, 262149U);
  EXPECT_EQ(echo_->statistics().last_label, "chat");
  EXPECT_GE(echo_->statistics().handshake_packets, 4U);
}

class SctpInitTest : public ChannelEchoTest {
 protected:
  void SetUp() override {
    test::set_usrsctp_time(now_);
    client_ = Association::make({.role = dtls::Role::client, .wait_for_start = true}, now_).value();
    echo_.emplace(Association::make({.wait_for_start = true}, now_).value());
  }
};

TEST_F(SctpInitTest, ReplacesTheHandshake) {
  const auto client_init = test::copy_of(client_->local_init());
  const auto echo_init = test::copy_of(echo_->local_init());
  echo_->start(client_init, now_);
  ASSERT_TRUE(client_->start(echo_init, now_));
  EXPECT_TRUE(echo_->established());
  expect_echo(open(), MessageType::binary, test::counted(5000));
  EXPECT_EQ(echo_->statistics().handshake_packets, 0U);
}

TEST_F(SctpInitTest, WithoutThePeersThereIsAHandshake) {
  echo_->start({}, now_);
  ASSERT_TRUE(client_->start(std::nullopt, now_));
  ASSERT_TRUE(run_until([this] { return client_->established() && echo_->established(); }));
  expect_echo(open(), MessageType::text, test::counted(5));
  EXPECT_GE(echo_->statistics().handshake_packets, 4U);
}

TEST_F(ChannelEchoTest, ChannelsKeepApart) {
  const auto first = open();
  const auto second = open({.ordered = false, .max_retransmits = 3});
  expect_echo(second, MessageType::text, test::counted(9));
  expect_echo(first, MessageType::text, test::counted(10));
  EXPECT_EQ(echo_->open_channels(), 2U);
}

TEST_F(ChannelEchoTest, ClosingIsCounted) {
  const auto first = open();
  expect_echo(open(), MessageType::text, test::counted(3));
  ASSERT_TRUE(client_->close_channel(first, now_));
  ASSERT_TRUE(run_until([&] { return !closed_.empty(); }));
  EXPECT_EQ(echo_->open_channels(), 1U);
  EXPECT_EQ(echo_->statistics().channels_closed, 1U);
}

// RFC 8841 section 6: no message to a peer is larger than the peer's limit.
TEST_F(ChannelEchoTest, WhatThePeerCantTakeIsDropped) {
  connect({.max_message_size = 20'000, .peer_max_message_size = 1000});
  const auto id = open();
  ASSERT_TRUE(client_->send(id, MessageType::binary, test::counted(20'001), now_));
  ASSERT_TRUE(client_->send(id, MessageType::binary, test::counted(1001), now_));
  expect_echo(id, MessageType::binary, test::counted(1000));
  EXPECT_EQ(echo_->statistics().messages_dropped, 2U);
}

// A peer that sends and never reads: the receive window stops it, and the waiting data is bounded.
TEST_F(ChannelEchoTest, PeerThatDoesNotReadIsStopped) {
  const auto id = open();
  expect_echo(id, MessageType::text, {});
  received_.clear();
  reads_ = false;
  std::size_t sent = 0;
  const dtls::Buffer message(60'000);
  run_until([&] {
    while (client_->send(id, MessageType::binary, message, now_)) ++sent;
    return false;
  });
  // Both sides have two socket buffers of 256 kB and a queue of 1 MB, and the echo holds one
  // message.
  EXPECT_LT(sent * 60'000, 4U * 262'144 + 2U * 1'048'576 + 120'000);
  EXPECT_GT(sent, 8U);
  // The echo continues once the peer reads.
  reads_ = true;
  EXPECT_TRUE(run_until([&] { return received_.size() == sent; }));
}

}  // namespace
}  // namespace sluice::interop::demo
