// What a peer sends on a data channel goes to the others of its room.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "scenario/sfu/data_world.h"
#include "sfu/operations/sessions_json.h"

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;
using data_channel::ChannelId;
using data_channel::MessageType;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Longer than SCTP delays an acknowledgement (RFC 9260 section 6.2), which a reset waits for.
constexpr auto kSoon = 500ms;

// ---- who gets what

TEST(SfuData, OfAPublisherGoesToItsViewers) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  DataPeer& first = world.data_viewer();
  DataPeer& second = world.data_viewer();
  for (DataPeer* each : {&publisher, &first, &second}) world.open(*each, "chat");
  world.say(publisher, ChannelId{0}, "hello");
  world.say(publisher, ChannelId{0}, std::string(20'000, 'x'), MessageType::binary);
  world.say(publisher, ChannelId{0}, "");
  world.run_for(kSoon);
  for (const DataPeer* viewer : {&first, &second}) {
    EXPECT_THAT(viewer->texts(), ElementsAre("hello", std::string(20'000, 'x'), ""));
    ASSERT_THAT(viewer->end.messages, SizeIs(3));
    EXPECT_EQ(viewer->end.messages[0].type, MessageType::text);
    EXPECT_EQ(viewer->end.messages[1].type, MessageType::binary);
    EXPECT_EQ(viewer->end.messages[2].type, MessageType::text);
    EXPECT_EQ(viewer->end.messages[0].id, ChannelId{0}) << "the channel that the viewer has opened";
    EXPECT_THAT(viewer->end.opened, IsEmpty());
  }
  EXPECT_THAT(publisher.texts(), IsEmpty());
  EXPECT_EQ(world.data().received, 3U);
  EXPECT_EQ(world.data().relayed, 3U);
  EXPECT_EQ(world.data().sent, 6U);
  EXPECT_EQ(world.dropped(), 0U);
}

TEST(SfuData, OfAViewerGoesToAllOthers) {
  DataWorld world;
  const DataPeer& publisher = world.data_publisher();
  const DataPeer& other = world.data_publisher();
  DataPeer& viewer = world.data_viewer();
  const DataPeer& second = world.data_viewer();
  const auto id = world.open(viewer, "chat");
  world.say(viewer, id, "good morning");
  for (const DataPeer* each : {&publisher, &other, &second}) {
    EXPECT_THAT(each->texts(), ElementsAre("good morning"));
  }
  EXPECT_THAT(viewer.texts(), IsEmpty());
}

TEST(SfuData, RoomsAreApart) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  DataPeer& other = world.data_publisher({}, "other");
  const DataPeer& viewer = world.data_viewer();
  world.say(publisher, world.open(publisher, "chat"), "for one room");
  world.say(other, world.open(other, "chat"), "for the other room");
  EXPECT_THAT(viewer.texts(), ElementsAre("for one room"));
}

TEST(SfuData, LabelsAreApart) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  DataPeer& viewer = world.data_viewer();
  const auto chat = world.open(viewer, "chat");
  const auto moves = world.open(viewer, "moves");
  world.say(publisher, world.open(publisher, "moves"), "e4");
  world.say(publisher, world.open(publisher, "chat"), "hello");
  ASSERT_THAT(viewer.texts(), ElementsAre("e4", "hello"));
  EXPECT_EQ(viewer.end.messages[0].id, moves);
  EXPECT_EQ(viewer.end.messages[1].id, chat);
}

TEST(SfuData, TheServerOpensAChannelLikeTheSenders) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  DataPeer& viewer = world.data_viewer();
  const auto id = world.open_like(publisher, {.label = "positions",
                                              .protocol = "json",
                                              .ordered = false,
                                              .max_retransmits = std::uint32_t{3}});
  EXPECT_THAT(viewer.end.opened, IsEmpty()) << "not before there is a message";
  world.say(publisher, id, "here");
  ASSERT_THAT(viewer.end.opened, SizeIs(1));
  const auto& options = viewer.end.opened[0].options;
  EXPECT_EQ(options.label, "positions");
  EXPECT_EQ(options.protocol, "json");
  EXPECT_FALSE(options.ordered);
  EXPECT_EQ(options.max_retransmits, 3U);
  EXPECT_THAT(viewer.texts(), ElementsAre("here"));
  // It goes the other way, too.
  world.say(viewer, viewer.end.opened[0].id, "there");
  EXPECT_THAT(publisher.texts(), ElementsAre("there"));
  EXPECT_EQ(publisher.end.messages[0].id, id);
}

TEST(SfuData, AChannelOfThePeerReplacesTheServers) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  DataPeer& viewer = world.data_viewer();
  const auto id = world.open(publisher, "chat");
  world.say(publisher, id, "one");
  const auto own = world.open(viewer, "chat");
  world.run_for(kSoon);
  ASSERT_THAT(viewer.end.opened, SizeIs(1));
  EXPECT_THAT(viewer.end.closed_channels, ElementsAre(viewer.end.opened[0].id));
  world.say(publisher, id, "two");
  ASSERT_THAT(viewer.texts(), ElementsAre("one", "two"));
  EXPECT_EQ(viewer.end.messages[1].id, own);
  EXPECT_EQ(world.dropped(), 0U);
}

TEST(SfuData, ALabelEndsWithItsLastOpener) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  DataPeer& first = world.data_viewer();
  const DataPeer& second = world.data_viewer();
  const auto of_publisher = world.open(publisher, "chat");
  const auto of_first = world.open(first, "chat");
  world.say(publisher, of_publisher, "hello");
  ASSERT_THAT(second.end.opened, SizeIs(1));
  world.close(publisher, of_publisher);
  world.run_for(kSoon);
  EXPECT_THAT(second.end.closed_channels, IsEmpty()) << "the first viewer has it still";
  world.close(first, of_first);
  world.run_for(kSoon);
  EXPECT_THAT(second.end.closed_channels, SizeIs(1));
  EXPECT_EQ(world.session(second)->channels(), 0U);
  EXPECT_THAT(world.sfu.rooms().at("room")->data().labels, IsEmpty());
}

TEST(SfuData, WhoComesLateGetsWhatIsSentFromThenOn) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  const auto id = world.open(publisher, "chat");
  world.say(publisher, id, "nobody is here");
  const DataPeer& late = world.data_viewer();
  world.say(publisher, id, "somebody is here");
  EXPECT_THAT(late.texts(), ElementsAre("somebody is here"));
}

TEST(SfuData, WhoHasNotOfferedItGetsNone) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  const Peer& without = world.viewer();
  const DataPeer& with = world.data_viewer();
  world.say(publisher, world.open(publisher, "chat"), "hello");
  EXPECT_THAT(without.client->data, IsEmpty());
  EXPECT_EQ(world.sfu.find(without.id)->data, nullptr);
  EXPECT_THAT(with.texts(), ElementsAre("hello"));
}

// ---- the association

// RFC 8841 section 9.3: SCTP may begin as soon as DTLS is connected, so that its first packet comes
// with the last flight of the handshake.
TEST(SfuData, TheFirstPacketMayComeWithTheHandshake) {
  for (const bool has_sctp_init : {false, true}) {
    DataWorld world;
    const DataPeer& publisher = world.data_publisher();
    world.data_viewer({.has_sctp_init = has_sctp_init, .first_message = "at once"});
    // A packet that is lost would be sent again after a second.
    EXPECT_THAT(publisher.texts(), ElementsAre("at once"));
    EXPECT_EQ(world.dropped(), 0U);
  }
}

TEST(SfuData, WhatIsLostIsSentAgain) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  DataPeer& viewer = world.data_viewer();
  world.open(viewer, "chat");
  const auto id = world.open(publisher, "chat");
  world.run_for(5s);
  world.peer(viewer).loses = 1;
  world.say(publisher, id, "once more");
  world.run_for(900ms);
  EXPECT_THAT(viewer.texts(), IsEmpty());
  world.run_for(1s);
  EXPECT_THAT(viewer.texts(), ElementsAre("once more"));
}

TEST(SfuData, AnAssociationThatEndsLeavesTheMedia) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  DataPeer& viewer = world.data_viewer();
  const DataPeer& other = world.data_viewer();
  world.say(viewer, world.open(viewer, "chat"), "goodbye");
  ASSERT_THAT(other.end.opened, SizeIs(1));
  viewer.association().close(world.now);
  world.run_for(kSoon);
  EXPECT_EQ(world.session(viewer)->state(), "ended");
  EXPECT_THAT(other.end.closed_channels, SizeIs(1)) << "its label had no other opener";
  world.say(publisher, world.open(publisher, "chat"), "hello");
  EXPECT_THAT(other.texts(), ElementsAre("goodbye", "hello"));
  world.send(world.peer(publisher), {.number = 1});
  EXPECT_THAT(SfuWorld::packets(world.peer(viewer), kVideo), SizeIs(1));
}

TEST(SfuData, APeerThatLeavesInTheMiddle) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  const DataPeer& viewer = world.data_viewer();
  const DataPeer& other = world.data_viewer();
  const auto id = world.open(publisher, "file");
  world.peer(viewer).loses = 5;  // so that something is under way
  world.say(publisher, id, std::string(60'000, 'x'));
  world.sfu.remove(world.peer(viewer).id, world.now);
  EXPECT_EQ(world.session(viewer), nullptr);
  world.run_for(5s);
  EXPECT_THAT(other.texts(), ElementsAre(std::string(60'000, 'x')));
  // The sender, too.
  world.say(publisher, id, std::string(60'000, 'y'));
  world.sfu.remove(world.peer(publisher).id, world.now);
  world.run_for(2s);
  EXPECT_THAT(other.texts(), SizeIs(2));
  EXPECT_THAT(other.end.closed_channels, SizeIs(1));
  EXPECT_THAT(world.sfu.rooms().at("room")->data().members, SizeIs(1));
}

// ---- limits

TEST(SfuDataLimits, ALabelThatIsTooLong) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  const DataPeer& viewer = world.data_viewer();
  const auto longest = world.open(publisher, std::string(kMaxDataLabel, 'l'));
  const auto longer = world.open(publisher, std::string(kMaxDataLabel + 1, 'l'));
  const auto protocol =
      world.open_like(publisher, {.label = "l", .protocol = std::string(kMaxDataLabel + 1, 'p')});
  world.run_for(kSoon);
  EXPECT_THAT(publisher.end.closed_channels, ElementsAre(longer, protocol));
  EXPECT_EQ(world.data()[DataDrop::long_label], 2U);
  world.say(publisher, longest, "hello");
  EXPECT_THAT(viewer.texts(), ElementsAre("hello"));
}

TEST(SfuDataLimits, ChannelsOfASession) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  const DataPeer& viewer = world.data_viewer();
  std::vector<ChannelId> channels;
  for (std::size_t i = 0; i < kMaxDataChannels; ++i) {
    channels.push_back(world.open(publisher, std::to_string(i)));
  }
  const auto ninth = world.open(publisher, "ninth");
  world.run_for(kSoon);
  EXPECT_THAT(publisher.end.closed_channels, ElementsAre(ninth));
  EXPECT_EQ(world.data()[DataDrop::too_many_channels], 1U);
  for (const auto id : channels) world.say(publisher, id, "hello");
  EXPECT_THAT(viewer.texts(), SizeIs(kMaxDataChannels));
  // One that is closed makes room.
  world.close(publisher, channels[0]);
  world.run_for(kSoon);
  world.say(publisher, world.open(publisher, "next"), "again");
  EXPECT_THAT(viewer.texts(), SizeIs(kMaxDataChannels + 1));
}

// The labels of two peers are more than the server opens to a third one.
TEST(SfuDataLimits, ChannelsThatTheServerOpens) {
  DataWorld world;
  DataPeer& first = world.data_publisher();
  DataPeer& second = world.data_publisher();
  DataPeer& viewer = world.data_viewer();
  for (std::size_t i = 0; i < kMaxDataChannels; ++i) {
    world.say(first, world.open(first, std::to_string(i)), "hello");
  }
  world.say(second, world.open(second, "one more"), "unheard");
  EXPECT_THAT(viewer.texts(), SizeIs(kMaxDataChannels));
  EXPECT_THAT(first.texts(), ElementsAre("unheard"));
  EXPECT_EQ(world.data()[DataDrop::no_channel], 1U);
  // Who wants it has to open it.
  world.open(viewer, "one more");
  world.say(second, ChannelId{0}, "heard");
  EXPECT_EQ(viewer.texts().back(), "heard");
}

TEST(SfuDataLimits, AFloodOfMessages) {
  DataWorld world({.data = {.messages_per_second = 20}});
  DataPeer& publisher = world.data_publisher();
  const DataPeer& viewer = world.data_viewer();
  DataPeer& other = world.data_viewer();
  const auto id = world.open(publisher, "chat");
  const auto of_other = world.open(other, "chat");
  for (int i = 0; i < 100; ++i) world.say(publisher, id, "flood");
  EXPECT_THAT(viewer.texts(), SizeIs(20));
  EXPECT_EQ(world.data().received, 100U);
  EXPECT_EQ(world.data()[DataDrop::session_rate], 80U);
  world.say(other, of_other, "others may go on");
  EXPECT_EQ(viewer.texts().back(), "others may go on");
  world.run_for(1s);
  world.say(publisher, id, "and so may it, later");
  EXPECT_EQ(viewer.texts().back(), "and so may it, later");
}

// A message of 4 kB takes five packets to each of two others, and two more for its channel.
TEST(SfuDataLimits, ThePacketsOfARoomAndOfTheServer) {
  for (const DataLimits& limits :
       {DataLimits{.room_packets_per_second = 24}, DataLimits{.server_packets_per_second = 24}}) {
    DataWorld world({.data = limits});
    DataPeer& publisher = world.data_publisher();
    const DataPeer& viewer = world.data_viewer();
    DataPeer& other = world.data_viewer();
    const auto id = world.open(publisher, "chat");
    const std::string message(4096, 'x');
    world.say(publisher, id, message);  // 14
    world.say(publisher, id, message);  // 10
    world.say(publisher, id, message);
    world.say(other, world.open(other, "chat"), message);
    world.run_for(kSoon);
    EXPECT_THAT(viewer.texts(), SizeIs(2));
    EXPECT_EQ(world.data()[DataDrop::room_rate] + world.data()[DataDrop::server_rate], 2U);
    world.run_for(1s);
    world.say(publisher, id, message);
    EXPECT_THAT(viewer.texts(), SizeIs(3));
    world.run_for(1s);
    world.say(publisher, id, std::string(20'000, 'x'));
    EXPECT_THAT(viewer.texts(), SizeIs(3)) << "more than a second has";
  }
}

// Three packets to each of nine others are more than the room's budget.
TEST(SfuDataLimits, AMessageASecondPassesHoweverManyAreThere) {
  DataWorld world({.data = {.room_packets_per_second = 10, .server_packets_per_second = 20}});
  DataPeer& publisher = world.data_publisher();
  std::vector<const DataPeer*> viewers;
  for (int i = 0; i < 9; ++i) viewers.push_back(&world.data_viewer());
  const auto id = world.open(publisher, "chat");
  for (int i = 0; i < 3; ++i) {
    world.say(publisher, id, "message");
    world.say(publisher, id, std::string(4000, 'x'));
    world.run_for(1s);
  }
  for (const DataPeer* viewer : viewers) {
    EXPECT_THAT(viewer->texts(), testing::Each("message"));
    EXPECT_THAT(viewer->texts(), SizeIs(3));
  }
  EXPECT_EQ(world.data()[DataDrop::room_rate] + world.data()[DataDrop::server_rate], 3U);
}

TEST(SfuDataLimits, ASlowReceiverLosesMessages) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  DataPeer& slow = world.data_viewer();
  const DataPeer& viewer = world.data_viewer();
  world.open(slow, "chat");
  const auto id = world.open(publisher, "chat");
  slow.end.reads = false;
  constexpr std::size_t kMessages = 10;
  for (std::size_t i = 0; i < kMessages; ++i) {
    world.say(publisher, id, std::string(60'000, 'x'));
    world.run_for(kSoon);
  }
  EXPECT_THAT(viewer.texts(), SizeIs(kMessages));
  // One is in its window, one in SCTP's buffer, and one waits.
  EXPECT_GE(world.data()[DataDrop::slow_receiver], kMessages - 4);
  slow.end.reads = true;
  world.run_for(5s);
  const std::size_t got = slow.texts().size();
  EXPECT_EQ(got + world.data()[DataDrop::slow_receiver], kMessages);
  world.say(publisher, id, "it reads again");
  EXPECT_EQ(slow.texts().back(), "it reads again");
}

TEST(SfuDataLimits, TheSizeOfMessages) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  const DataPeer& small = world.data_viewer({.max_message_size = 1000});
  const DataPeer& viewer = world.data_viewer();
  publisher.association().set_peer_max_message_size(2 * kMaxDataMessage);
  const auto id = world.open(publisher, "chat");
  world.say(publisher, id, std::string(kMaxDataMessage + 1, 'x'));
  world.run_for(1s);
  EXPECT_THAT(viewer.texts(), IsEmpty());
  EXPECT_EQ(world.session(publisher)->statistics().count(data_channel::Drop::message_too_large),
            1U);
  world.say(publisher, id, std::string(kMaxDataMessage, 'x'));
  world.run_for(1s);
  EXPECT_THAT(viewer.texts(), SizeIs(1));
  EXPECT_THAT(small.texts(), IsEmpty());
  EXPECT_EQ(world.data()[DataDrop::too_large_for_receiver], 1U);
  world.sfu.remove(world.peer(publisher).id, world.now);
  constexpr auto kTooLarge = static_cast<std::size_t>(data_channel::Drop::message_too_large);
  EXPECT_EQ(world.data().dropped_by_associations.at(kTooLarge), 1U);
}

TEST(SfuDataLimits, PacketsThatNobodyNeeds) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  Peer& without = world.viewer();
  DataPeer& viewer = world.data_viewer();
  dtls::Buffer packet(100, std::byte{0x55});
  world.send_packet(without, packet);
  EXPECT_EQ(world.data()[DataDrop::not_offered], 1U);
  world.send_packet(world.peer(viewer), packet);
  world.send_packet(world.peer(viewer), dtls::Buffer(3));
  EXPECT_EQ(world.data()[DataDrop::malformed], 2U);
  // Of the right ports, 5000, but with a wrong tag and checksum: SCTP drops it.
  for (const std::size_t port : {0U, 2U}) {
    packet[port] = std::byte{0x13};
    packet[port + 1] = std::byte{0x88};
  }
  world.send_packet(world.peer(viewer), packet);
  world.say(publisher, world.open(publisher, "chat"), "hello");
  EXPECT_THAT(viewer.texts(), ElementsAre("hello"));
  viewer.association().close(world.now);
  world.run_for(kSoon);
  world.send_packet(world.peer(viewer), packet);
  EXPECT_EQ(world.data()[DataDrop::ended], 1U);
}

TEST(SfuDataLimits, WhatTheServerReports) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  world.data_viewer();
  world.viewer();
  world.say(publisher, world.open(publisher, "chat"), "hello");
  const std::string json = sessions_json(take_snapshot(world.sfu, world.now));
  EXPECT_THAT(json, HasSubstr("\"state\": \"established\""));
  EXPECT_THAT(json, HasSubstr("\"data\": null"));
  EXPECT_THAT(json, HasSubstr("\"relayed\": 1"));
  EXPECT_THAT(json, HasSubstr("\"slow_receiver\": 0"));
  EXPECT_THAT(json, HasSubstr("\"sctp_message_too_large\": 0"));
}

}  // namespace
}  // namespace sluice::interop::sfu
