// A peer that breaks the rules of DCEP: it speaks SCTP without an Association.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sluice/data_channel/association.h>

#include <optional>
#include <utility>

#include "sctp_socket.h"
#include "support/bytes.h"
#include "support/usrsctp_clock.h"

namespace sluice::data_channel {
namespace {

using namespace std::chrono_literals;
using test::from_hex;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kOpen = "03 00 01 00 00 00 00 00 00 00 00 00";

class HostilePeerTest : public testing::Test {
 protected:
  HostilePeerTest() {
    test::set_usrsctp_time(now_);
    EXPECT_TRUE(peer_->connect());
    run([this] { return association_.established() && peer_up_; });
    EXPECT_TRUE(association_.established());
  }

  void say(std::uint16_t stream, PayloadProtocol protocol, const dtls::Buffer& data) {
    EXPECT_EQ(peer_->send(stream, protocol, data, {}), SctpSend::sent);
  }
  // In steps of 10 ms, up to 10 s.
  template <class Done>
  void run(const Done& done) {
    for (int tick = 0; tick < 1000 && !done(); ++tick) {
      while (const auto packet = peer_->packets().pop()) association_.handle_packet(*packet, now_);
      while (const auto event = association_.poll_event()) {
        if (const auto* opened = std::get_if<ChannelOpened>(&*event)) opened_.push_back(opened->id);
        if (const auto* closed = std::get_if<ChannelClosed>(&*event)) closed_.push_back(closed->id);
        if (const auto* message = std::get_if<MessageReceived>(&*event)) {
          messages_.push_back(message->id);
        }
      }
      while (const auto packet = association_.poll_transmit()) peer_->receive(*packet);
      while (const auto input = peer_->read()) on_input(*input);
      now_ += 10ms;
      test::set_usrsctp_time(now_);
      association_.handle_timeout(now_);
    }
  }
  void run_for_a_second() {
    int ticks = 0;
    run([&ticks] { return ++ticks > 100; });
  }

  void on_input(const SctpInput& input) {
    if (std::holds_alternative<SctpUp>(input)) peer_up_ = true;
    if (const auto* message = std::get_if<SctpMessage>(&input)) {
      answers_.emplace_back(message->stream, test::to_hex(message->data));
    }
    if (const auto* reset = std::get_if<SctpReset>(&input)) {
      if (reset->incoming)
        resets_.insert(resets_.end(), reset->streams.begin(), reset->streams.end());
    }
  }

  dtls::Instant now_{};
  Association association_ = Association::make({.role = dtls::Role::server}, now_).value();
  std::optional<SctpSocket> peer_{std::in_place, Options{}, now_};
  bool peer_up_ = false;
  std::vector<ChannelId> opened_, closed_, messages_;
  std::vector<std::pair<std::uint16_t, std::string>> answers_;
  std::vector<std::uint16_t> resets_;  // by the association
};

TEST_F(HostilePeerTest, OpenIsAnsweredOnItsStream) {
  say(4, PayloadProtocol::dcep, from_hex(kOpen));
  run_for_a_second();
  EXPECT_THAT(opened_, ElementsAre(ChannelId{4}));
  EXPECT_THAT(answers_, ElementsAre(std::pair<std::uint16_t, std::string>(4, "02")));
  EXPECT_THAT(resets_, IsEmpty());
}

// RFC 8832 section 6: each of these closes the channel, and no DATA_CHANNEL_ACK is sent.
TEST_F(HostilePeerTest, OpenOfTheWrongKindIsReset) {
  say(6, PayloadProtocol::dcep, from_hex("03 07 01 00 00 00 00 00 00 00 00 00"));  // unknown type
  say(8, PayloadProtocol::dcep, from_hex("03 00"));
  run_for_a_second();
  EXPECT_THAT(opened_, IsEmpty());
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_THAT(resets_, testing::UnorderedElementsAre(6, 8));
  EXPECT_EQ(association_.statistics().count(Drop::refused_open), 2U);
}

// aiortc chooses even and odd IDs by its role in ICE.
TEST_F(HostilePeerTest, OpenOfEitherParityIsAccepted) {
  say(3, PayloadProtocol::dcep, from_hex(kOpen));
  run_for_a_second();
  EXPECT_THAT(opened_, ElementsAre(ChannelId{3}));
  EXPECT_THAT(resets_, IsEmpty());
  EXPECT_EQ(association_.open({}, now_).value(), ChannelId{1});
  EXPECT_EQ(association_.open({}, now_).value(), ChannelId{5});
}

TEST_F(HostilePeerTest, SameIdFromBothSidesIsClosed) {
  EXPECT_EQ(association_.open({}, now_).value(), ChannelId{1});
  say(1, PayloadProtocol::dcep, from_hex(kOpen));
  run_for_a_second();
  EXPECT_THAT(resets_, ElementsAre(1));
}

TEST_F(HostilePeerTest, SecondOpenClosesTheChannel) {
  say(4, PayloadProtocol::dcep, from_hex(kOpen));
  say(4, PayloadProtocol::dcep, from_hex(kOpen));
  run_for_a_second();
  EXPECT_EQ(answers_.size(), 1U);
  EXPECT_THAT(resets_, ElementsAre(4));
  const std::uint16_t stream = 4;
  EXPECT_EQ(peer_->reset(std::span(&stream, 1)), SctpResetRequest::made);
  run_for_a_second();
  EXPECT_THAT(closed_, ElementsAre(ChannelId{4}));
}

TEST_F(HostilePeerTest, MessageOnAnUnusedStreamIsReset) {
  say(10, PayloadProtocol::string, from_hex("61"));
  run_for_a_second();
  EXPECT_THAT(messages_, IsEmpty());
  EXPECT_THAT(resets_, ElementsAre(10));
  EXPECT_EQ(association_.statistics().count(Drop::unknown_channel), 1U);
}

TEST_F(HostilePeerTest, UnknownProtocolsAreDropped) {
  say(4, PayloadProtocol::dcep, from_hex(kOpen));
  say(4, PayloadProtocol{99}, from_hex("61"));
  say(4, PayloadProtocol::string, from_hex("61"));
  run_for_a_second();
  EXPECT_EQ(messages_.size(), 1U);
  EXPECT_EQ(association_.statistics().count(Drop::unknown_protocol), 1U);
}

TEST_F(HostilePeerTest, ManyFaultsLeaveNothingBehind) {
  for (int round = 0; round < 20; ++round) {
    for (std::uint16_t stream = 0; stream < 256; stream += 2) {
      say(stream, PayloadProtocol::dcep, from_hex("03 00"));
    }
    run_for_a_second();
  }
  EXPECT_EQ(association_.statistics().count(Drop::refused_open), 20U * 128);
  say(4, PayloadProtocol::dcep, from_hex(kOpen));
  run_for_a_second();
  EXPECT_THAT(opened_, ElementsAre(ChannelId{4}));
}

// RFC 9260 section 5.2.2. The answer to a reset that was under way never comes.
TEST_F(HostilePeerTest, APeerThatRestartsLeavesNoChannelHalfClosed) {
  const auto kept = association_.open({}, now_).value();
  const auto closing = association_.open({}, now_).value();
  run_for_a_second();
  ASSERT_TRUE(association_.close_channel(closing, now_));
  while (association_.poll_transmit()) continue;  // lost
  peer_.emplace(Options{}, now_);
  peer_up_ = false;
  ASSERT_TRUE(peer_->connect());
  run([this] { return peer_up_; });
  ASSERT_TRUE(peer_up_);
  run_for_a_second();
  EXPECT_THAT(closed_, ElementsAre(closing));
  // Whichever stream the next channel has, messages of all leave.
  answers_.clear();
  const auto next = association_.open({}, now_).value();
  for (const auto id : {kept, next}) {
    ASSERT_TRUE(association_.send(id, MessageType::text, from_hex("61"), now_));
  }
  run_for_a_second();
  run_for_a_second();
  EXPECT_EQ(answers_.size(), 3U) << "a DATA_CHANNEL_OPEN and two messages";
  EXPECT_FALSE(association_.next_timeout()) << "it waits for nothing";
}

// usrsctp waits for the rest of a message whose beginning was read, and delivers nothing more.
TEST_F(HostilePeerTest, ARestartInTheMiddleOfAMessageEndsTheAssociation) {
  say(4, PayloadProtocol::dcep, from_hex(kOpen));
  run_for_a_second();
  say(4, PayloadProtocol::binary, test::counted(200'000));
  // Half of it comes.
  for (int packets = 0; packets < 90;) {
    while (const auto packet = packets < 90 ? peer_->packets().pop() : std::nullopt) {
      association_.handle_packet(*packet, now_);
      ++packets;
    }
    EXPECT_FALSE(association_.poll_event());
    while (const auto packet = association_.poll_transmit()) peer_->receive(*packet);
  }
  peer_.emplace(Options{}, now_);
  peer_up_ = false;
  ASSERT_TRUE(peer_->connect());
  run([this] { return association_.closed(); });
  EXPECT_TRUE(association_.closed());
  EXPECT_TRUE(messages_.empty());
}

TEST_F(HostilePeerTest, ARestartBetweenMessagesEndsNothing) {
  say(4, PayloadProtocol::dcep, from_hex(kOpen));
  say(4, PayloadProtocol::binary, test::counted(200'000));
  run([this] { return !messages_.empty(); });
  for (std::size_t restarts = 1; restarts <= 3; ++restarts) {
    peer_.emplace(Options{}, now_);
    peer_up_ = false;
    ASSERT_TRUE(peer_->connect());
    run([this] { return peer_up_; });
    say(4, PayloadProtocol::binary, test::counted(200'000));
    run([&] { return messages_.size() > restarts; });
    EXPECT_EQ(messages_.size(), 1 + restarts);
  }
  EXPECT_FALSE(association_.closed());
}

TEST_F(HostilePeerTest, GarbageIsIgnored) {
  for (const std::size_t size : {0U, 1U, 12U, 100U, 1200U}) {
    association_.handle_packet(test::counted(size), now_);
  }
  say(4, PayloadProtocol::dcep, from_hex(kOpen));
  run_for_a_second();
  EXPECT_THAT(opened_, ElementsAre(ChannelId{4}));
}

TEST_F(HostilePeerTest, AbandonedMessageLeavesNoRest) {
  say(4, PayloadProtocol::dcep, from_hex(kOpen));
  run_for_a_second();
  // Half of a message that will never be complete.
  EXPECT_EQ(peer_->send(4, PayloadProtocol::binary, test::counted(5000),
                        {.max_retransmits = std::uint32_t{0}}),
            SctpSend::sent);
  std::size_t packets = 0;
  while (const auto packet = peer_->packets().pop()) {
    if (++packets % 2 == 1) association_.handle_packet(*packet, now_);
  }
  run_for_a_second();
  run_for_a_second();
  run_for_a_second();
  say(4, PayloadProtocol::binary, test::counted(10));
  run_for_a_second();
  EXPECT_EQ(messages_.size(), 1U);
  EXPECT_EQ(association_.statistics().message_bytes_received, 10U);
}

}  // namespace
}  // namespace sluice::data_channel
