// The demo's server over HTTP on loopback.
#include "demo/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "support/raw_connection.h"
#include "unit/interop/common/sdp/offers.h"

namespace sluice::interop::demo {
namespace {

using test::RawConnection;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kSdp = "application/sdp";

class HttpServerTest : public testing::Test {
 protected:
  void SetUp() override { start({}); }
  void TearDown() override { stop(); }

  void start(ServiceOptions options, const HttpOptions& http = {}) {
    stop();
    options.ice.local_addresses = options.lite.addresses = {"127.0.0.1"};
    service_ = thread_.call(
        [&] { return EchoService::make(std::move(options), thread_.context()).value(); });
    server_ = HttpServer::start(http, thread_, *service_).value();
    client_.emplace("127.0.0.1", server_->port());
  }

  void stop() {
    client_.reset();
    server_.reset();
    thread_.call([this] { service_.reset(); });
  }

  httplib::Result post(const std::string& body, const std::string& path = "/echo",
                       const char* type = kSdp) {
    return client_->Post(path, body, type);
  }

  // Makes the only session that there may be, and waits for its end.
  void expect_end_of_only_session(const char* reason) {
    const auto location = create();
    nlohmann::json json = statistics(location);
    while (json["state"] != "ended") {  // limited by ctest's timeout
      std::this_thread::yield();
      json = statistics(location);
    }
    EXPECT_EQ(json["reason"], reason);
    EXPECT_EQ(post(small_offer())->status, 201);
    EXPECT_EQ(client_->Get(location + "/statistics")->status, 404);
  }

  // A session's URL.
  std::string create() {
    const auto response = post(browser_offer("chromium"));
    EXPECT_EQ(response->status, 201) << response->body;
    return response->get_header_value("Location");
  }

  nlohmann::json statistics(const std::string& location) {
    const auto response = client_->Get(location + "/statistics");
    EXPECT_EQ(response->status, 200);
    return nlohmann::json::parse(response->body);
  }

  nice::GlibThread thread_;
  std::unique_ptr<EchoService> service_;
  std::unique_ptr<HttpServer> server_;
  std::optional<httplib::Client> client_;
};

TEST_F(HttpServerTest, ServesThePage) {
  const auto page = client_->Get("/");
  ASSERT_EQ(page->status, 200);
  EXPECT_THAT(page->get_header_value("Content-Type"), StartsWith("text/html"));
  EXPECT_THAT(page->body, HasSubstr("page.js"));
  for (const auto* file : {"/page.js", "/call.js", "/facts.js", "/gathering.js", "/local_media.js",
                           "/style.css", "/icon.svg"}) {
    EXPECT_EQ(client_->Get(file)->status, 200) << file;
  }
}

TEST_F(HttpServerTest, ItsUrlHasBracketsAroundIpv6) {
  EXPECT_EQ(server_->url(), "http://127.0.0.1:" + std::to_string(server_->port()) + "/");
  start({}, {.host = "::1"});
  EXPECT_EQ(server_->url(), "http://[::1]:" + std::to_string(server_->port()) + "/");
  EXPECT_EQ(httplib::Client("::1", server_->port()).Get("/")->status, 200);
}

TEST_F(HttpServerTest, AnswersAnOffer) {
  const auto response = post(browser_offer("chromium"));
  ASSERT_EQ(response->status, 201) << response->body;
  EXPECT_EQ(response->get_header_value("Content-Type"), kSdp);
  EXPECT_THAT(response->get_header_value("Location"), testing::MatchesRegex("/echo/[0-9a-f]{32}"));
  const auto answer = parse_sdp(response->body);
  ASSERT_TRUE(answer) << answer.error().sentence;
  ASSERT_EQ(answer->media.size(), 3U);
  const auto& attributes = answer->media[0].attributes;
  EXPECT_THAT(attributes.find("candidate").value_or(""), HasSubstr(" 127.0.0.1 "));
  EXPECT_EQ(attributes.find("setup"), "passive");
  EXPECT_THAT(attributes.find("fingerprint").value_or(""), StartsWith("sha-256 "));
  EXPECT_TRUE(attributes.has("end-of-candidates"));
}

TEST_F(HttpServerTest, TheQueryChoosesTheRole) {
  const auto response = post(small_offer(), "/echo?setup=passive");
  ASSERT_EQ(response->status, 201) << response->body;
  EXPECT_THAT(response->body, HasSubstr("a=setup:passive\r\n"));
}

TEST_F(HttpServerTest, TheOfferChoosesTheRole) {
  const auto active = with(small_offer(), "setup:actpass", "setup:active");
  EXPECT_THAT(post(active)->body, HasSubstr("a=setup:passive\r\n"));
  const auto refused = post(active, "/echo?setup=active");
  EXPECT_EQ(refused->status, 400);
  EXPECT_THAT(refused->body, HasSubstr("a=setup:active"));
}

TEST_F(HttpServerTest, BadOffersGetASentence) {
  for (const auto& body : {std::string{}, std::string{"hello"}, without_line("a=ice-pwd")}) {
    const auto response = post(body);
    EXPECT_EQ(response->status, 400);
    EXPECT_THAT(response->get_header_value("Content-Type"), StartsWith("text/plain"));
    EXPECT_THAT(response->body, EndsWith(".\n"));
  }
  EXPECT_THAT(post(without_line("a=ice-pwd"))->body, HasSubstr("a=ice-pwd"));
  EXPECT_EQ(post(small_offer(), "/echo?setup=actpass")->status, 400);
  EXPECT_EQ(post(small_offer(), "/echo?setup=")->status, 400);
}

TEST_F(HttpServerTest, OtherContentTypesAreRefused) {
  EXPECT_EQ(post(small_offer(), "/echo", "text/plain")->status, 415);
  EXPECT_EQ(post(small_offer(), "/echo", "application/sdpx")->status, 415);
  EXPECT_EQ(client_->Post("/echo")->status, 415);
  EXPECT_EQ(post(small_offer(), "/echo", "Application/SDP; charset=utf-8")->status, 201);
}

TEST_F(HttpServerTest, LargeBodiesAreRefused) {
  const auto response = post(std::string(kMaxOffer + 1, 'x'));
  EXPECT_EQ(response->status, 413);
}

// What they would become is limited by nothing that the library has.
TEST_F(HttpServerTest, CodedBodiesAreRefused) {
  const httplib::Headers compressed{{"Content-Encoding", "gzip"}};
  EXPECT_EQ(client_->Post("/echo", compressed, small_offer(), kSdp)->status, 415);
  const auto chunked = client_->Post(
      "/echo",
      [](std::size_t, httplib::DataSink& sink) {
        sink.write("v=0", 3);
        sink.done();
        return true;
      },
      kSdp);
  ASSERT_TRUE(chunked);
  EXPECT_EQ(chunked->status, 411);
  EXPECT_THAT(chunked->body, HasSubstr("Content-Length"));
  EXPECT_EQ(post(small_offer())->status, 201);
}

TEST_F(HttpServerTest, AnswersAreWhole) {
  const auto whole = post(small_offer());
  const auto ranged = client_->Post("/echo", {{"Range", "bytes=0-9"}}, small_offer(), kSdp);
  ASSERT_TRUE(ranged);
  EXPECT_EQ(ranged->status, 201);
  EXPECT_EQ(ranged->body.substr(0, 3), "v=0");
  EXPECT_THAT(ranged->body, EndsWith(whole->body.substr(whole->body.size() - 20)));
}

TEST_F(HttpServerTest, UnknownSessions) {
  const std::string unknown = "/echo/00000000000000000000000000000000";
  EXPECT_EQ(client_->Get(unknown + "/statistics")->status, 404);
  EXPECT_EQ(client_->Delete(unknown)->status, 404);
  EXPECT_EQ(client_->Get("/echo/../etc/passwd")->status, 404);
  EXPECT_EQ(client_->Get("/nothing")->status, 404);
  EXPECT_EQ(client_->Get("/nothing")->body, "There is no such resource.\n");
}

TEST_F(HttpServerTest, DeleteEndsASession) {
  const auto location = create();
  EXPECT_EQ(client_->Delete(location)->status, 200);
  EXPECT_EQ(client_->Delete(location)->status, 404);
  EXPECT_EQ(client_->Get(location + "/statistics")->status, 404);
}

TEST_F(HttpServerTest, StatisticsBeforeAnythingCame) {
  const auto json = statistics(create());
  EXPECT_EQ(json["state"], "connecting");
  EXPECT_TRUE(json["reason"].is_null());
  EXPECT_TRUE(json["setup_ms"]["dtls"].is_null());
  EXPECT_TRUE(json["dtls"]["version"].is_null());
  EXPECT_EQ(json["packets"]["in"], 0);
  EXPECT_TRUE(json["data"].is_null());
}

TEST_F(HttpServerTest, SessionsAreLimited) {
  ServiceOptions options;
  options.max_sessions = 2;
  options.max_sessions_per_address = 2;
  start(options);
  const auto first = create();
  create();
  const auto refused = post(small_offer());
  EXPECT_EQ(refused->status, 503);
  EXPECT_THAT(refused->body, HasSubstr("too many sessions"));
  client_->Delete(first);
  EXPECT_EQ(post(small_offer())->status, 201);
}

TEST_F(HttpServerTest, SessionsOfAnAddressAreLimited) {
  ServiceOptions options;
  options.max_sessions = 4;
  start(options);
  const auto first = create();
  create();
  EXPECT_EQ(post(small_offer())->status, 503) << "half of all is for others";
  httplib::Client other("127.0.0.1", server_->port());
  other.set_interface("127.0.0.2");
  EXPECT_EQ(other.Post("/echo", small_offer(), kSdp)->status, 201);
  client_->Delete(first);
  EXPECT_EQ(post(small_offer())->status, 201);
}

// Else it would hold its place until the connect timeout.
TEST_F(HttpServerTest, WhatIsAnsweredTooLateIsNotDone) {
  ServiceOptions options;
  options.max_sessions = 1;
  start(options, {.answer_timeout = std::chrono::milliseconds{500}});
  std::promise<void> goes_on;
  thread_.post([&goes_on] { goes_on.get_future().wait(); });
  const auto response = post(small_offer());
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->body, "The server is too busy to answer in time.\n");
  goes_on.set_value();
  EXPECT_EQ(post(small_offer())->status, 201) << "there is room for one";
}

// A connection that is closed while its client still sends is reset, and the client may not see the
// answer.
TEST_F(HttpServerTest, ARefusedBodyMayBeSentToItsEnd) {
  for (const std::string_view coding : {"Transfer-Encoding: chunked", "Content-Encoding: gzip"}) {
    const RawConnection connection(server_->port());
    connection.write("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\n" +
                     std::string(coding) + "\r\nContent-Length: 100000\r\n\r\n");
    EXPECT_THAT(connection.read_to_end(), AllOf(StartsWith("HTTP/1.1 4"), EndsWith(".\n")));
    EXPECT_TRUE(connection.can_write("3\r\nv=0\r\n"));
    EXPECT_TRUE(connection.can_write("0\r\n\r\n")) << "no reset has come by then";
  }
}

// What stands in a body is no request, whatever it looks like: a proxy that sends the requests of
// several clients on one connection would give the second answer to another client.
TEST_F(HttpServerTest, ABodyIsNoRequest) {
  const std::string inner = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string size = std::to_string(inner.size());
  const std::string sdp = "Content-Type: application/sdp\r\n";
  for (const std::string& head : {
           "GET / HTTP/1.1\r\nContent-Length: " + size,
           "OPTIONS / HTTP/1.1\r\nContent-Length: " + size,
           "POST /echo HTTP/1.1\r\n" + sdp + "Content-Length: 0\r\nContent-Length: " + size,
           "POST /echo HTTP/1.1\r\n" + sdp + "Content-Length: 0, " + size,
           "POST /echo HTTP/1.1\r\n" + sdp + "Content-Length: +" + size,
           "POST /echo HTTP/1.1\r\n" + sdp + "Content-Length: 0\r\nTransfer-Encoding: chunked",
           "GET /\r\nContent-Length: " + size,
       }) {
    const RawConnection connection(server_->port());
    connection.write(head + "\r\nHost: localhost\r\n\r\n" + inner);
    const auto answers = connection.read_to_end();
    EXPECT_THAT(answers, StartsWith("HTTP/1.1 4")) << head;
    EXPECT_EQ(answers.find("HTTP/1.1", 1), std::string::npos) << head << answers;
  }
}

TEST_F(HttpServerTest, TheRestOfALongBodyIsNoRequest) {
  const std::string inner = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::string body;
  while (body.size() < 4'000'000) body += inner;
  const RawConnection connection(server_->port());
  connection.write(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
      "application/sdp\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n");
  std::thread sender([&] { connection.write(body); });
  const auto answers = connection.read_to_end();
  sender.join();
  EXPECT_THAT(answers, StartsWith("HTTP/1.1 413"));
  EXPECT_EQ(answers.find("HTTP/1.1", 1), std::string::npos) << answers;
}

// A byte now and then keeps no thread: without a limit this would take an hour.
TEST_F(HttpServerTest, ASlowRequestIsEnded) {
  start({}, {.request_timeout = std::chrono::milliseconds{200}});
  for (const std::string_view head : {"GET / HTTP/1.1\r\nX: ",
                                      "POST /echo HTTP/1.1\r\nHost: localhost\r\n"
                                      "Content-Type: application/sdp\r\n"
                                      "Content-Length: 500000\r\n\r\n"}) {
    const RawConnection slow(server_->port());
    slow.write(head);
    while (!slow.has_ended(std::chrono::milliseconds{10})) slow.write("x");  // ctest limits it
  }
}

TEST_F(HttpServerTest, ALongHeadIsEnded) {
  const RawConnection endless(server_->port());
  endless.write("GET / HTTP/1.1\r\n");
  const std::string field = "X: " + std::string(1000, 'x') + "\r\n";
  int fields = 0;
  for (; fields < 10'000 && !endless.has_ended(std::chrono::milliseconds{0}); ++fields) {
    endless.write(field);
  }
  EXPECT_LT(fields, 10'000);
}

TEST_F(HttpServerTest, ConnectionsOfAnAddressAreLimited) {
  start({}, {.max_connections_per_address = 3});
  const std::vector<std::unique_ptr<RawConnection>> held = [&] {
    std::vector<std::unique_ptr<RawConnection>> all;
    for (int i = 0; i < 3; ++i) {
      all.push_back(std::make_unique<RawConnection>(server_->port()));
      all.back()->write("GET / HTTP/1.1\r\n");
    }
    return all;
  }();
  // Until the server has seen all three; ctest limits it.
  while (httplib::Client("127.0.0.1", server_->port()).Get("/")) std::this_thread::yield();
  httplib::Client other("127.0.0.1", server_->port());
  other.set_interface("127.0.0.2");
  const auto page = other.Get("/");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
}

// The recorded offer has no peer: ICE fails, the statistics say so, and a new session may take the
// place.
TEST_F(HttpServerTest, SessionWithoutAPeerEnds) {
  ServiceOptions options;
  options.max_sessions = 1;
  options.agent = IceAgent::libnice;
  options.ice.timeout = std::chrono::milliseconds{100};
  start(options);
  expect_end_of_only_session("ICE failed");
}

// A lite agent waits for checks.
TEST_F(HttpServerTest, SessionWithoutChecksEnds) {
  ServiceOptions options;
  options.max_sessions = 1;
  options.connect_timeout = std::chrono::milliseconds{100};
  start(options);
  expect_end_of_only_session("not connected in time");
}

// RFC 8445 section 6.1.1: two lite agents would both wait.
TEST_F(HttpServerTest, ALiteAgentRefusesAnother) {
  const auto offer = std::string("a=ice-lite\r\n");
  auto sdp = small_offer();
  sdp.insert(sdp.find("m="), offer);
  const auto response = post(sdp);
  EXPECT_EQ(response->status, 500);
  EXPECT_THAT(response->body, HasSubstr("ice-lite"));
}

TEST_F(HttpServerTest, TheAnswerSaysWhichAgentItHas) {
  for (const IceAgent agent : {IceAgent::lite, IceAgent::libnice}) {
    start({.agent = agent});
    const auto answer = post(small_offer())->body;
    const bool is_lite = answer.find("a=ice-lite\r\n") != std::string::npos;
    EXPECT_EQ(is_lite, agent == IceAgent::lite);
    EXPECT_THAT(answer, HasSubstr(" 127.0.0.1 "));
    EXPECT_THAT(answer, HasSubstr("a=end-of-candidates\r\n"));
  }
}

TEST_F(HttpServerTest, OffersDataChannels) {
  for (const IceAgent agent : {IceAgent::lite, IceAgent::libnice}) {
    start({.agent = agent});
    const auto offered = client_->Post("/offer");
    ASSERT_EQ(offered->status, 201);
    EXPECT_EQ(offered->get_header_value("Content-Type"), kSdp);
    const auto offer = read_offer(offered->body);
    ASSERT_TRUE(offer) << offer.error().sentence;
    ASSERT_EQ(offer->sections.size(), 1U);
    EXPECT_EQ(offer->sections[0].kind, SectionKind::data);
    EXPECT_EQ(offer->sections[0].rejected, "");
    EXPECT_FALSE(offer->sections[0].sctp_init.empty());
    EXPECT_EQ(offer->transport.setup, Setup::actpass);
    EXPECT_FALSE(offer->transport.candidates.empty());

    const auto location = offered->get_header_value("Location");
    const auto answer = [&](const std::string& sdp) {
      return client_->Patch(location, sdp, kSdp)->status;
    };
    EXPECT_EQ(client_->Patch(location, offered->body, "text/plain")->status, 415);
    EXPECT_EQ(answer("v=0\r\n"), 400);
    EXPECT_EQ(answer(offered->body), 409) << "actpass";
    EXPECT_EQ(answer(small_offer()), 409) << "other sections";
    const auto good = with(offered->body, "setup:actpass", "setup:active");
    EXPECT_EQ(answer(good), 200);
    EXPECT_EQ(answer(good), 409) << "again";
    EXPECT_EQ(client_->Delete(location)->status, 200);
    EXPECT_EQ(answer(good), 404);
  }
}

TEST_F(HttpServerTest, AnswerWhereNothingWasOffered) {
  const auto location = create();
  const auto offered = client_->Post("/offer")->body;
  const auto response =
      client_->Patch(location, with(offered, "setup:actpass", "setup:active"), kSdp);
  EXPECT_EQ(response->status, 409);
  EXPECT_THAT(response->body, HasSubstr("waits for no answer"));
}

TEST_F(HttpServerTest, AllSessionsHaveOnePort) {
  const auto port_of = [&] {
    const auto answer = post(small_offer())->body;
    const auto at = answer.find(" 127.0.0.1 ");
    return answer.substr(at, answer.find(" typ ", at) - at);
  };
  const auto first = port_of();
  EXPECT_EQ(port_of(), first);
}

TEST_F(HttpServerTest, ManyAtATime) {
  constexpr int kClients = 8;
  std::vector<std::thread> clients;
  clients.reserve(kClients);
  std::atomic<int> created = 0;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([this, &created] {
      httplib::Client client("127.0.0.1", server_->port());
      for (int round = 0; round < 5; ++round) {
        const auto response = client.Post("/echo", browser_offer("firefox"), kSdp);
        if (!response || response->status != 201) continue;
        ++created;
        client.Delete(response->get_header_value("Location"));
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(created, 5 * kClients);
}

TEST(HttpServerStart, SaysThatThePortIsTaken) {
  nice::GlibThread thread;
  auto service = thread.call([&] { return EchoService::make({}, thread.context()).value(); });
  {
    const auto first = HttpServer::start({}, thread, *service);
    ASSERT_TRUE(first);
    const auto second = HttpServer::start({.port = (*first)->port()}, thread, *service);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error(), StartsWith("can't listen on 127.0.0.1:"));
  }
  thread.call([&] { service.reset(); });
}

TEST(EchoServiceOptions, BadOnesAreNamed) {
  const auto error_of = [](const ServiceOptions& options) {
    const auto service = EchoService::make(options, nullptr);
    return service ? "" : service.error();
  };
  EXPECT_THAT(error_of({.agent = IceAgent::libnice, .ice = {.local_addresses = {"nowhere"}}}),
              HasSubstr("local_addresses"));
  EXPECT_THAT(error_of({.lite = {.addresses = {"nowhere"}}}), HasSubstr("nowhere"));
}

}  // namespace
}  // namespace sluice::interop::demo
