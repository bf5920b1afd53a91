#include "common/client/whip_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <future>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

#include <sluice/udp/descriptor.h>

namespace sluice::interop {
namespace {

using testing::HasSubstr;

TEST(Url, HasItsParts) {
  const auto url = parse_url("http://example.org:8080/whip/room?a=b").value();
  EXPECT_EQ(url.origin, "http://example.org:8080");
  EXPECT_EQ(url.host, "example.org");
  EXPECT_EQ(url.port, "8080");
  EXPECT_EQ(url.path, "/whip/room?a=b");
}

TEST(Url, HasDefaults) {
  const auto url = parse_url("https://example.org").value();
  EXPECT_EQ(url.port, "443");
  EXPECT_EQ(url.path, "/");
  EXPECT_EQ(parse_url("http://example.org/").value().port, "80");
}

TEST(Url, MayNameAnIpv6Address) {
  const auto url = parse_url("http://[2001:db8::1]:8080/x").value();
  EXPECT_EQ(url.host, "2001:db8::1");
  EXPECT_EQ(url.port, "8080");
  EXPECT_EQ(parse_url("http://[::1]/x").value().port, "80");
}

TEST(Url, BadOnesAreNamed) {
  for (const char* text : {"", "example.org/whip", "ftp://example.org", "http://", "http:///x",
                           "http://example.org:/x"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_THAT(url.error(), HasSubstr(text));
  }
}

TEST(Location, IsRelativeToTheEndpoint) {
  const auto base = parse_url("http://example.org:8080/live/whip?x=/y").value();
  EXPECT_EQ(resolve_location(base, "/session/1"), "http://example.org:8080/session/1");
  EXPECT_EQ(resolve_location(base, "session/1"), "http://example.org:8080/live/session/1");
  EXPECT_EQ(resolve_location(base, "https://other.org/1"), "https://other.org/1");
  EXPECT_EQ(resolve_location(base, ""), "");
}

// A server that does what its path says.
class WhipClientTest : public testing::Test {
 protected:
  WhipClientTest() {
    server_.Post("/whip", [](const httplib::Request& request, httplib::Response& response) {
      response.status = request.get_header_value("Authorization") == "Bearer secret" &&
                                request.get_header_value("Content-Type") == "application/sdp"
                            ? 201
                            : 401;
      response.set_header("Location", "/session/1");
      response.set_content("answer to " + request.body, "application/sdp");
    });
    server_.Post("/full", [](const httplib::Request& /*request*/, httplib::Response& response) {
      response.status = 503;
      response.set_content("There are too many.\n", "text/plain");
    });
    server_.Delete("/session/1", [](const httplib::Request& request, httplib::Response& response) {
      response.status = request.get_header_value("Authorization") == "Bearer secret" ? 200 : 401;
      response.set_content("", "text/plain");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~WhipClientTest() override {
    client_ = {};  // the server waits for its connection
    server_.stop();
    thread_.join();
  }
  [[nodiscard]] HttpEndpoint endpoint(const std::string& path) const {
    return {.url = parse_url("http://127.0.0.1:" + std::to_string(port_) + path).value(),
            .token = "secret"};
  }

  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  WhipClient client_;
};

TEST_F(WhipClientTest, PostsAndDeletes) {
  const auto posted = client_.post(endpoint("/whip"), "offer");
  ASSERT_TRUE(posted) << posted.error().sentence;
  EXPECT_EQ(posted->answer, "answer to offer");
  EXPECT_EQ(posted->location, endpoint("").url.origin + "/session/1");
  const auto removed = client_.remove(endpoint("/whip"), posted->location);
  EXPECT_TRUE(removed) << removed.error();
}

TEST_F(WhipClientTest, SaysWhatTheServerAnswers) {
  EXPECT_EQ(client_.post(endpoint("/full"), "offer").error().sentence,
            "the server answers 503: There are too many.");
  auto other = endpoint("/whip");
  other.token = "";
  EXPECT_THAT(client_.post(other, "offer").error().sentence, HasSubstr("401"));
  EXPECT_THAT(client_.remove(other, other.url.origin + "/session/1").error(), HasSubstr("401"));
}

// draft-ietf-wish-whep-04: 406 with an offer. Without one, or without a URL for the answer, it is
// as any other refusal.
TEST_F(WhipClientTest, AnswersACounterOffer) {
  server_.Post("/whep", [](const httplib::Request& request, httplib::Response& response) {
    response.status = 406;
    if (request.body != "no location") response.set_header("Location", "/session/1");
    response.set_content("counter-offer",
                         request.body == "no offer" ? "text/plain" : "application/sdp");
  });
  server_.Patch("/session/1", [](const httplib::Request& request, httplib::Response& response) {
    const bool is_answer = request.body == "answer" &&
                           request.get_header_value("Content-Type") == "application/sdp" &&
                           request.get_header_value("Authorization") == "Bearer secret";
    response.status = is_answer ? 204 : 400;
  });
  const auto refused = client_.post(endpoint("/whep"), "offer").error();
  ASSERT_TRUE(refused.counter_offer);
  EXPECT_EQ(refused.status, 406);
  EXPECT_EQ(refused.counter_offer->offer, "counter-offer");
  const std::string& location = refused.counter_offer->location;
  EXPECT_EQ(location, endpoint("").url.origin + "/session/1");
  const auto answered = client_.answer(endpoint("/whep"), location, "answer");
  EXPECT_TRUE(answered) << answered.error();
  EXPECT_THAT(client_.answer(endpoint("/whep"), location, "another").error(), HasSubstr("400"));
  for (const char* offer : {"no offer", "no location"}) {
    EXPECT_FALSE(client_.post(endpoint("/whep"), offer).error().counter_offer) << offer;
  }
}

// A foreign server must not occupy memory or a thread for ever.
TEST_F(WhipClientTest, AnEndlessAnswerIsRefused) {
  server_.Post("/endless", [](const httplib::Request&, httplib::Response& response) {
    response.status = 201;
    response.set_chunked_content_provider(
        "application/sdp", [part = std::string(65536, 'x')](std::size_t, httplib::DataSink& sink) {
          return sink.write(part.data(), part.size());
        });
  });
  EXPECT_THAT(client_.post(endpoint("/endless"), "offer").error().sentence,
              HasSubstr("does not answer a POST ("));
}

// A server that answers one connection with header fields without end.
class EndlessHead {
 public:
  static constexpr std::size_t kMost = 200'000'000;  // limits a failing test

  EndlessHead() : listening_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listening_.number(), generic, size) != 0 || listen(listening_.number(), 1) != 0 ||
        getsockname(listening_.number(), generic, &size) != 0) {
      throw std::runtime_error("a socket of TCP");
    }
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/whip";
    thread_ = std::thread([this] { serve(); });
  }
  // After its client has ended. How many bytes it has sent.
  std::size_t end() {
    shutdown(accepted_.get_future().get(), SHUT_RDWR);
    thread_.join();
    return sent_;
  }
  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  void serve() {
    connection_ = udp::Descriptor(accept(listening_.number(), nullptr, nullptr));
    accepted_.set_value(connection_.number());
    std::string text = "HTTP/1.1 201 Created\r\n";
    while (send(connection_.number(), text.data(), text.size(), MSG_NOSIGNAL) > 0 &&
           sent_ < kMost) {
      sent_ += text.size();
      text = "Field: " + std::string(4000, 'x') + "\r\n";
    }
  }

  udp::Descriptor listening_;
  udp::Descriptor connection_;
  std::promise<int> accepted_;
  std::string url_;
  std::size_t sent_ = 0;
  std::thread thread_;
};

TEST(WhipClientHead, AnEndlessOneIsRefused) {
  EndlessHead server;
  {
    WhipClient client({.request_time = std::chrono::hours{1}});
    EXPECT_FALSE(client.post({.url = parse_url(server.url()).value()}, "offer"));
  }
  EXPECT_LT(server.end(), EndlessHead::kMost);
}

// Answers with its first byte, and then waits.
class WhipClientEnd : public WhipClientTest {
 protected:
  WhipClientEnd() {
    server_.Post("/waits", [this](const httplib::Request&, httplib::Response& response) {
      response.status = 201;
      response.set_chunked_content_provider("application/sdp",
                                            [this](std::size_t offset, httplib::DataSink& sink) {
                                              if (offset > 0) {
                                                begun_.set_value();
                                                return end_.get_future().get();
                                              }
                                              return sink.write("v", 1);
                                            });
    });
  }
  ~WhipClientEnd() override { end_.set_value(false); }

  std::promise<void> begun_;
  std::promise<bool> end_;
};

TEST_F(WhipClientEnd, ARequestHasALimitOfTime) {
  WhipClient client({.request_time = std::chrono::seconds{1}});
  EXPECT_FALSE(client.post(endpoint("/waits"), "offer"));
}

TEST_F(WhipClientEnd, ARequestIsEnded) {
  std::stop_source end;
  WhipClient client({.end = end.get_token()});
  std::jthread ends([&] {
    begun_.get_future().wait();
    end.request_stop();
  });
  EXPECT_FALSE(client.post(endpoint("/waits"), "offer"));
}

TEST_F(WhipClientTest, SaysThatThereIsNoServer) {
  const HttpEndpoint nobody{.url = parse_url("http://127.0.0.1:1/whip").value()};
  EXPECT_THAT(client_.post(nobody, "offer").error().sentence,
              HasSubstr("does not answer a POST ("));
}

}  // namespace
}  // namespace sluice::interop
