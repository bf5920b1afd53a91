// The server's process ends, and the next one goes on with its sessions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/sdp/sdp_fragment.h"
#include "scenario/sfu/published_room.h"

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SfuHotRestart : public PublishedRoom {
 protected:
  // How far each packet is ahead of the first one.
  static std::vector<int> numbers(const std::vector<rtp::Packet>& packets) {
    std::vector<int> found;
    for (const auto& packet : packets) {
      found.push_back(rtp::distance(packets.front().sequence_number, packet.sequence_number));
    }
    return found;
  }
};

TEST_F(SfuHotRestart, MediaGoesOnWithoutAGap) {
  Peer& viewer = world_.viewer();
  send_video(1, 3);
  const auto connected_at = viewer.client->connected_at;
  const std::size_t asked = key_frames_asked();
  for (std::uint16_t i = 0; i < 3; ++i) {
    EXPECT_EQ(world_.replace(), 2U);
    send_video(static_cast<std::uint16_t>(4 + 3 * i), 3);
  }
  const auto packets = SfuWorld::packets(viewer, kVideo);
  EXPECT_THAT(numbers(packets), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
  for (const auto& packet : packets) {
    EXPECT_EQ(packet.ssrc, viewer.ssrc(kVideo));
    EXPECT_EQ(rtp::number(packet.timestamp) - rtp::number(packets[0].timestamp),
              3000U * static_cast<unsigned>(&packet - packets.data()));
  }
  EXPECT_EQ(viewer.client->connected_at, connected_at) << "no new handshake";
  EXPECT_EQ(key_frames_asked(), asked) << "the picture goes on";
  EXPECT_FALSE(viewer.client->closed || publisher_.client->closed);
}

// Both sides prove that they are there, so that consent goes on.
TEST_F(SfuHotRestart, SessionsLast) {
  const Peer& viewer = world_.viewer();
  world_.replace(2s);
  for (std::uint16_t i = 0; i < 6; ++i) {
    world_.run_for(10s);
    send_video(i, 1);
  }
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(6));
  EXPECT_THAT(world_.sfu.sessions(), SizeIs(2));
}

TEST_F(SfuHotRestart, APacketThatComesLateKeepsItsPlace) {
  const Peer& viewer = world_.viewer();
  send_video(1, 2);
  send_video(4, 1);
  world_.replace();
  send_video(3, 1);
  send_video(5, 1);
  EXPECT_THAT(numbers(SfuWorld::packets(viewer, kVideo)), ElementsAre(0, 1, 3, 2, 4));
  EXPECT_EQ(world_.counters().forwarded.count(srtp::PacketError::replayed), 0U);
}

TEST_F(SfuHotRestart, APacketOfBeforeIsNotTakenTwice) {
  Peer& viewer = world_.viewer();
  send_video(1, 3);
  world_.replace();
  viewer.client->rtp.clear();
  send_video(3, 1);
  EXPECT_THAT(viewer.client->rtp, IsEmpty());
}

// Other bytes under one number would reveal both, whatever a state says.
TEST_F(SfuHotRestart, ANumberIsNotUsedAgain) {
  Peer& viewer = world_.viewer();
  send_video(1, 3);
  const auto left = world_.leave();
  auto moved = decode_moved_sfu(left.bytes());
  ASSERT_TRUE(moved) << moved.error();
  for (MovedSession& session : moved->sessions) {
    if (session.viewer) --session.viewer->streams.at(kVideo).stream.timeline.segments.at(0).offset;
  }
  world_.go_on(encode(*moved).bytes());
  viewer.client->rtp.clear();
  send_video(4, 1);
  EXPECT_THAT(viewer.client->rtp, IsEmpty());
  EXPECT_EQ(world_.counters().forwarded.count(srtp::PacketError::replayed), 1U);
  send_video(5, 1);
  EXPECT_THAT(viewer.client->rtp, SizeIs(1));
}

TEST_F(SfuHotRestart, WhatIsSentAfterwardsCanBeSentAgain) {
  for (const bool has_rtx : {false, true}) {
    Peer& viewer = world_.viewer(SfuWorld::viewer_offer(1, has_rtx));
    const std::uint16_t first = has_rtx ? 100 : 1;
    send_video(first, 2);
    const auto before = SfuWorld::packets(viewer, kVideo).back().sequence_number;
    nack(viewer, before);  // the first number of RTX
    world_.replace();
    viewer.client->rtp.clear();
    nack(viewer, before);
    EXPECT_THAT(viewer.client->rtp, IsEmpty());
    EXPECT_EQ(world_.counters().not_cached, 1U);
    viewer.loses = 1;
    send_video(first + 2, 1);
    ASSERT_THAT(viewer.client->rtp, IsEmpty());
    nack(viewer, before + 1);
    EXPECT_EQ(world_.counters().repeated, 1U);
    EXPECT_THAT(viewer.client->rtp, SizeIs(1));
  }
}

TEST_F(SfuHotRestart, ReportsGoOn) {
  Peer& viewer = world_.viewer();
  send_video(1, 1);
  world_.send_rtcp(publisher_, [&](rtp::CompoundWriter& writer) {
    ASSERT_TRUE(writer.add(rtp::SenderReport{.sender = rtp::Ssrc{kSources[kVideo]},
                                             .ntp_time = rtp::NtpTime{1ULL << 40},
                                             .rtp_timestamp = rtp::Timestamp{3000}}));
  });
  send_video(2, 4);
  send_video(7, 1);
  world_.replace(3s);
  publisher_.client->rtcp.clear();
  viewer.client->rtcp.clear();
  world_.run_for(3s);
  const auto reports = SfuWorld::received<rtp::ReceiverReport>(publisher_);
  ASSERT_FALSE(reports.empty());
  bool is_seen = false;
  for (const auto& report : reports) {
    for (const auto& block : report.blocks) {
      is_seen = true;
      EXPECT_EQ(block.highest_sequence_number, 7U);
      EXPECT_EQ(block.packets_lost, 1);
      EXPECT_NE(block.last_sender_report, rtp::CompactNtp{});
      EXPECT_GE(block.delay_since_last, rtp::to_compact(3s));
    }
  }
  EXPECT_TRUE(is_seen);
  const auto sent = SfuWorld::received<rtp::SenderReport>(viewer);
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent[0].packets, 6U);
  // The time of the publisher's clock and that of the stream have passed alike.
  const auto seconds =
      static_cast<double>(static_cast<std::uint64_t>(sent[0].ntp_time) - (1ULL << 40)) /
      4294967296.0;
  const auto packets = SfuWorld::packets(viewer, kVideo);
  const auto ticks = rtp::number(sent[0].rtp_timestamp) - rtp::number(packets[0].timestamp);
  EXPECT_NEAR(seconds, ticks / 90'000.0, 0.001);
  EXPECT_GE(seconds, 3.0);
}

// ---- signalling

TEST_F(SfuHotRestart, ASessionIsChangedAndEndedAsBefore) {
  Peer& viewer = world_.viewer();
  world_.replace();
  const std::string tag{viewer.answer.media.front().attributes.find("ice-ufrag").value_or("")};
  // Candidates for the same ICE session, and then another one.
  const ice_lite::Credentials offered{.ufrag = "client", .pwd = "the-password-of-the-client"};
  const auto same =
      world_.sfu.update_ice(viewer.id, {.ice = offered, .only = std::vector{tag}}, world_.now);
  ASSERT_TRUE(same) << same.error().sentence;
  EXPECT_FALSE(*same);
  const ice_lite::Credentials fresh{.ufrag = "moved", .pwd = "another-password-of-the-client"};
  const auto restarted = world_.sfu.update_ice(viewer.id, {.ice = fresh}, world_.now);
  ASSERT_TRUE(restarted && *restarted);
  // A restart that is under way moves, too.
  world_.replace();
  viewer.client->restart(fresh, read_fragment((*restarted)->fragment).value().ice, world_.now);
  world_.run_for(500ms);
  send_video(1, 1);
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(1));
  EXPECT_TRUE(world_.sfu.remove(viewer.id, world_.now));
  world_.run_for(100ms);
  EXPECT_TRUE(viewer.client->closed);
}

TEST_F(SfuHotRestart, LimitsCountWhatWasThereBefore) {
  SfuWorld world({.max_viewers = 1, .max_sessions_per_address = 2});
  world.publisher();
  world.viewer();
  world.replace();
  const auto refused = world.watch(SfuWorld::viewer_offer());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, Refusal::too_many_of_address);
  const auto full = world.watch(SfuWorld::viewer_offer(), "room", "192.0.2.9");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().why, Refusal::too_many_viewers);
}

// Who comes later is admitted as always.
TEST_F(SfuHotRestart, OthersJoinAfterwards) {
  world_.replace();
  const Peer& viewer = world_.viewer();
  send_video(1, 2);
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(2));
}

TEST_F(SfuHotRestart, WhoIsNotConnectedIsEnded) {
  ASSERT_TRUE(world_.watch(SfuWorld::viewer_offer()));
  EXPECT_THAT(world_.sfu.sessions(), SizeIs(2));
  EXPECT_EQ(world_.replace(), 1U);
  EXPECT_THAT(world_.sfu.sessions(), SizeIs(1));
}

// ---- rooms

TEST_F(SfuHotRestart, SeatsStayAsTheyWere) {
  Peer& second = world_.publisher();
  Peer& viewer = world_.viewer(SfuWorld::viewer_offer(2));
  world_.sfu.remove(publisher_.id, world_.now);
  // The third one has the first seat.
  Peer& third = world_.publisher();
  constexpr std::size_t kSecondVideo = 3;
  const auto seen = [&] {
    viewer.client->rtp.clear();
    static std::uint16_t number = 0;
    world_.send(third, {.number = ++number, .payload = "third"});
    const std::size_t first_seat = SfuWorld::packets(viewer, kVideo).size();
    world_.send(second, {.number = number, .payload = "second"});
    return std::pair(first_seat, SfuWorld::packets(viewer, kSecondVideo).size());
  };
  EXPECT_EQ(seen(), std::pair(std::size_t{1}, std::size_t{1}));
  EXPECT_EQ(world_.replace(), 3U);
  EXPECT_EQ(seen(), std::pair(std::size_t{1}, std::size_t{1}));
  // And who leaves makes room for others.
  world_.sfu.remove(third.id, world_.now);
  Peer& fourth = world_.publisher();
  viewer.client->rtp.clear();
  world_.send(fourth, {.number = 1, .ssrc = 0x44});
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(1));
}

TEST_F(SfuHotRestart, ARoomWaitsForItsPublisherNoLongerThanBefore) {
  Peer& viewer = world_.viewer();
  world_.sfu.remove(publisher_.id, world_.now);
  world_.run_for(2s);
  EXPECT_EQ(world_.replace(1s), 1U);
  world_.run_for(1s);
  EXPECT_THAT(world_.sfu.sessions(), SizeIs(1));
  world_.run_for(2s);
  EXPECT_THAT(world_.sfu.sessions(), IsEmpty());
  EXPECT_TRUE(viewer.client->closed);
}

TEST_F(SfuHotRestart, APublisherThatComesBackIsSeenOnTheSameStream) {
  const Peer& viewer = world_.viewer();
  send_video(1, 2);
  world_.sfu.remove(publisher_.id, world_.now);
  world_.replace();
  Peer& other = world_.publisher();
  world_.send(other, {.number = 500, .ssrc = 0x77});
  EXPECT_THAT(numbers(SfuWorld::packets(viewer, kVideo)), ElementsAre(0, 1, 2));
}

TEST_F(SfuHotRestart, AViewerKeepsItsLayer) {
  SfuWorld world;
  Peer& publisher = world.publisher(SfuWorld::simulcast_offer());
  Peer& viewer = world.viewer();
  constexpr std::string_view kKey{"\x10\x50"};
  std::uint16_t number = 0;
  const auto send_all = [&](int times) {
    for (int i = 0; i < times; ++i, world.run_for(50ms)) {
      ++number;
      std::uint32_t ssrc = 0x100;
      for (const std::string_view rid : {"h", "m", "l"}) {
        const std::size_t size = rid == "h" ? 900 : rid == "m" ? 400 : 100;
        world.send(publisher, {.number = number,
                               .timestamp = number * 4500U,
                               .ssrc = ssrc += 0x100,
                               .payload = std::string(kKey) + std::string(size, rid[0]),
                               .rid = rid});
      }
    }
  };
  send_all(60);
  ASSERT_TRUE(world.sfu.ask_for_layer(viewer.id, "", "m"));
  send_all(10);
  const auto letters = [&] { return SfuWorld::letters(viewer); };
  letters();
  send_all(10);
  ASSERT_THAT(letters(), ElementsAre('m'));
  EXPECT_EQ(world.replace(), 2U);
  send_all(60);
  EXPECT_THAT(letters(), ElementsAre('m'));
  ASSERT_TRUE(world.sfu.ask_for_layer(viewer.id, "", "l"));
  send_all(10);
  letters();
  send_all(10);
  EXPECT_THAT(letters(), ElementsAre('l'));
}

// ---- states that are damaged

TEST_F(SfuHotRestart, ADamagedStateIsRefused) {
  world_.viewer();
  const auto left = world_.leave();
  const dtls::Bytes bytes = left.bytes();
  for (std::size_t size = 0; size < bytes.size(); size += 7) {
    EXPECT_FALSE(decode_moved_sfu(bytes.first(size))) << size;
  }
  dtls::Buffer longer(bytes.begin(), bytes.end());
  longer.push_back({});
  EXPECT_FALSE(decode_moved_sfu(longer));
}

TEST_F(SfuHotRestart, AStateHasOnlyWhatASessionCanHave) {
  world_.viewer();
  const auto left = world_.leave();
  const auto refused = [&](const auto& change) {
    auto moved = decode_moved_sfu(left.bytes());
    EXPECT_TRUE(moved);
    change(*moved, moved->sessions.at(0), moved->sessions.at(1));
    return !decode_moved_sfu(encode(*moved).bytes());
  };
  EXPECT_FALSE(refused([](auto&, auto&, auto&) {}));
  EXPECT_TRUE(refused([](auto&, auto& publisher, auto&) { publisher.id = "../etc"; }));
  EXPECT_TRUE(refused([](auto&, auto& publisher, auto&) { publisher.id.back() = 'x'; }));
  EXPECT_TRUE(refused([](auto&, auto& publisher, auto&) { publisher.room.assign(2000, 'r'); }));
  EXPECT_TRUE(refused([](auto&, auto& publisher, auto&) { publisher.age = -1s; }));
  EXPECT_TRUE(
      refused([](auto&, auto& publisher, auto&) { publisher.age = dtls::Duration::max(); }));
  EXPECT_TRUE(refused(
      [](auto&, auto& publisher, auto& viewer) { publisher.viewer = std::move(viewer.viewer); }));
  EXPECT_TRUE(refused([](auto&, auto& publisher, auto&) { publisher.publisher.reset(); }));
  EXPECT_TRUE(refused([](auto&, auto& publisher, auto&) { publisher.publisher->tracks.clear(); }));
  EXPECT_TRUE(refused(
      [](auto&, auto& publisher, auto&) { publisher.publisher->tracks.at(0).layers.clear(); }));
  EXPECT_TRUE(refused([](auto&, auto& publisher, auto&) {
    // Nothing says how the layers are told apart.
    auto& track = publisher.publisher->tracks.at(1);
    track.agreed.rids = {"h", "l"};
    track.agreed.rid_extension.reset();
    track.layers.resize(2);
  }));
  EXPECT_TRUE(refused([](auto&, auto&, auto& viewer) {
    viewer.viewer->streams.at(0).agreed.seat = kMaxViewedStreams;
  }));
  EXPECT_TRUE(refused([](auto&, auto&, auto& viewer) { viewer.viewer->streams.clear(); }));
  EXPECT_TRUE(refused([](auto&, auto&, auto& viewer) {
    viewer.viewer->streams.at(0).stream.timeline.segments.resize(100);
  }));
  EXPECT_TRUE(refused([](auto&, auto&, auto& viewer) {
    viewer.viewer->streams.at(0).stream.timeline.since_newest = -1s;
  }));
  EXPECT_TRUE(refused([](auto&, auto&, auto& viewer) {
    viewer.data = MovedData{.port = 5000, .channels = {}};
    viewer.data->channels.resize(kMaxDataChannels + 1);
  }));
  EXPECT_TRUE(refused([](auto& all, auto&, auto&) { all.idle_rooms.emplace("room", -1s); }));
}

// Whatever it is read as: the server goes on, and takes others.
TEST_F(SfuHotRestart, AnAlteredStateHarmsNobody) {
  world_.viewer(SfuWorld::viewer_offer(2));
  send_video(1, 3);
  const auto left = world_.leave();
  dtls::Buffer altered(left.bytes().begin(), left.bytes().end());
  std::size_t taken = 0;
  for (std::size_t i = 0; i < altered.size(); i += 5) {
    altered[i] ^= std::byte{0x11};
    if (decode_moved_sfu(altered)) {
      ++taken;
      world_.go_on(altered);
      world_.run_for(100ms);
      world_.sfu.end_all(world_.now);
    }
    altered[i] ^= std::byte{0x11};
  }
  EXPECT_GT(taken, 0U) << "some alterations look like numbers";
  ASSERT_TRUE(world_.publish(SfuWorld::publisher_offer(), "other"));
}

TEST_F(SfuHotRestart, OneSessionThatIsLostLeavesTheOthers) {
  const Peer& viewer = world_.viewer();
  const Peer& lost = world_.viewer();
  const auto left = world_.leave();
  auto moved = decode_moved_sfu(left.bytes());
  ASSERT_TRUE(moved) << moved.error();
  for (MovedSession& session : moved->sessions) {
    if (session.id == lost.id) session.transport = {};
  }
  EXPECT_EQ(world_.go_on(encode(*moved).bytes()), 2U);
  send_video(1, 2);
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(2));
  EXPECT_EQ(world_.sfu.find(lost.id), nullptr);
}

// Its viewers are in the room, and see the next one.
TEST_F(SfuHotRestart, APublisherThatIsLostLeavesItsSeat) {
  const Peer& viewer = world_.viewer();
  send_video(1, 1);
  const auto left = world_.leave();
  auto moved = decode_moved_sfu(left.bytes());
  ASSERT_TRUE(moved) << moved.error();
  for (MovedSession& session : moved->sessions) {
    if (session.publisher) session.transport = {};
  }
  EXPECT_EQ(world_.go_on(encode(*moved).bytes()), 1U);
  Peer& other = world_.publisher();
  world_.send(other, {.number = 900, .ssrc = 0x99});
  EXPECT_THAT(numbers(SfuWorld::packets(viewer, kVideo)), ElementsAre(0, 1));
}

TEST_F(SfuHotRestart, ASeatOfAnotherRoomIsNotTaken) {
  Peer& viewer = world_.viewer();
  const auto left = world_.leave();
  auto moved = decode_moved_sfu(left.bytes());
  ASSERT_TRUE(moved) << moved.error();
  for (MovedSession& session : moved->sessions) {
    if (session.viewer) session.room = "other";
  }
  EXPECT_EQ(world_.go_on(encode(*moved).bytes()), 2U);
  send_video(1, 1);
  EXPECT_THAT(viewer.client->rtp, IsEmpty());
  world_.sfu.remove(publisher_.id, world_.now);
  world_.run_for(1s);
}

}  // namespace
}  // namespace sluice::interop::sfu
