// The media server over HTTP on loopback.
#include "sfu/http/sfu_http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "http_fixture.h"

namespace sluice::interop::sfu {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

constexpr const char* kUnknown = "/session/00000000000000000000000000000000";

TEST_F(SfuHttpTest, ServesThePages) {
  for (const auto* path : {"/", "/publish", "/watch"}) {
    const auto page = client_->Get(path);
    ASSERT_EQ(page->status, 200) << path;
    EXPECT_THAT(page->get_header_value("Content-Type"), StartsWith("text/html"));
    EXPECT_EQ(page->get_header_value("Content-Security-Policy"),
              "default-src 'self'; frame-ancestors 'none'");
    EXPECT_EQ(page->get_header_value("X-Content-Type-Options"), "nosniff");
  }
  for (const auto* path :
       {"/overview.js", "/controls.js", "/layers.js", "/publish.js", "/watch.js", "/session.js",
        "/statistics.js", "/gathering.js", "/local_media.js", "/reconnection.js", "/fragment.js",
        "/chat.js", "/measures.js", "/plots.js", "/style.css", "/icon.svg"}) {
    EXPECT_EQ(client_->Get(path)->status, 200) << path;
  }
}

// RFC 9725 section 4.2.
TEST_F(SfuHttpTest, PublishesAndWatches) {
  for (const auto* path : {"/whip/a-room_1", "/whep/a-room_1"}) {
    const auto response = post(path);
    ASSERT_EQ(response->status, 201) << response->body;
    EXPECT_EQ(response->get_header_value("Content-Type"), kSdp);
    EXPECT_THAT(response->get_header_value("Location"), MatchesRegex("/session/[0-9a-f]{32}"));
    EXPECT_THAT(response->get_header_value("ETag"), MatchesRegex("\".+\""));
    EXPECT_EQ(response->get_header_value("Access-Control-Allow-Origin"), "*");
    EXPECT_THAT(response->get_header_value("Access-Control-Expose-Headers"), HasSubstr("Location"));
    EXPECT_THAT(response->body, HasSubstr(" 127.0.0.1 "));
    EXPECT_THAT(response->body, HasSubstr("a=setup:passive\r\n"));
  }
  const auto json = sessions();
  EXPECT_EQ(json["rooms"].size(), 1U);
  EXPECT_EQ(json["rooms"][0]["name"], "a-room_1");
  EXPECT_EQ(json["sessions"].size(), 2U);
  EXPECT_EQ(json["counters"]["publishers"], 1);
  EXPECT_EQ(json["counters"]["viewers"], 1);
}

TEST_F(SfuHttpTest, TheIdsOfSessionsStaySecret) {
  const auto location = post("/whip/room")->get_header_value("Location");
  const auto id = location.substr(location.rfind('/') + 1);
  const auto body = client_->Get("/sessions")->body;
  EXPECT_THAT(body, HasSubstr(id.substr(0, 8)));
  EXPECT_EQ(body.find(id), std::string::npos);
}

TEST_F(SfuHttpTest, DeleteEndsASession) {
  const auto location = post("/whip/room")->get_header_value("Location");
  EXPECT_EQ(client_->Delete(location)->status, 200);
  EXPECT_EQ(client_->Delete(location)->status, 404);
  EXPECT_EQ(client_->Delete(kUnknown)->status, 404);
  EXPECT_EQ(sessions()["sessions"].size(), 0U);
  EXPECT_EQ(sessions()["counters"]["ended"]["deleted"], 1);
}

TEST_F(SfuHttpTest, NobodyPublishesYet) {
  const auto response = post("/whep/room");
  EXPECT_EQ(response->status, 409);
  EXPECT_NE(response->get_header_value("Retry-After"), "");
  EXPECT_EQ(response->body, "Nobody publishes in this room.\n");
}

TEST_F(SfuHttpTest, BadOffersGetASentence) {
  // Some peers write such ufrags; the ICE agent takes only ice-chars (RFC 8839 section 5.4).
  const auto odd = with(media_offer(), "a=ice-ufrag:abcd", "a=ice-ufrag:ab-d");
  EXPECT_EQ(post("/whip/room", odd)->status, 422);
  for (const auto* path : {"/whip/room", "/whep/room"}) {
    EXPECT_EQ(post(path, "hello")->status, 400);
    EXPECT_EQ(post(path, "")->status, 400);
    EXPECT_EQ(post(path, media_offer(), "text/plain")->status, 415);
    EXPECT_EQ(post(path, std::string(kMaxOffer + 1, 'x'))->status, 413);
    const auto response = post(path, with(media_offer(), "a=ice-pwd", "a=ice-pass"));
    EXPECT_EQ(response->status, 400);
    EXPECT_THAT(response->body, EndsWith(".\n"));
    EXPECT_EQ(response->get_header_value("Access-Control-Allow-Origin"), "*");
  }
  const auto no_data = with(small_offer(), "webrtc-datachannel", "something-else");
  EXPECT_EQ(post("/whip/room", no_data)->status, 422) << "a section that isn't taken";
  EXPECT_EQ(sessions()["counters"]["refused"]["offer"], 2);
}

TEST_F(SfuHttpTest, RoomsHaveSimpleNames) {
  for (const auto& path : {std::string{"/whip/"}, std::string{"/whip/a%2Fb"},
                           std::string{"/whip/a.b"}, "/whip/" + std::string(65, 'a')}) {
    EXPECT_EQ(post(path)->status, 404) << path;
  }
  EXPECT_EQ(post("/whip/" + std::string(64, 'a'))->status, 201);
}

TEST_F(SfuHttpTest, OptionsSayWhatIsTaken) {
  const auto endpoint = client_->Options("/whip/room");
  EXPECT_EQ(endpoint->status, 200);
  EXPECT_EQ(endpoint->get_header_value("Accept-Post"), kSdp);
  EXPECT_THAT(endpoint->get_header_value("Access-Control-Allow-Methods"), HasSubstr("POST"));
  EXPECT_THAT(endpoint->get_header_value("Access-Control-Allow-Headers"),
              HasSubstr("Authorization"));
  const auto session = client_->Options(kUnknown);
  EXPECT_EQ(session->status, 200);
  EXPECT_EQ(session->get_header_value("Access-Control-Allow-Methods"), "DELETE, OPTIONS, PATCH");
  EXPECT_EQ(session->get_header_value("Accept-Patch"), "application/trickle-ice-sdpfrag");
  EXPECT_THAT(session->get_header_value("Access-Control-Allow-Headers"), HasSubstr("If-Match"));
}

// draft-ietf-wish-whep-04: a player finds out by HEAD what a URL is.
TEST_F(SfuHttpTest, HeadTellsThatItIsWhep) {
  const auto whep = client_->Head("/whep/room");
  EXPECT_EQ(whep->status, 200);
  EXPECT_EQ(whep->get_header_value("Content-Type"), kSdp);
  const auto whip = client_->Head("/whip/room");
  EXPECT_EQ(whip->status, 204);
  EXPECT_FALSE(whip->has_header("Content-Type"));
}

// RFC 9725 section 4.1: no representation. RFC 9110 section 15.5.6: Allow.
TEST_F(SfuHttpTest, OtherMethods) {
  for (const auto* path : {"/whip/room", kUnknown}) {
    EXPECT_EQ(client_->Get(path)->status, 204) << path;
    EXPECT_EQ(client_->Put(path, "", kSdp)->status, 405) << path;
  }
  EXPECT_EQ(client_->Delete("/whip/room")->status, 405);
  EXPECT_EQ(client_->Patch("/whip/room", "", "application/trickle-ice-sdpfrag")
                ->get_header_value("Allow"),
            "GET, HEAD, OPTIONS, POST");
  EXPECT_EQ(post(kUnknown)->status, 405);
  EXPECT_EQ(post(kUnknown)->get_header_value("Allow"), "DELETE, GET, HEAD, OPTIONS, PATCH");
}

TEST_F(SfuHttpTest, Tokens) {
  start({}, {.publish_token = "pub", .watch_token = "view", .admin_token = "admin"});
  for (const auto& wrong : {httplib::Headers{}, token("view"), token("pu"), token("pubs"),
                            httplib::Headers{{"Authorization", "Basic pub"}}}) {
    const auto refused = post("/whip/room", media_offer(), kSdp, wrong);
    EXPECT_EQ(refused->status, 401);
    EXPECT_EQ(refused->get_header_value("WWW-Authenticate"), "Bearer");
  }
  const auto publisher = post("/whip/room", media_offer(), kSdp, token("pub"));
  ASSERT_EQ(publisher->status, 201);
  EXPECT_EQ(post("/whep/room", media_offer(), kSdp, token("pub"))->status, 401);
  const auto viewer = post("/whep/room", media_offer(), kSdp, token("view"));
  ASSERT_EQ(viewer->status, 201);
  // Each session with its own.
  const auto location = publisher->get_header_value("Location");
  EXPECT_EQ(client_->Delete(location)->status, 401);
  EXPECT_EQ(client_->Delete(location, token("view"))->status, 401);
  EXPECT_EQ(client_->Delete(location, token("pub"))->status, 200);
  EXPECT_EQ(client_->Delete(viewer->get_header_value("Location"), token("view"))->status, 200);

  EXPECT_EQ(client_->Get("/sessions")->status, 401);
  EXPECT_EQ(client_->Get("/sessions", token("pub"))->status, 401);
  EXPECT_EQ(client_->Get("/sessions", token("admin"))->status, 200);
}

TEST_F(SfuHttpTest, LimitsSayWhenToComeBack) {
  start({.sfu = {.max_publishers = 1, .max_viewers = 1}}, {});
  EXPECT_EQ(post("/whip/room")->status, 201);
  EXPECT_EQ(post("/whip/room")->status, 409);
  EXPECT_EQ(post("/whep/room")->status, 201);
  const auto refused = post("/whep/room");
  EXPECT_EQ(refused->status, 503);
  EXPECT_NE(refused->get_header_value("Retry-After"), "");
}

TEST_F(SfuHttpTest, SessionsOfAnAddressAreLimited) {
  start({.sfu = {.max_sessions_per_address = 1}}, {});
  EXPECT_EQ(post("/whip/room")->status, 201);
  EXPECT_EQ(post("/whep/room")->status, 503);
  httplib::Client other("127.0.0.1", server_->port());
  other.set_interface("127.0.0.2");
  EXPECT_EQ(other.Post("/whep/room", media_offer(), kSdp)->status, 201);
}

TEST_F(SfuHttpTest, SaysThatItIsUp) {
  const auto health = client_->Get("/healthz");
  EXPECT_EQ(health->status, 200);
  EXPECT_EQ(client_->Get("/nothing")->status, 404);
}

TEST_F(SfuHttpTest, SaysThatThePortIsTaken) {
  const auto second = SfuHttp::start({.http = {.port = server_->port()}}, *loop_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), StartsWith("can't listen on 127.0.0.1:"));
}

// Else it would hold its place until the connect timeout.
TEST_F(SfuHttpTest, WhatIsAnsweredTooLateIsNotDone) {
  start({}, {.http = {.answer_timeout = std::chrono::milliseconds{500}}});
  std::promise<void> is_busy;
  std::promise<void> goes_on;
  ASSERT_TRUE(loop_->post(0, [&](Sfu&, dtls::Instant) {
    is_busy.set_value();
    goes_on.get_future().wait();
  }));
  is_busy.get_future().wait();
  const auto response = post("/whip/room");
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->body, "The server is too busy to answer in time.\n");
  goes_on.set_value();
  // After the late work.
  std::promise<std::size_t> count;
  ASSERT_TRUE(
      loop_->post(0, [&](Sfu& sfu, dtls::Instant) { count.set_value(sfu.sessions().size()); }));
  EXPECT_EQ(count.get_future().get(), 0U);
  EXPECT_EQ(post("/whip/room")->status, 201);
}

TEST(SfuLoopOptions, BadOnesAreNamed) {
  const auto loop = start_media({.lite = {.addresses = {"nowhere"}}});
  ASSERT_FALSE(loop);
  EXPECT_THAT(loop.error(), HasSubstr("nowhere"));
}

}  // namespace
}  // namespace sluice::interop::sfu
