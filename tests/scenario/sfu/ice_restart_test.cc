// ICE restarts (RFC 9725 section 4.3.3): DTLS and SRTP go on over another path.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "common/sdp/sdp_fragment.h"
#include "scenario/sfu/sfu_world.h"

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::SizeIs;

const ice_lite::Credentials kOffered = {.ufrag = "client", .pwd = "the-password-of-the-client"};
const ice_lite::Credentials kFresh = {.ufrag = "moved", .pwd = "another-password-of-the-client"};

class SfuIceRestart : public testing::Test {
 public:
  // If-Match: *.
  IceResult patch(const Peer& peer, const ice_lite::Credentials& ice = kFresh) {
    return world.sfu.update_ice(peer.id, {.ice = ice}, world.now);
  }
  IceResult patch(const Peer& peer, const ice_lite::Credentials& ice, const std::string& session) {
    return world.sfu.update_ice(peer.id, {.ice = ice, .only = std::vector{session}}, world.now);
  }
  static IceRefusal why(const IceResult& result) { return result.error().why; }
  // The name of its ICE session at first.
  static std::string first_session(const Peer& peer) {
    return std::string{peer.answer.media.front().attributes.find("ice-ufrag").value_or("")};
  }
  static ice_lite::Credentials credentials(const IceResult& result) {
    return read_fragment(result.value().value().fragment).value().ice;
  }
  // A network that its old address is not in.
  static void move(Peer& peer) {
    peer.address = {dtls::Ipv4Address{203, 0, 113, 9}, peer.address.port};
  }
  // The peer does what the answer to its PATCH allows.
  void restart(Peer& peer, const IceResult& result, const ice_lite::Credentials& ice = kFresh) {
    peer.client->restart(ice, credentials(result), world.now);
    world.run_for(500ms);
  }

  SfuWorld world;
  Peer& publisher = world.publisher();
  Peer& viewer = world.viewer();
};

TEST_F(SfuIceRestart, APublisherThatHasMovedIsSeenAgain) {
  const auto connected_at = publisher.client->connected_at;
  world.send(publisher, {.number = 1});
  move(publisher);
  world.send(publisher, {.number = 2});
  ASSERT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(1)) << "an address that proves nothing";
  const auto result = patch(publisher);
  ASSERT_TRUE(result) << result.error().sentence;
  restart(publisher, result);
  world.send(publisher, {.number = 3});
  ASSERT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(2));
  EXPECT_EQ(publisher.client->connected_at, connected_at) << "no new handshake";
  EXPECT_FALSE(publisher.client->closed);
  // RTCP finds the way back, too.
  publisher.client->rtcp.clear();
  world.run_for(2s);
  EXPECT_FALSE(SfuWorld::received<rtp::ReceiverReport>(publisher).empty());
  EXPECT_EQ(world.counters().ice_restarts, 1U);
  // Its consent goes on there.
  for (int i = 0; i < 4; ++i) {
    world.run_for(10s);
    world.send(publisher, {.number = static_cast<std::uint16_t>(4 + i)});
  }
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(6));
}

TEST_F(SfuIceRestart, AViewerThatHasMovedIsServedThere) {
  world.send(publisher, {.number = 1});
  move(viewer);
  world.send(publisher, {.number = 2});
  ASSERT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(1));
  const auto result = patch(viewer);
  ASSERT_TRUE(result) << result.error().sentence;
  restart(viewer, result);
  world.send(publisher, {.number = 3});
  const auto packets = SfuWorld::packets(viewer, kVideo);
  ASSERT_THAT(packets, SizeIs(2));
  EXPECT_EQ(packets[1].sequence_number, packets[0].sequence_number + 2);
}

// RFC 8445 section 9: until the new ICE session has a pair, the old one carries the media.
TEST_F(SfuIceRestart, MediaGoesOnDuringIt) {
  const auto result = patch(publisher);
  ASSERT_TRUE(result);
  std::uint16_t number = 0;
  for (; number < 8; ++number) {
    world.run_for(5s);
    world.send(publisher, {.number = number});
  }
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(number)) << "longer than consent lasts";
  restart(publisher, result);
  world.send(publisher, {.number = number});
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(number + 1));
  EXPECT_EQ(world.counters().rtp_dropped, 0U);
}

TEST_F(SfuIceRestart, TheAnswerIsAFragmentOfTheSameForm) {
  const auto result = patch(publisher);
  ASSERT_TRUE(result);
  const auto fragment = parse_fragment((*result)->fragment);
  ASSERT_TRUE(fragment) << fragment.error().sentence;
  for (const auto* name : {"group", "ice-lite", "ice-options"}) {
    EXPECT_EQ(fragment->attributes.find(name), publisher.answer.attributes.find(name)) << name;
  }
  ASSERT_THAT(fragment->media, SizeIs(1));
  EXPECT_EQ(fragment->media[0].attributes.find("mid"), "0");
  EXPECT_TRUE(fragment->media[0].attributes.has("end-of-candidates"));
  EXPECT_EQ((*result)->ice_session, credentials(result).ufrag);
  EXPECT_NE((*result)->ice_session, first_session(publisher));
}

// ---- which ICE session a PATCH is for

TEST_F(SfuIceRestart, TheNameOfTheIceSessionFollows) {
  const std::string first = first_session(publisher);
  ASSERT_TRUE(patch(publisher, kOffered, first)) << "Trickle ICE";
  const auto result = patch(publisher);
  ASSERT_TRUE(result);
  EXPECT_EQ(why(patch(publisher, kOffered, first)), IceRefusal::other_ice_session);
  EXPECT_EQ(why(patch(publisher, kFresh, first)), IceRefusal::other_ice_session);
  const auto trickle = patch(publisher, kFresh, (*result)->ice_session);
  ASSERT_TRUE(trickle);
  EXPECT_FALSE(*trickle);
  EXPECT_EQ(world.counters().ice_refused, 2U);
}

TEST_F(SfuIceRestart, CandidatesChangeNothing) {
  for (int i = 0; i < 3; ++i) {
    const auto result = patch(publisher, kOffered, first_session(publisher));
    ASSERT_TRUE(result);
    EXPECT_FALSE(*result) << "no restart";
  }
  EXPECT_FALSE(*patch(publisher, kOffered));
  EXPECT_EQ(world.counters().ice_restarts, 0U);
}

TEST_F(SfuIceRestart, WhatIsAskedAgainIsAnsweredAgain) {
  const auto first = patch(publisher);
  const auto again = patch(publisher);
  ASSERT_TRUE(first);
  ASSERT_TRUE(again);
  ASSERT_TRUE(*again);
  EXPECT_EQ((*again)->fragment, (*first)->fragment);
  restart(publisher, again);
  world.send(publisher, {.number = 1});
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(1));
}

// RFC 9725 section 4.3.3: the last one counts.
TEST_F(SfuIceRestart, ALaterRestartReplacesAnEarlierOne) {
  const auto earlier = patch(publisher);
  world.run_for(600ms);
  const ice_lite::Credentials later{.ufrag = "later", .pwd = "the-last-password-of-the-client"};
  const auto result = patch(publisher, later);
  ASSERT_TRUE(result);
  move(publisher);
  restart(publisher, earlier);
  EXPECT_FALSE(publisher.client->selected()) << "those credentials are gone";
  restart(publisher, result, later);
  EXPECT_TRUE(publisher.client->selected());
  world.send(publisher, {.number = 1});
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(1));
}

TEST_F(SfuIceRestart, ChecksHaveTheUfragOfTheFragment) {
  const auto result = patch(publisher);
  ASSERT_TRUE(result);
  move(publisher);
  restart(publisher, result, {.ufrag = "other", .pwd = kFresh.pwd});
  EXPECT_FALSE(publisher.client->selected());
  restart(publisher, result);
  EXPECT_TRUE(publisher.client->selected());
}

// ---- what is refused changes nothing

TEST_F(SfuIceRestart, BothCredentialsChange) {
  EXPECT_EQ(why(patch(publisher, {.ufrag = kFresh.ufrag, .pwd = kOffered.pwd})),
            IceRefusal::credentials);
  EXPECT_EQ(why(patch(publisher, {.ufrag = kOffered.ufrag, .pwd = kFresh.pwd})),
            IceRefusal::credentials);
  const auto odd = patch(publisher, {.ufrag = "no-ice", .pwd = kFresh.pwd});
  EXPECT_EQ(why(odd), IceRefusal::credentials);
  EXPECT_THAT(odd.error().sentence, HasSubstr("a=ice-ufrag"));
  EXPECT_TRUE(patch(publisher, kOffered, first_session(publisher)));
  world.send(publisher, {.number = 1});
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(1));
}

TEST_F(SfuIceRestart, AFloodIsBounded) {
  const auto of = [](int number) {
    const auto text = std::to_string(1000 + number);
    return ice_lite::Credentials{.ufrag = "flood" + text, .pwd = kFresh.pwd + text};
  };
  const auto first = patch(publisher, of(0));
  ASSERT_TRUE(first);
  for (int i = 1; i < 100; ++i) EXPECT_EQ(why(patch(publisher, of(i))), IceRefusal::too_soon);
  EXPECT_EQ(world.counters().ice_restarts, 1U);
  EXPECT_EQ(world.counters().ice_refused, 99U);
  restart(publisher, first, of(0));
  EXPECT_TRUE(publisher.client->selected()) << "the restart that was answered holds";
  EXPECT_TRUE(patch(publisher, of(100))) << "after kIceRestartInterval";
}

TEST_F(SfuIceRestart, AnotherSessionHasAnIntervalOfItsOwn) {
  EXPECT_TRUE(patch(publisher));
  EXPECT_TRUE(patch(viewer));
}

TEST_F(SfuIceRestart, OnlyOfASessionThatIsThere) {
  EXPECT_EQ(why(world.sfu.update_ice("0123", {.ice = kFresh}, world.now)), IceRefusal::no_session);
  world.sfu.remove(publisher.id, world.now);
  EXPECT_EQ(why(patch(publisher)), IceRefusal::no_session);
}

TEST(SfuLog, EventsHaveNames) {
  std::vector<std::string> events;
  SfuWorld world({.log = [&](const LogEntry& entry) { events.emplace_back(entry.event); }});
  const Peer& publisher = world.publisher();
  ASSERT_TRUE(world.sfu.update_ice(publisher.id, {.ice = kFresh}, world.now));
  world.sfu.remove(publisher.id, world.now);
  EXPECT_THAT(events, testing::ElementsAre("session_started", "session_connected", "ice_restarted",
                                           "session_ended"));
}

// RFC 9725 section 4.3.3, RFC 7675 section 5.1.
TEST_F(SfuIceRestart, ASessionWhoseRestartFailsEndsWithItsConsent) {
  ASSERT_TRUE(patch(viewer));
  viewer.client->stops_consent = true;
  for (int i = 0; i < 4; ++i) {
    world.run_for(10s);
    world.send(publisher, {.number = static_cast<std::uint16_t>(i)});
  }
  EXPECT_EQ(world.count(End::expired), 1U);
  EXPECT_EQ(why(patch(viewer)), IceRefusal::no_session);
}

}  // namespace
}  // namespace sluice::interop::sfu
