// Counter-offers of WHEP (draft-ietf-wish-whep-04) over HTTP.
#include <gmock/gmock.h>

#include "unit/interop/sfu/http_fixture.h"

namespace sluice::interop::sfu {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

// The small offer has Opus and VP8; this viewer has others.
std::string with_other_codecs(const std::string& offer) {
  return with(with(offer, "VP8/90000", "H263/90000"), "opus/48000/2", "G722/8000");
}
std::string other_codec() { return with_other_codecs(media_offer()); }

// What a player answers that takes all of an offer: the same sections and codecs.
std::string answer_to(std::string offer) {
  for (const auto& [from, to] :
       {std::pair{"a=setup:actpass", "a=setup:active"}, std::pair{"a=sendonly", "a=recvonly"},
        std::pair{"a=ice-lite\r\n", ""}}) {
    for (auto at = offer.find(from); at != std::string::npos; at = offer.find(from)) {
      offer.replace(at, std::string_view{from}.size(), to);
    }
  }
  return offer;
}

class CounterOfferTest : public SfuHttpTest {
 protected:
  void SetUp() override {
    SfuHttpTest::SetUp();
    ASSERT_EQ(post("/whip/room")->status, 201);
  }
  httplib::Result patch(const std::string& location, const std::string& body,
                        const char* type = kSdp, const httplib::Headers& headers = {}) {
    return client_->Patch(location, headers, body, type);
  }
  std::size_t viewers() { return sessions()["rooms"][0]["viewers"]; }
};

TEST_F(CounterOfferTest, AnUnacceptableOfferIsCountered) {
  const auto refused = post("/whep/room", other_codec());
  ASSERT_EQ(refused->status, 406);
  EXPECT_EQ(refused->get_header_value("Content-Type"), kSdp);
  EXPECT_THAT(refused->get_header_value("Accept-Patch"), HasSubstr(kSdp));
  EXPECT_EQ(refused->get_header_value("Access-Control-Allow-Origin"), "*");
  const auto offer = read_offer(refused->body).value();
  ASSERT_EQ(offer.sections.size(), 2U);
  EXPECT_EQ(offer.sections[0].kind, SectionKind::audio);
  EXPECT_EQ(offer.sections[1].kind, SectionKind::video);
  EXPECT_EQ(offer.sections[1].codecs.front().name, "VP8") << "what is published comes first";
  EXPECT_EQ(offer.sections[1].direction, Direction::sendonly);
  EXPECT_EQ(offer.transport.setup, Setup::actpass);
  EXPECT_EQ(viewers(), 0U) << "the answer makes the session";

  const auto location = refused->get_header_value("Location");
  const auto taken = patch(location, answer_to(refused->body));
  EXPECT_EQ(taken->status, 204) << taken->body;
  EXPECT_EQ(taken->get_header_value("ETag"), refused->get_header_value("ETag"));
  EXPECT_THAT(taken->get_header_value("Link"), HasSubstr("/layer>"));
  EXPECT_EQ(viewers(), 1U);
  EXPECT_EQ(sessions()["counters"]["counter_offers"], 1);
  EXPECT_EQ(patch(location, answer_to(refused->body))->status, 415) << "it has its answer";
  EXPECT_EQ(client_->Get(location + "/layer")->status, 200);
  EXPECT_EQ(client_->Delete(location)->status, 200);
  EXPECT_EQ(viewers(), 0U);
}

TEST_F(CounterOfferTest, WhatIsRefusedLeavesTheOffer) {
  const auto refused = post("/whep/room", other_codec());
  const auto location = refused->get_header_value("Location");
  const auto answer = answer_to(refused->body);
  EXPECT_EQ(patch(location, "hello")->status, 400);
  EXPECT_EQ(patch(location, refused->body)->status, 400) << "an answer has a DTLS role";
  EXPECT_EQ(patch(location, with(answer, "a=recvonly", "a=inactive"))->status, 422);
  EXPECT_EQ(patch(location, answer.substr(0, answer.find("m=video")))->status, 400)
      << "the group names a section that isn't there";
  EXPECT_EQ(patch(location, with(answer, "s=-\r\n", "s=-\r\na=ice-lite\r\n"))->status, 422);
  EXPECT_EQ(patch(location, media_offer())->status, 400);
  const auto other = patch(location, with(media_offer(), "setup:actpass", "setup:active"));
  EXPECT_EQ(other->status, 422) << "the sections have other names";
  EXPECT_THAT(other->body, EndsWith("in its order.\n"));
  EXPECT_EQ(patch(location, answer, "text/plain")->status, 415);
  EXPECT_EQ(viewers(), 0U);
  EXPECT_EQ(patch(location, answer)->status, 204);
}

TEST_F(CounterOfferTest, CanBeDeclined) {
  const auto location = post("/whep/room", other_codec())->get_header_value("Location");
  EXPECT_EQ(client_->Delete(location)->status, 200);
  EXPECT_EQ(client_->Delete(location)->status, 404);
  EXPECT_EQ(patch(location, "hello")->status, 404);
  EXPECT_EQ(patch(location, answer_to(media_offer()))->status, 404);
}

TEST_F(CounterOfferTest, OffersDataChannelsToWhoHasThem) {
  const auto refused = post("/whep/room", with_other_codecs(small_offer()));
  ASSERT_EQ(refused->status, 406);
  const auto offer = read_offer(refused->body).value();
  ASSERT_EQ(offer.sections.size(), 3U);
  EXPECT_EQ(offer.sections[2].kind, SectionKind::data);
  EXPECT_EQ(patch(refused->get_header_value("Location"), answer_to(refused->body))->status, 204);
}

// It counts as a session.
TEST_F(CounterOfferTest, IsLimited) {
  start({.sfu = {.max_sessions_per_address = 2}}, {});
  ASSERT_EQ(post("/whip/room")->status, 201);
  const auto first = post("/whep/room", other_codec());
  ASSERT_EQ(first->status, 406);
  EXPECT_EQ(post("/whep/room", other_codec())->status, 503);
  EXPECT_EQ(post("/whep/room")->status, 503);
  EXPECT_EQ(patch(first->get_header_value("Location"), answer_to(first->body))->status, 204);
  EXPECT_EQ(post("/whep/room")->status, 503);
}

TEST_F(CounterOfferTest, NeedsTheTokenOfViewers) {
  start({}, {.publish_token = "p", .watch_token = "w"});
  ASSERT_EQ(post("/whip/room", media_offer(), kSdp, token("p"))->status, 201);
  const auto refused = post("/whep/room", other_codec(), kSdp, token("w"));
  ASSERT_EQ(refused->status, 406);
  const auto location = refused->get_header_value("Location");
  const auto answer = answer_to(refused->body);
  EXPECT_EQ(patch(location, answer)->status, 401);
  EXPECT_EQ(patch(location, answer, kSdp, token("p"))->status, 401);
  EXPECT_EQ(client_->Delete(location)->status, 401);
  EXPECT_EQ(patch(location, answer, kSdp, token("w"))->status, 204);
}

TEST_F(CounterOfferTest, NobodyPublishesAnyMore) {
  EXPECT_EQ(post("/whep/other", other_codec())->status, 409);
  const auto publisher = post("/whip/short")->get_header_value("Location");
  const auto refused = post("/whep/short", other_codec());
  ASSERT_EQ(refused->status, 406);
  ASSERT_EQ(client_->Delete(publisher)->status, 200);
  const auto location = refused->get_header_value("Location");
  EXPECT_EQ(patch(location, answer_to(refused->body))->status, 409);
  EXPECT_EQ(patch(location, answer_to(refused->body))->status, 404) << "the offer has gone";
}

// The viewer has a codec of the server, but none that is published.
TEST_F(CounterOfferTest, WhatNobodyPublishesIsCountered) {
  const auto video = with(media_offer(), "BUNDLE a v", "BUNDLE v");
  const auto alone = video.substr(0, video.find("m=audio")) + video.substr(video.find("m=video"));
  const auto refused = post("/whep/room", with(alone, "VP8/90000", "VP9/90000"));
  ASSERT_EQ(refused->status, 406);
  EXPECT_EQ(post("/whep/room", alone)->status, 201);
  const auto vp9 = answer_to(refused->body);
  EXPECT_EQ(patch(refused->get_header_value("Location"), vp9)->status, 204);
  EXPECT_EQ(sessions()["counters"]["refused"]["no_common_codec"], 1);
}

// One that can be answered in part is.
TEST_F(CounterOfferTest, IsTheLastResort) {
  const auto answered = post("/whep/room", with(media_offer(), "VP8/90000", "H263/90000"));
  EXPECT_EQ(answered->status, 201);
  EXPECT_THAT(answered->body, HasSubstr("m=video 0 "));
}

TEST_F(CounterOfferTest, TheAnswerMayLeaveTheHandshakeToTheServer) {
  const auto refused = post("/whep/room", other_codec());
  auto answer = answer_to(refused->body);
  for (auto at = answer.find("setup:active"); at != std::string::npos;
       at = answer.find("setup:active")) {
    answer.replace(at, 12, "setup:passive");
  }
  EXPECT_EQ(patch(refused->get_header_value("Location"), answer)->status, 204);
}

// Publishers get no offer.
TEST_F(CounterOfferTest, IsForViewersAlone) {
  EXPECT_EQ(post("/whip/other", with(media_offer(), "VP8/90000", "XYZ/90000"))->status, 422);
  const auto publisher = post("/whip/room")->get_header_value("Location");
  EXPECT_EQ(patch(publisher, answer_to(media_offer()))->status, 415);
}

}  // namespace
}  // namespace sluice::interop::sfu
