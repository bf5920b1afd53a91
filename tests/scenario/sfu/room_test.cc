// Who comes to a room and who leaves it, and the limits of both.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "common/process_usage.h"
#include "common/sdp/answer_reader.h"
#include "scenario/sfu/sfu_world.h"

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::SizeIs;

Refusal why(const CreateResult& result) { return result.error().why; }

// ---- coming and leaving

TEST(SfuRoom, NobodyWatchesWhatNobodyPublishes) {
  SfuWorld world;
  EXPECT_EQ(why(world.watch(SfuWorld::viewer_offer())), Refusal::no_publisher);
  EXPECT_TRUE(world.sfu.rooms().empty());
  EXPECT_EQ(world.count(Refusal::no_publisher), 1U);
}

TEST(SfuRoom, RoomsAreApart) {
  SfuWorld world;
  Peer& publisher = world.publisher();
  ASSERT_TRUE(world.publish(SfuWorld::publisher_offer(), "other"));
  const Peer& viewer = world.viewer();
  ASSERT_TRUE(world.watch(SfuWorld::viewer_offer(), "other"));
  world.send(publisher, {.number = 1});
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(1));
  EXPECT_EQ(world.counters().forwarded.packets, 1U);
  EXPECT_EQ(world.counters().rooms, 2U);
}

TEST(SfuRoom, ViewersOfAnEmptyRoomAreTold) {
  SfuWorld world;
  Peer& publisher = world.publisher();
  Peer& viewer = world.viewer();
  EXPECT_TRUE(world.sfu.remove(publisher.id, world.now));
  world.run_for(4s);
  EXPECT_TRUE(publisher.client->closed);
  EXPECT_FALSE(viewer.client->closed) << "the publisher may come back";
  world.run_for(2s);
  EXPECT_TRUE(viewer.client->closed);
  EXPECT_TRUE(world.sfu.rooms().empty());
  EXPECT_TRUE(world.sfu.sessions().empty());
  EXPECT_FALSE(world.sfu.next_timeout()) << "nothing is left to do";
  EXPECT_EQ(world.count(End::deleted), 1U);
  EXPECT_EQ(world.count(End::room_ended), 1U);
}

TEST(SfuRoom, APublisherThatComesBackIsSeenAgain) {
  SfuWorld world;
  Peer& publisher = world.publisher();
  Peer& viewer = world.viewer();
  world.send(publisher, {.number = 100, .timestamp = 1000});
  world.sfu.remove(publisher.id, world.now);
  world.run_for(2s);
  Peer& again = world.publisher();
  world.send(again, {.number = 7, .timestamp = 77, .ssrc = 0x0c0c0c0c});
  world.run_for(10s);
  const auto packets = SfuWorld::packets(viewer, kVideo);
  ASSERT_THAT(packets, SizeIs(2));
  EXPECT_EQ(packets[1].sequence_number, packets[0].sequence_number + 1);
  EXPECT_FALSE(viewer.client->closed);
}

// As an encoder does that chooses its SSRC once.
TEST(SfuRoom, APublisherThatComesBackWithItsSsrcIsSeenAgain) {
  SfuWorld world;
  Peer& publisher = world.publisher();
  const Peer& viewer = world.viewer();
  world.send(publisher, {.number = 30'000, .timestamp = 1000});
  world.sfu.remove(publisher.id, world.now);
  world.run_for(2s);
  Peer& again = world.publisher();
  for (const std::uint16_t number : std::initializer_list<std::uint16_t>{7, 8}) {
    world.send(again, {.number = number, .timestamp = 77});
  }
  const auto packets = SfuWorld::packets(viewer, kVideo);
  ASSERT_THAT(packets, SizeIs(3));
  EXPECT_EQ(packets[1].sequence_number, packets[0].sequence_number + 1);
  EXPECT_EQ(packets[2].sequence_number, packets[0].sequence_number + 2);
  const auto passed = rtp::number(packets[1].timestamp) - rtp::number(packets[0].timestamp);
  EXPECT_GE(passed, 2U * 90'000);
  EXPECT_LE(passed, 3U * 90'000);
}

TEST(SfuRoom, AViewerThatLeavesGetsNothing) {
  SfuWorld world;
  Peer& publisher = world.publisher();
  Peer& viewer = world.viewer();
  const Peer& other = world.viewer();
  EXPECT_TRUE(world.sfu.remove(viewer.id, world.now));
  EXPECT_FALSE(world.sfu.remove(viewer.id, world.now));
  world.run_for(1s);
  EXPECT_TRUE(viewer.client->closed);
  world.send(publisher, {.number = 1});
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(0));
  EXPECT_THAT(SfuWorld::packets(other, kVideo), SizeIs(1));
  EXPECT_EQ(world.sfu.rooms().at("room")->viewers(), 1U);
}

// ---- seats

TEST(SfuRoom, EachSeatShowsOnePublisher) {
  SfuWorld world;
  Peer& first = world.publisher();
  const Peer& viewer = world.viewer(SfuWorld::viewer_offer(2));
  Peer& second = world.publisher();
  Peer& third = world.publisher();
  world.send(first, {.number = 1, .payload = "first"});
  world.send(second, {.number = 1, .ssrc = 2, .payload = "second"});
  world.send(third, {.number = 1, .ssrc = 3, .payload = "third"});
  constexpr std::size_t kSecondVideo = 3;
  const auto one = SfuWorld::packets(viewer, kVideo);
  const auto other = SfuWorld::packets(viewer, kSecondVideo);
  ASSERT_THAT(one, SizeIs(1));
  ASSERT_THAT(other, SizeIs(1));
  EXPECT_EQ(one[0].payload.size(), 5U);
  EXPECT_EQ(other[0].payload.size(), 6U);
}

TEST(SfuRoom, ASeatThatIsFreeIsTakenByAnother) {
  SfuWorld world;
  Peer& first = world.publisher();
  Peer& second = world.publisher();
  const Peer& viewer = world.viewer();
  world.send(first, {.number = 50});
  world.send(second, {.number = 900, .ssrc = 2});
  ASSERT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(1));
  ASSERT_TRUE(SfuWorld::received<rtp::PictureLossIndication>(second).empty());
  world.sfu.remove(first.id, world.now);
  world.run_for(100ms);
  EXPECT_THAT(SfuWorld::received<rtp::PictureLossIndication>(second), SizeIs(1));
  world.send(second, {.number = 901, .ssrc = 2});
  const auto packets = SfuWorld::packets(viewer, kVideo);
  ASSERT_THAT(packets, SizeIs(2));
  EXPECT_EQ(packets[1].sequence_number, packets[0].sequence_number + 1);
}

TEST(SfuRoom, AViewerNeedsACodecThatIsPublished) {
  SfuWorld world;
  auto offer = SfuWorld::viewer_offer();
  offer = offer.substr(offer.find("v=0"), offer.find("m=audio")) +
          offer.substr(offer.find("m=video"));  // video alone
  offer.replace(offer.find("BUNDLE 0 1"), 10, "BUNDLE 1");
  ASSERT_TRUE(world.publish(SfuWorld::publisher_offer("AV1")));
  EXPECT_EQ(why(world.watch(offer)), Refusal::no_common_codec);
  ASSERT_TRUE(world.publish(SfuWorld::publisher_offer("VP9")));
  EXPECT_TRUE(world.watch(offer));
}

// ---- limits

TEST(SfuLimits, RoomsPublishersAndViewers) {
  SfuWorld world({.max_rooms = 2, .max_publishers = 2, .max_viewers = 1});
  const auto publisher = SfuWorld::publisher_offer();
  const auto viewer = SfuWorld::viewer_offer();
  ASSERT_TRUE(world.publish(publisher, "one"));
  const auto second = world.publish(publisher, "one");
  ASSERT_TRUE(second);
  EXPECT_EQ(why(world.publish(publisher, "one")), Refusal::too_many_publishers);
  ASSERT_TRUE(world.publish(publisher, "two"));
  EXPECT_EQ(why(world.publish(publisher, "three")), Refusal::too_many_rooms);
  const auto watching = world.watch(viewer, "one");
  ASSERT_TRUE(watching);
  EXPECT_EQ(why(world.watch(viewer, "one")), Refusal::too_many_viewers);
  EXPECT_TRUE(world.watch(viewer, "two"));
  // A place that is free can be taken.
  world.sfu.remove(watching->id, world.now);
  world.sfu.remove(second->id, world.now);
  EXPECT_TRUE(world.watch(viewer, "one"));
  EXPECT_TRUE(world.publish(publisher, "one"));
}

TEST(SfuLimits, Sessions) {
  SfuWorld world({.max_sessions = 3, .max_sessions_per_address = 2});
  const auto offer = SfuWorld::publisher_offer();
  ASSERT_TRUE(world.publish(offer, "room", "192.0.2.1"));
  const auto watching = world.watch(SfuWorld::viewer_offer(), "room", "192.0.2.1");
  ASSERT_TRUE(watching);
  EXPECT_EQ(why(world.publish(offer, "room", "192.0.2.1")), Refusal::too_many_of_address);
  world.sfu.remove(watching->id, world.now);
  ASSERT_TRUE(world.watch(SfuWorld::viewer_offer(), "room", "192.0.2.1"));
  const auto other = world.publish(offer, "room", "192.0.2.2");
  ASSERT_TRUE(other);
  EXPECT_EQ(why(world.publish(offer, "room", "192.0.2.3")), Refusal::too_many_sessions);
  world.sfu.remove(other->id, world.now);
  EXPECT_TRUE(world.publish(offer, "room", "192.0.2.3"));
}

TEST(SfuLimits, ARefusedSessionLeavesNothing) {
  SfuWorld world({.max_viewers = 1});
  world.publisher();
  ASSERT_TRUE(world.watch(SfuWorld::viewer_offer()));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(world.watch(SfuWorld::viewer_offer()));
  EXPECT_THAT(world.sfu.sessions(), SizeIs(2));
}

// Anybody can make such sessions by HTTP alone.
TEST(SfuLimits, APublisherThatHasSentNothingTakesLittle) {
  constexpr std::size_t kPublishers = 40;
  SfuWorld world({.max_publishers = kPublishers});
  const auto resident = [] { return common::process_usage().value().resident_bytes; };
  const auto before = resident();
  for (std::size_t i = 0; i < kPublishers; ++i) {
    ASSERT_TRUE(world.publish(SfuWorld::simulcast_offer()));
  }
  EXPECT_LT(resident(), before + kPublishers * 300'000);
}

TEST(SfuLimits, WhoDoesNotConnectIsEnded) {
  SfuWorld world;
  ASSERT_TRUE(world.publish(SfuWorld::publisher_offer()));
  world.run_for(29s);
  EXPECT_THAT(world.sfu.sessions(), SizeIs(1));
  world.run_for(2s);
  EXPECT_THAT(world.sfu.sessions(), SizeIs(0));
  EXPECT_EQ(world.count(End::not_connected), 1U);
}

std::string offer_without_common_codec() {
  auto offer = SfuWorld::viewer_offer();
  offer = offer.substr(0, offer.find("m=video"));  // audio alone
  offer.replace(offer.find("BUNDLE 0 1"), 10, "BUNDLE 0");
  offer.replace(offer.find("opus/48000/2"), 12, "G722/8000");
  return offer;
}

// draft-ietf-wish-whep-04: a counter-offer without valid-until waits for 30 s.
TEST(SfuLimits, ACounterOfferWaitsForHalfAMinute) {
  SfuWorld world;
  world.publisher();
  const auto refused = world.watch(offer_without_common_codec());
  ASSERT_FALSE(refused);
  ASSERT_TRUE(refused.error().counter_offer);
  const std::string id = refused.error().counter_offer->id;
  EXPECT_EQ(world.sfu.find(id), nullptr);
  world.run_for(std::chrono::seconds{30});
  EXPECT_TRUE(world.sfu.awaits_answer(id));
  world.run_for(std::chrono::seconds{2});
  EXPECT_FALSE(world.sfu.awaits_answer(id));
  EXPECT_FALSE(world.sfu.remove(id, world.now));
}

// Its checks come before its answer, as browsers send them. The path is known all the same: the
// port of several workers must be told when it is free again.
TEST(SfuCounterOffers, AViewerThatChecksBeforeItAnswersHasAPath) {
  struct World : SfuWorld {
    using SfuWorld::connect;
  } world;
  world.publisher();
  const auto refused = world.watch(offer_without_common_codec());
  ASSERT_TRUE(refused.error().counter_offer);
  const auto& made = *refused.error().counter_offer;
  world.connect(Created{.id = made.id, .answer = made.offer, .ice_session = made.ice_session});
  std::string sdp = made.offer;
  const auto replace = [&sdp](const std::string& begin, const std::string& line) {
    for (std::size_t at = 0; (at = sdp.find(begin, at)) != std::string::npos; at += line.size()) {
      sdp.replace(at, sdp.find("\r\n", at) - at, line);
    }
  };
  const auto print =
      test::must(dtls::Fingerprint::of(test::options().identities.front().certificate(),
                                       dtls::HashAlgorithm::sha256, test::environment()));
  replace("a=sendonly", "a=recvonly");
  replace("a=ice-ufrag", "a=ice-ufrag:client");
  replace("a=ice-pwd", "a=ice-pwd:the-password-of-the-client");
  replace("a=fingerprint", "a=fingerprint:" + print.to_sdp());
  replace("a=setup", "a=setup:active");
  replace("a=ice-lite", "a=x");
  replace("a=candidate", "a=x");
  const auto answer = read_answer(sdp);
  ASSERT_TRUE(answer) << answer.error().sentence;
  ASSERT_TRUE(world.sfu.take_answer(made.id, *answer, world.now));
  world.run_for(3s);
  const Session* const session = world.sfu.find(made.id);
  ASSERT_NE(session, nullptr);
  EXPECT_TRUE(session->is_connected);
  EXPECT_TRUE(session->path);
}

TEST(SfuLimits, APublisherThatSendsNothingIsEnded) {
  SfuWorld world({.silence = 10s});
  Peer& publisher = world.publisher();
  world.run_for(8s);
  world.send(publisher, {.number = 1});
  world.run_for(8s);
  EXPECT_FALSE(publisher.client->closed);
  world.run_for(3s);
  EXPECT_TRUE(publisher.client->closed);
  EXPECT_EQ(world.count(End::silent), 1U);
}

TEST(SfuLimits, APeerThatVanishesIsEnded) {
  SfuWorld world({.silence = 1h});
  Peer& publisher = world.publisher();
  Peer& viewer = world.viewer();
  viewer.client->stops_consent = true;
  publisher.client->stops_consent = true;
  world.run_for(40s);
  EXPECT_EQ(world.count(End::expired), 2U);
  EXPECT_TRUE(world.sfu.rooms().empty());
}

TEST(SfuEnd, AllPeersAreTold) {
  SfuWorld world;
  Peer& publisher = world.publisher();
  Peer& viewer = world.viewer();
  world.sfu.end_all(world.now);
  world.run_for(100ms);
  EXPECT_TRUE(publisher.client->closed);
  EXPECT_TRUE(viewer.client->closed);
  EXPECT_EQ(world.count(End::stopped), 2U);
}

TEST(SfuOffers, ALiteAgentIsRefused) {
  SfuWorld world;
  auto offer = SfuWorld::publisher_offer();
  offer.insert(offer.find("m="), "a=ice-lite\r\n");
  const auto refused = world.publish(offer);
  EXPECT_EQ(why(refused), Refusal::offer);
  EXPECT_THAT(refused.error().sentence, HasSubstr("ice-lite"));
}

}  // namespace
}  // namespace sluice::interop::sfu
