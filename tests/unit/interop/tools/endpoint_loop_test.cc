#include "tools/endpoint_loop.h"

#include <gmock/gmock.h>
#include <sluice/udp/address.h>
#include <unistd.h>

#include "common/clock.h"
#include "tools/tool_context.h"

namespace sluice::interop::tools {
namespace {

// One end of a connection on loopback: remembers what it is told, and sends data back if asked to.
class End final : public EndpointHandler {
 public:
  End(udp::Socket socket, ToolContext& context, bool is_server)
      : context_(context),
        echoes_(is_server),
        loop_(*EndpointDriver::make(endpoint_of(context, is_server), std::move(socket)), *this) {}

  void on_data(const dtls::EndpointData& data) override {
    text += std::string(reinterpret_cast<const char*>(data.bytes.data()), data.bytes.size());
    if (echoes_) {
      EXPECT_TRUE(loop_.send(data.connection, dtls::Buffer(data.bytes.begin(), data.bytes.end())));
    }
  }
  void on_event(const dtls::EndpointEvent& event) override {
    if (const auto* asked = std::get_if<dtls::PeerCertificateReceived>(&event.what)) {
      context_.answer_certificate(loop_.endpoint(), event.connection, *asked);
    }
    connected = connected || std::holds_alternative<dtls::Connected>(event.what);
    ended = ended || std::holds_alternative<dtls::Ended>(event.what);
  }

  EndpointLoop& loop() { return loop_; }

  bool connected = false;
  bool ended = false;
  std::string text;

 private:
  static dtls::Endpoint endpoint_of(ToolContext& context, bool is_server) {
    auto made = dtls::Endpoint::make({.server = is_server ? context.config() : nullptr},
                                     context.environment());
    EXPECT_TRUE(made.has_value());
    return *std::move(made);
  }

  ToolContext& context_;
  bool echoes_;
  EndpointLoop loop_;
};

class EndpointLoopTest : public testing::Test {
 protected:
  static udp::Socket loopback_socket(const udp::SocketOptions& options) {
    return *udp::Socket::bind(*udp::resolve("127.0.0.1:0"), options);
  }
  static std::unique_ptr<ToolContext> context(dtls::PeerAuthentication wanted) {
    return *ToolContext::make({}, wanted);
  }

  // Lets both ends run until `done`, which a failure alone makes wait for the deadline.
  template <class Done>
  void run_until(Done done) {
    const auto deadline = common::now() + std::chrono::seconds{20};
    while (!done()) {
      ASSERT_LT(common::now(), deadline);
      client_.loop().turn(common::now());
      server_.loop().turn(common::now());
    }
  }

  std::unique_ptr<ToolContext> server_context_ = context(dtls::PeerAuthentication::none);
  std::unique_ptr<ToolContext> client_context_ = context(dtls::PeerAuthentication::require);
  End server_{loopback_socket({}), *server_context_, true};
  End client_{loopback_socket({.reports_local_address = false}), *client_context_, false};
};

TEST_F(EndpointLoopTest, ConnectsSendsAndCloses) {
  const auto connection = client_.loop().endpoint().connect(
      client_context_->config(), {.peer = server_.loop().socket().own()}, common::now());
  ASSERT_TRUE(connection.has_value());
  client_.loop().drain();
  const std::string text = "over and back";
  const auto bytes = std::as_bytes(std::span(text));
  EXPECT_FALSE(client_.loop().send(*connection, bytes)) << "there is no connection yet";

  run_until([&] { return client_.connected && server_.connected; });
  EXPECT_TRUE(client_.loop().send(*connection, bytes));
  run_until([&] { return client_.text.size() >= text.size(); });
  EXPECT_EQ(client_.text, text);
  EXPECT_EQ(server_.text, text);

  ASSERT_TRUE(client_.loop().endpoint().close(*connection, common::now()).has_value());
  client_.loop().drain();
  run_until([&] { return client_.ended && server_.ended; });
  EXPECT_EQ(server_.loop().endpoint().size(), 0U);
}

TEST_F(EndpointLoopTest, ATurnEndsWhenAnotherDescriptorCanBeRead) {
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  server_.loop().poller().add(pipe_ends[0]);
  ASSERT_EQ(write(pipe_ends[1], "x", 1), 1);
  server_.loop().turn();
  EXPECT_TRUE(server_.loop().poller().is_ready(pipe_ends[0]));
  EXPECT_FALSE(server_.loop().poller().is_ready(server_.loop().socket().descriptor()));
  for (const int end : pipe_ends) close(end);
}

TEST_F(EndpointLoopTest, ATurnEndsAtTheGivenTime) {
  const auto until = common::now() + std::chrono::milliseconds{2};
  server_.loop().turn(until);
  EXPECT_GE(common::now(), until);
}

}  // namespace
}  // namespace sluice::interop::tools
