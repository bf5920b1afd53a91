// Where a request ends. What a proxy takes for a body must not be answered as another request: a
// proxy that has one connection for several clients would give that answer to another one
// (RFC 9112 section 11.2).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/http/request_head.h"
#include "common/http/web_server.h"
#include "support/raw_connection.h"

namespace sluice::interop {
namespace {

using test::RawConnection;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kHost = "Host: localhost\r\n";
const std::string kInner = "GET /inner HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const std::string kSize = std::to_string(kInner.size());

class RequestFraming : public testing::Test {
 protected:
  RequestFraming() {
    const auto echo = [](const httplib::Request& request, httplib::Response& response) {
      response.set_content("[" + request.body + "]", "text/plain");
    };
    server_.routes().Get("/fields/(.*)", [](const auto& request, auto& response) {
      response.set_content("[" + request.get_header_value(request.matches[1].str()) + "]", "a/b");
    });
    server_.routes().Get("/.*", echo);
    server_.routes().Post("/.*", echo);
    server_.routes().Patch("/.*", echo);
    EXPECT_TRUE(server_.listen());
  }
  // All answers on one connection.
  [[nodiscard]] std::string answers(const std::string& text) const {
    const RawConnection connection(server_.port());
    connection.write(text);
    return connection.read_to_end();
  }
  static std::size_t count(const std::string& answers) {
    std::size_t found = 0;
    for (auto at = answers.find("HTTP/1.1 "); at != std::string::npos;
         at = answers.find("HTTP/1.1 ", at + 1)) {
      ++found;
    }
    return found;
  }

  WebServer server_{{.request_timeout = std::chrono::milliseconds{5000}}, 1000};
};

TEST_F(RequestFraming, AHeadThatAProxyMayReadDifferentlyIsRefused) {
  const std::string get = "GET / HTTP/1.1\r\n" + kHost;
  const std::string post = "POST / HTTP/1.1\r\n" + kHost;
  for (const std::string& head : {
           get + "Content-Length : " + kSize,
           get + "Content-Length\t: " + kSize,
           get + "Content-Length:\r\n " + kSize,
           get + "Content-Length:",
           get + "Content-Length: " + kSize + "\nX: y",
           get + "X: a\rContent-Length: " + kSize,
           get + "X: a\nContent-Length: " + kSize,
           get + "X: " + std::string("\0", 1) + "\r\nContent-Length: " + kSize,
           get + "Transfer-Encoding:\r\n chunked",
           get + "Transfer-Encoding : chunked",
           get + "Transfer-Encoding:",
           get + "no colon",
           get + ": no name",
           post + "Content-Length: %30",
           post + "Content-Length: 0x0",
           post + "Content-Length: -0",
           post + "Content-Length: 0,0",
           post + "Content-Length: 0\r\nContent-Length: 0",
           post + "Content-Length: 99999999999999999999",
           get + kHost + "X: two hosts",
           std::string("GET / HTTP/1.1\r\nX: no host"),
           std::string("GET / HTTP/1.1\nHost: localhost"),
       }) {
    const auto all = answers(head + "\r\n\r\n" + kInner);
    EXPECT_THAT(all, StartsWith("HTTP/1.1 400")) << head;
    EXPECT_THAT(all, HasSubstr("Connection: close")) << head;
    EXPECT_EQ(count(all), 1U) << head << "\n" << all;
  }
}

TEST_F(RequestFraming, ABodyThatIsNotReadIsNoRequest) {
  const std::string length = "Content-Length: " + kSize + "\r\n";
  for (const std::string& head : {
           "POST / HTTP/1.1\r\n" + kHost + length + "Content-Type: multipart/form-data",
           "POST / HTTP/1.1\r\n" + kHost + length + "Content-Type: multipart/form-data; boundary=x",
           "GET / HTTP/1.1\r\n" + kHost + length + "X: y",
           "PRI / HTTP/1.1\r\n" + kHost + length + "X: y",
           "POST / HTTP/1.1\r\n" + kHost + length + "Transfer-Encoding: chunked",
           "POST / HTTP/1.1\r\n" + kHost + "Content-Length: 1001",
       }) {
    const auto all = answers(head + "\r\n\r\n" + kInner);
    EXPECT_THAT(all, StartsWith("HTTP/1.1 4")) << head;
    EXPECT_EQ(count(all), 1U) << head << "\n" << all;
  }
}

// RFC 9112 section 6.3: without a length a request has no body. What follows is the next request,
// and its fields are no part of this one.
TEST_F(RequestFraming, ARequestWithoutALengthHasNoBody) {
  for (const char* method : {"POST", "PATCH", "GET"}) {
    const auto all = answers(method + (" / HTTP/1.1\r\n" + kHost) + "\r\n" + kInner);
    EXPECT_EQ(count(all), 2U) << all;
    EXPECT_THAT(all, HasSubstr("[]HTTP/1.1 200")) << method;
  }
}

TEST_F(RequestFraming, RequestsMayFollowEachOther) {
  const auto all = answers("\r\nPOST / HTTP/1.1\r\n" + kHost + "Content-Length: 3\r\n\r\none" +
                           "POST / HTTP/1.1\r\n" + kHost + "content-length:3 \r\n\r\ntwo" + kInner);
  EXPECT_EQ(count(all), 3U) << all;
  EXPECT_THAT(all, HasSubstr("[one]"));
  EXPECT_THAT(all, HasSubstr("[two]"));
}

TEST_F(RequestFraming, ARequestMayComeInAnyPieces) {
  const std::string text = "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\none";
  const RawConnection connection(server_.port());
  for (const char letter : text) connection.write(std::string_view(&letter, 1));
  EXPECT_THAT(connection.read_to_end(), HasSubstr("[one]"));
}

// The library decodes them as if they were parts of a URL.
TEST_F(RequestFraming, FieldsAreTakenAsTheyAre) {
  const auto all = answers("GET /fields/X HTTP/1.0\r\nX: 100%25 %41%0d%0a\r\n\r\n");
  EXPECT_THAT(all, HasSubstr("[100%25 %41%0d%0a]"));
}

// The library would recurse for each character.
TEST_F(RequestFraming, RangesAreIgnored) {
  const auto all = answers("GET / HTTP/1.0\r\nRange: bytes=0-0\r\nRANGE: x\r\n\r\n");
  EXPECT_THAT(all, StartsWith("HTTP/1.1 200"));
}

TEST_F(RequestFraming, ALongHeadIsRefused) {
  const auto all =
      answers("GET / HTTP/1.1\r\n" + kHost + "X: " + std::string(70'000, 'x') + "\r\n\r\n");
  EXPECT_THAT(all, StartsWith("HTTP/1.1 400"));
  EXPECT_EQ(count(all), 1U);
}

TEST(RequestHead, EndsWithItsEmptyLine) {
  EXPECT_FALSE(read_request_head(""));
  EXPECT_FALSE(read_request_head("\r\n"));
  EXPECT_FALSE(read_request_head("GET / HTTP/1.0\r\n"));
  EXPECT_FALSE(read_request_head("GET / HTTP/1.0\r\n\r\nX"));
  EXPECT_TRUE(read_request_head("GET / HTTP/1.0\r\n\r\n"));
}

TEST(RequestHead, IsWrittenForTheLibrary) {
  const auto head = read_request_head(
      "PUT /%41 HTTP/1.1\r\nhOST:a\r\nX:\t%41 \r\nRange: b\r\n"
      "Content-Length: 0012\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->text, "PUT /%41 HTTP/1.1\r\nhOST: a\r\nX: %2541\r\nContent-Length: 0012\r\n\r\n");
  EXPECT_EQ(head->body, 12U);
}

// Each of them has as many connections as it may, and sends its request slowly.
TEST(WebServerConnections, AFewSlowAddressesLeaveRoomForOthers) {
  WebServer server({.max_connections_per_address = 12}, 1000);
  server.routes().Get("/", [](const auto& /*request*/, auto& response) { response.status = 204; });
  ASSERT_TRUE(server.listen());
  std::vector<std::unique_ptr<RawConnection>> held;
  for (std::uint8_t from = 2; from < 10; ++from) {
    for (int i = 0; i < 12; ++i) {
      held.push_back(std::make_unique<RawConnection>(server.port(), from));
      held.back()->write("GET / HTTP/1.1\r\n");
    }
  }
  const auto answer = httplib::Client("127.0.0.1", server.port()).Get("/");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 204);
}

// Waiting for a thread costs descriptors, too.
TEST(WebServerConnections, ThoseThatWaitCountToo) {
  WebServer server({.max_connections_per_address = 1000}, 1000);
  ASSERT_TRUE(server.listen());
  std::vector<std::unique_ptr<RawConnection>> held;
  for (int i = 0; i < 600; ++i) {
    held.push_back(std::make_unique<RawConnection>(server.port()));
    held.back()->write("GET / HTTP/1.1\r\n");
  }
  // The last ones are closed at once, while the threads are busy.
  EXPECT_TRUE(held.back()->has_ended(std::chrono::seconds{10}));
}

}  // namespace
}  // namespace sluice::interop
