// PATCH of sessions: Trickle ICE and ICE restarts over HTTP (RFC 9725 section 4.3, which
// draft-ietf-wish-whep has word for word).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "common/sdp/sdp_fragment.h"
#include "sfu/http/sfu_http.h"
#include "unit/interop/common/sdp/offers.h"

namespace sluice::interop::sfu {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;

constexpr const char* kFragment = "application/trickle-ice-sdpfrag";
constexpr const char* kNobody = "/session/00000000000000000000000000000000";
const std::string kFreshPwd = "abcdefghijklmnopqr";
const httplib::Headers kAny = {{"If-Match", "*"}};

std::string fragment_of(const std::string& ufrag, const std::string& pwd) {
  return "a=ice-ufrag:" + ufrag + "\r\na=ice-pwd:" + pwd +
         "\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\n"
         "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\n"
         "a=candidate:2 1 sctp 1 host.example 9 typ new\r\na=end-of-candidates\r\n";
}
// With the credentials of the offer.
std::string trickle() { return fragment_of("abcd", "0123456789012345678901"); }
std::string fresh(const std::string& ufrag = "efgh") {
  return fragment_of(ufrag, kFreshPwd + ufrag);
}

// As a client, with the sessions of the server behind it.
class SfuPatchTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { start({}); }

  void start(const SfuHttpOptions& http) {
    client_.reset();
    server_.reset();
    loop_.reset();
    loop_ = start_media({.lite = {.addresses = {"127.0.0.1"}}}).value();
    server_ = SfuHttp::start(http, *loop_).value();
    client_.emplace("127.0.0.1", server_->port());
    // Somebody publishes where others watch.
    if (http.publish_token.empty()) post("/whip/room");
    made_ = *post(GetParam());
  }

  httplib::Result post(const std::string& path, const httplib::Headers& headers = {}) {
    return client_->Post(path, headers, media_offer(), "application/sdp");
  }
  httplib::Result patch(const std::string& body, const httplib::Headers& headers = kAny,
                        const char* type = kFragment) {
    return client_->Patch(location(), headers, body, type);
  }
  httplib::Headers present() const { return {{"If-Match", made_.get_header_value("ETag")}}; }
  std::string location() const { return made_.get_header_value("Location"); }
  nlohmann::json counters() {
    return nlohmann::json::parse(client_->Get("/sessions")->body)["counters"];
  }

  std::unique_ptr<MediaThreads> loop_;
  std::unique_ptr<SfuHttp> server_;
  std::optional<httplib::Client> client_;
  httplib::Response made_;
};

INSTANTIATE_TEST_SUITE_P(Each, SfuPatchTest, testing::Values("/whip/room", "/whep/room"),
                         [](const auto& each) { return std::string(each.param, 1, 4); });

// Section 4.3.1: a strong entity tag in the 201. RFC 5789 section 3.1: Accept-Patch.
TEST_P(SfuPatchTest, TheSessionIsMadeWithAnEntityTag) {
  ASSERT_EQ(made_.status, 201) << made_.body;
  EXPECT_THAT(made_.get_header_value("ETag"), MatchesRegex("\"[A-Za-z0-9+/]+\""));
  EXPECT_EQ(made_.get_header_value("Accept-Patch"), kFragment);
  const auto exposed = made_.get_header_value("Access-Control-Expose-Headers");
  EXPECT_THAT(exposed, HasSubstr("ETag"));
  EXPECT_THAT(exposed, HasSubstr("Accept-Patch"));
  EXPECT_THAT(made_.body, HasSubstr("a=ice-options:ice2 trickle\r\n"));
}

// Section 4.3.2: 204 without a body and without an ETag; candidates of no use are ignored.
TEST_P(SfuPatchTest, TakesCandidates) {
  const auto response = patch(trickle(), present());
  EXPECT_EQ(response->status, 204) << response->body;
  EXPECT_EQ(response->body, "");
  EXPECT_FALSE(response->has_header("ETag"));
  EXPECT_EQ(response->get_header_value("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(patch(trickle(), kAny)->status, 204);
  EXPECT_EQ(counters()["ice_restarts"], 0);
}

// Section 4.3.3: 200, a fragment with new credentials and candidates, and a new entity tag.
TEST_P(SfuPatchTest, RestartsIce) {
  const auto response = patch(fresh());
  ASSERT_EQ(response->status, 200) << response->body;
  EXPECT_EQ(response->get_header_value("Content-Type"), kFragment);
  EXPECT_EQ(response->get_header_value("Access-Control-Allow-Origin"), "*");
  const auto tag = response->get_header_value("ETag");
  EXPECT_THAT(tag, MatchesRegex("\"[A-Za-z0-9+/]+\""));
  EXPECT_NE(tag, made_.get_header_value("ETag"));
  const auto fragment = read_fragment(response->body);
  ASSERT_TRUE(fragment) << fragment.error().sentence;
  EXPECT_GT(fragment->candidates, 0U);
  EXPECT_TRUE(fragment->end_of_candidates);
  // The same options as in the answer.
  for (const auto* line :
       {"a=ice-lite\r\n", "a=ice-options:ice2 trickle\r\n", "a=group:BUNDLE a v\r\n"}) {
    EXPECT_THAT(made_.body, HasSubstr(line));
    EXPECT_THAT(response->body, HasSubstr(line));
  }
  EXPECT_THAT(made_.body, testing::Not(HasSubstr("a=ice-ufrag:" + fragment->ice.ufrag)));
  EXPECT_EQ(counters()["ice_restarts"], 1);
}

// RFC 9725's example has the asterisk in quotes.
TEST_P(SfuPatchTest, TheAsteriskMayHaveQuotes) {
  EXPECT_EQ(patch(fresh(), {{"If-Match", "\"*\""}})->status, 200);
}

// Section 4.3.1, RFC 6585 section 3.
TEST_P(SfuPatchTest, NeedsIfMatch) {
  EXPECT_EQ(patch(trickle(), {})->status, 428);
  const auto response = patch(fresh(), {});
  EXPECT_EQ(response->status, 428);
  EXPECT_THAT(response->body, HasSubstr("If-Match"));
  EXPECT_EQ(response->get_header_value("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(patch(fresh(), {{"If-Match", "xyzzy"}})->status, 400);
  EXPECT_EQ(counters()["ice_restarts"], 0);
}

// Section 4.3.1: 412 for what belongs to an ICE session that is gone.
TEST_P(SfuPatchTest, AnotherIceSessionsPatchFails) {
  const auto restarted = patch(fresh());
  ASSERT_EQ(restarted->status, 200);
  EXPECT_EQ(patch(trickle(), present())->status, 412);
  EXPECT_EQ(patch(fresh(), present())->status, 412);
  EXPECT_EQ(patch(fresh("ijkl"), {{"If-Match", "\"xyzzy\", \"other\""}})->status, 412);
  const auto tag = restarted->get_header_value("ETag");
  EXPECT_EQ(patch(fresh(), {{"If-Match", "W/" + tag}})->status, 412) << "a strong comparison";
  EXPECT_EQ(patch(fresh(), {{"If-Match", tag}})->status, 204);
  EXPECT_EQ(patch(fresh(), {{"If-Match", "\"xyzzy\", " + tag}})->status, 204);
  EXPECT_EQ(patch(fresh(), {{"If-Match", "\"xyzzy\""}, {"If-Match", tag}})->status, 204);
}

// Section 4.3.3: an error, and the session goes on.
TEST_P(SfuPatchTest, AFloodOfRestartsIsRefused) {
  int taken = 0;
  for (int number = 10; number < 30; ++number) {
    const auto response = patch(fresh("ij" + std::to_string(number)));
    if (response->status == 200) {
      ++taken;
    } else {
      EXPECT_EQ(response->status, 429);
      EXPECT_EQ(response->get_header_value("Retry-After"), "1");
    }
  }
  EXPECT_GE(taken, 1);
  EXPECT_LT(taken, 20);
  EXPECT_EQ(counters()["ice_restarts"], taken);
  EXPECT_EQ(counters()["ice_refused"], 20 - taken);
  EXPECT_EQ(client_->Delete(location())->status, 200);
}

// A client that has not got the answer asks again.
TEST_P(SfuPatchTest, TheSameRestartGetsTheSameAnswer) {
  const auto first = patch(fresh());
  const auto again = patch(fresh());
  EXPECT_EQ(again->status, 200);
  EXPECT_EQ(again->body, first->body);
  EXPECT_EQ(again->get_header_value("ETag"), first->get_header_value("ETag"));
}

// Section 4.3: other types and malformed fragments get an error.
TEST_P(SfuPatchTest, OtherBodiesAreRefused) {
  const auto other = patch(fresh(), kAny, "application/sdp");
  EXPECT_EQ(other->status, 415);
  EXPECT_EQ(other->get_header_value("Accept-Patch"), kFragment);
  EXPECT_EQ(patch(fresh(), kAny, "application/trickle-ice-sdpfrag; charset=utf-8")->status, 200);
  for (const auto& body :
       {std::string{}, std::string{"hello"}, media_offer(),
        with(fresh(), "a=ice-pwd:", "a=ice-key:"), with(fresh(), "61764", "99999"),
        with(fresh(), "efgh", "ab-d"), fragment_of("efgh", "abcdefghijklmnopqrstuv"),
        fragment_of("ijkl", kFreshPwd + "efgh")}) {
    const auto response = patch(body);
    EXPECT_EQ(response->status, 400) << body;
    EXPECT_THAT(response->body, EndsWith(".\n"));
  }
  EXPECT_EQ(patch(fresh() + "a=x:" + std::string(kMaxFragment, 'y') + "\r\n")->status, 413);
}

TEST_P(SfuPatchTest, OnlySessionsThatAreThere) {
  EXPECT_EQ(client_->Patch(kNobody, kAny, fresh(), kFragment)->status, 404);
  client_->Delete(location());
  EXPECT_EQ(patch(fresh())->status, 404);
}

// Section 4.3.1: DELETE ignores entity tags.
TEST_P(SfuPatchTest, DeleteNeedsNoIfMatch) {
  EXPECT_EQ(client_->Delete(location(), {{"If-Match", "\"xyzzy\""}})->status, 200);
}

TEST_P(SfuPatchTest, NeedsTheTokenOfTheSession) {
  start({.publish_token = "whip", .watch_token = "whep"});
  const std::string own = std::string(GetParam(), 1, 4);
  const std::string other = own == "whip" ? "whep" : "whip";
  post("/whip/room", {{"Authorization", "Bearer whip"}});
  made_ = *post(GetParam(), {{"Authorization", "Bearer " + own}});
  ASSERT_EQ(made_.status, 201) << made_.body;
  const auto with_token = [](const std::string& token) {
    return httplib::Headers{{"If-Match", "*"}, {"Authorization", "Bearer " + token}};
  };
  const auto none = patch(fresh());
  EXPECT_EQ(none->status, 401);
  EXPECT_EQ(none->get_header_value("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(patch(fresh(), with_token("wrong"))->status, 401);
  EXPECT_EQ(patch("no fragment", kAny)->status, 401) << "before anything else";
  EXPECT_EQ(patch(fresh(), with_token(other))->status, 401);
  EXPECT_EQ(patch(fresh(), with_token(own))->status, 200);
}

}  // namespace
}  // namespace sluice::interop::sfu
