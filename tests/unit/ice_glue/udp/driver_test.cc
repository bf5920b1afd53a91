// Two Endpoints on loopback sockets, each in a Driver.
#include <sluice/udp/driver.h>

#include <gmock/gmock.h>
#include <poll.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/dtls/endpoint.h>
#include <sluice/udp/address.h>

namespace sluice::udp {
namespace {

using EndpointDriver = Driver<dtls::Endpoint>;

Socket loopback(const SocketOptions& options) {
  return *Socket::bind(*resolve("127.0.0.1:0"), options);
}

bool is_readable(int descriptor) {
  pollfd polled{.fd = descriptor, .events = POLLIN, .revents = 0};
  return poll(&polled, 1, 0) == 1;
}

class DriverTest : public testing::Test {
 protected:
  static dtls::ConfigPtr config() {
    const auto bytes = std::as_bytes(std::span("32 bytes of a key that both know"));
    const auto psk = dtls::PreSharedKey::make(bytes.first(6), bytes);
    return dtls::Config::make(
               {.pre_shared_keys = {*psk}, .timers = {.initial = std::chrono::milliseconds{20}}})
        .value();
  }
  EndpointDriver driver_of(const dtls::EndpointOptions& options) {
    const bool is_server = options.server != nullptr;
    return *EndpointDriver::make(*dtls::Endpoint::make(options, environment_),
                                 loopback({.reports_local_address = is_server}));
  }

  // One turn of each side, in the way of a server and of a client.
  void turn() {
    server_.turn([this] {
      while (const auto data = server_.server().poll_data()) {
        EXPECT_TRUE(server_.send(data->connection, data->bytes));
      }
      while (server_.server().poll_event()) ++server_events_;
    });
    client_.turn([this] {
      while (const auto data = client_.server().poll_data()) {
        echoed_.emplace_back(reinterpret_cast<const char*>(data->bytes.data()), data->bytes.size());
      }
      while (const auto event = client_.server().poll_event()) {
        connected_ = connected_ || std::holds_alternative<dtls::Connected>(event->what);
      }
    });
  }
  template <class Done>
  void run_until(Done done) {
    for (int turns = 0; !done() && turns < 1000; ++turns) {
      client_.wait(now() + std::chrono::milliseconds{1});
      turn();
    }
    ASSERT_TRUE(done());
  }
  dtls::ConnectionHandle connect() {
    const auto made = client_.server().connect(config(), {.peer = server_.socket().own()}, now());
    EXPECT_TRUE(made.has_value());
    client_.drain([] {});
    run_until([this] { return connected_; });
    return *made;
  }

  dtls::Environment environment_ = dtls::Environment::make().value();
  EndpointDriver server_ = driver_of({.server = config()});
  EndpointDriver client_ = driver_of({});
  bool connected_ = false;
  int server_events_ = 0;
  std::vector<std::string> echoed_;
};

TEST_F(DriverTest, ConnectsAndEchoes) {
  const auto connection = connect();
  const std::vector<std::string> sent{"one", "two", "three"};
  for (const std::string& text : sent) {
    EXPECT_TRUE(client_.send(connection, std::as_bytes(std::span(text))));
  }
  client_.flush();
  run_until([&] { return echoed_.size() == sent.size(); });
  EXPECT_EQ(echoed_, sent);
  EXPECT_GT(server_events_, 0);
}

// What a turn makes leaves as few pieces: three answers of one size are one run.
TEST_F(DriverTest, SendsAtTheEndOfATurn) {
  const auto connection = connect();
  const auto before = client_.statistics().sent;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(client_.send(connection, std::as_bytes(std::span("same"))));
  }
  EXPECT_EQ(client_.statistics().sent, before);
  client_.flush();
  EXPECT_EQ(client_.statistics().sent, before + 3);
}

TEST_F(DriverTest, MoreThanABatchHoldsLeavesMeanwhile) {
  const auto connection = connect();
  const dtls::Buffer large(8'000);
  const auto before = client_.statistics().sent;
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(client_.send(connection, large));
  EXPECT_GT(client_.statistics().sent, before);
  client_.flush();
  EXPECT_EQ(client_.statistics().sent, before + 40);
}

TEST_F(DriverTest, RefusesDataThatFitsNoRecord) {
  const auto connection = connect();
  const dtls::Buffer too_large(70'000);
  const auto sent = client_.send(connection, too_large);
  ASSERT_FALSE(sent.has_value());
  EXPECT_EQ(sent.error(), dtls::SendError::too_large);
}

TEST_F(DriverTest, TheDescriptorIsReadableWhenADatagramHasCome) {
  EXPECT_FALSE(is_readable(server_.descriptor()));
  auto stranger = loopback({});
  stranger.send(std::as_bytes(std::span("hello")), {.peer = server_.socket().own()});
  EXPECT_TRUE(is_readable(server_.descriptor()));
  turn();
  EXPECT_FALSE(is_readable(server_.descriptor()));
}

// The server is gone, so the client's timer is all that can wake it.
TEST_F(DriverTest, TheDescriptorIsReadableWhenATimerIsDue) {
  const auto nobody = loopback({});
  ASSERT_TRUE(client_.server().connect(config(), {.peer = nobody.own()}, now()));
  client_.drain([] {});
  ASSERT_TRUE(client_.server().next_timeout());
  const auto sent = client_.statistics().sent;
  EXPECT_EQ(sent, 1U);
  client_.wait();
  EXPECT_GE(now(), *client_.server().next_timeout());
  EXPECT_TRUE(is_readable(client_.descriptor()));
  client_.turn([] {});
  EXPECT_EQ(client_.statistics().sent, 2U) << "it repeats its ClientHello";
  EXPECT_FALSE(is_readable(client_.descriptor()));
}

TEST_F(DriverTest, WaitsNoLongerThanItIsTold) {
  const auto until = now() + std::chrono::milliseconds{2};
  server_.wait(until);
  EXPECT_GE(now(), until);
}

TEST_F(DriverTest, TellsOfEachTransmit) {
  ASSERT_TRUE(client_.server().connect(config(), {.peer = server_.socket().own()}, now()));
  int told = 0;
  client_.drain([] {},
                [&](const dtls::EndpointTransmit& sent) {
                  ++told;
                  EXPECT_EQ(sent.path.peer, server_.socket().own());
                });
  EXPECT_EQ(told, 1);
}

// As a client does that hears of another network by one of several datagrams.
TEST_F(DriverTest, GoesOnWithAnotherSocketInTheMiddleOfATurn) {
  const auto connection = connect();
  const std::vector<std::string> sent{"one", "two", "three"};
  for (const std::string& text : sent) {
    EXPECT_TRUE(client_.send(connection, std::as_bytes(std::span(text))));
  }
  client_.flush();
  server_.turn([this] {
    while (const auto data = server_.server().poll_data()) {
      EXPECT_TRUE(server_.send(data->connection, data->bytes));
    }
  });
  client_.wait();
  client_.turn([this] {
    while (const auto data = client_.server().poll_data()) {
      if (echoed_.empty()) {
        ASSERT_TRUE(client_.change_socket(loopback({.reports_local_address = false})));
      }
      echoed_.emplace_back(reinterpret_cast<const char*>(data->bytes.data()), data->bytes.size());
    }
  });
  EXPECT_EQ(echoed_, sent);
}

TEST_F(DriverTest, GoesOnWithAnotherSocket) {
  const auto connection = connect();
  auto fresh = loopback({});
  const auto own = fresh.own();
  ASSERT_TRUE(client_.change_socket(std::move(fresh)));
  EXPECT_EQ(client_.socket().own(), own);
  // The connection has no ID, so the server does not know the new address; but it arrives.
  turn();
  const auto received = server_.statistics().received;
  EXPECT_TRUE(client_.send(connection, std::as_bytes(std::span("from elsewhere"))));
  client_.flush();
  EXPECT_TRUE(is_readable(server_.descriptor()));
  turn();
  EXPECT_EQ(server_.statistics().received, received + 1);
}

}  // namespace
}  // namespace sluice::udp
