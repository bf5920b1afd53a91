// The layers of a viewer over HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "unit/interop/sfu/http_fixture.h"

namespace sluice::interop::sfu {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

constexpr const char* kJson = "application/json";

// A publisher with two layers, and a viewer, which are not connected.
class LayersHttpTest : public SfuHttpTest {
 protected:
  void SetUp() override {
    start({}, {});
    begin();
  }
  void begin(const std::string& token_text = {}, const std::string& mid = "v") {
    const auto headers = token_text.empty() ? httplib::Headers{} : token(token_text);
    const auto offer = with(media_offer(), "a=mid:v\r\n",
                            "a=mid:v\r\na=rid:h send\r\na=rid:l send\r\n"
                            "a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"
                            "a=simulcast:send h;l\r\n");
    ASSERT_EQ(post("/whip/room", offer)->status, 201);
    auto watched = media_offer();
    for (std::size_t at = 0; (at = watched.find(" v\r\n", at)) != std::string::npos; ++at) {
      watched.replace(at + 1, 1, mid);
    }
    watched = with(watched, "a=mid:v", "a=mid:" + mid);
    const auto made = post("/whep/room", watched, kSdp, headers);
    ASSERT_EQ(made->status, 201) << made->body;
    link_ = made->get_header_value("Link");
    layers_ = made->get_header_value("Location") + "/layer";
  }
  httplib::Result ask_for(const std::string& wish, const httplib::Headers& headers = {}) {
    return client_->Post(layers_, headers, wish, kJson);
  }
  nlohmann::json shown() { return nlohmann::json::parse(client_->Get(layers_)->body)["v"]; }

  std::string link_;
  std::string layers_;
};

TEST_F(LayersHttpTest, AreShownAndChosen) {
  EXPECT_EQ(link_, "<" + layers_ + ">; rel=\"urn:ietf:params:whep:ext:core:layer\"");
  auto layers = shown();
  EXPECT_TRUE(layers["active"].empty()) << "nothing has come yet";
  ASSERT_EQ(layers["inactive"].size(), 2U);
  EXPECT_EQ(layers["inactive"][0]["encodingId"], "h");
  EXPECT_TRUE(layers["asked"].is_null());
  EXPECT_EQ(ask_for(R"({"mediaId": "v", "encodingId": "l"})")->status, 204);
  EXPECT_EQ(shown()["asked"], "l");
  EXPECT_EQ(ask_for("{}")->status, 204);
  EXPECT_TRUE(shown()["asked"].is_null());
}

TEST_F(LayersHttpTest, BadChoicesGetASentence) {
  for (const auto* wish : {"", "l", "[]", "{", R"({"encodingId": 1})", R"({"mediaId": []})"}) {
    const auto response = ask_for(wish);
    EXPECT_EQ(response->status, 400) << wish;
    EXPECT_THAT(response->body, EndsWith(".\n"));
  }
  EXPECT_EQ(ask_for(std::string(900, '['))->status, 400);
  EXPECT_EQ(ask_for(std::string(1025, ' '))->status, 413);
  EXPECT_EQ(client_->Post(layers_, "{}", "text/plain")->status, 415);
  for (const auto* wish : {R"({"encodingId": "x"})", R"({"mediaId": "a", "encodingId": "l"})",
                           R"({"mediaId": "\u0000", "encodingId": "l"})"}) {
    EXPECT_EQ(ask_for(wish)->status, 422) << wish;
  }
}

TEST_F(LayersHttpTest, OthersHaveNone) {
  const auto publisher = post("/whip/room")->get_header_value("Location");
  EXPECT_EQ(client_->Get(publisher + "/layer")->body, "{}");
  EXPECT_EQ(client_->Post(publisher + "/layer", "{}", kJson)->status, 422);
  const std::string nobody = "/session/00000000000000000000000000000000/layer";
  EXPECT_EQ(client_->Get(nobody)->status, 404);
  EXPECT_EQ(client_->Post(nobody, "{}", kJson)->status, 404);
}

TEST_F(LayersHttpTest, NeedTheViewersToken) {
  start({}, {.watch_token = "secret"});
  begin("secret");
  EXPECT_EQ(client_->Get(layers_)->status, 401);
  EXPECT_EQ(client_->Get(layers_, token("secret"))->status, 200);
  EXPECT_EQ(ask_for("{}")->status, 401);
  EXPECT_EQ(ask_for("{}", token("secret"))->status, 204);
}

// A page asks once a second. Those of one network would keep others of it out.
TEST_F(LayersHttpTest, WhoAsksDoesNotOccupyAConnection) {
  std::vector<std::unique_ptr<httplib::Client>> pages;
  for (std::size_t i = 0; i <= HttpOptions{}.max_connections_per_address; ++i) {
    pages.push_back(std::make_unique<httplib::Client>("127.0.0.1", server_->port()));
    pages.back()->set_keep_alive(true);
    const auto response = pages.back()->Get(layers_);
    ASSERT_TRUE(response) << i;
    EXPECT_EQ(response->status, 200);
  }
}

TEST_F(LayersHttpTest, OtherMethods) {
  const auto options = client_->Options(layers_);
  EXPECT_EQ(options->get_header_value("Accept-Post"), kJson);
  EXPECT_THAT(options->get_header_value("Access-Control-Allow-Methods"), HasSubstr("POST"));
  EXPECT_EQ(client_->Put(layers_, "", kJson)->status, 405);
  EXPECT_EQ(client_->Delete(layers_)->status, 405);
}

// Offers may have any bytes there.
TEST_F(LayersHttpTest, AMidNeedNotBeUtf8) {
  begin({}, "\xff\xfe");
  const auto response = client_->Get(layers_);
  ASSERT_EQ(response->status, 200);
  EXPECT_EQ(nlohmann::json::parse(response->body).size(), 1U);
}

}  // namespace
}  // namespace sluice::interop::sfu
