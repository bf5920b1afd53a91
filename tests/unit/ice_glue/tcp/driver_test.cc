// An IceLiteServer on a UDP and a TCP socket, and a client with real checks, DTLS and SRTP.
#include <sluice/tcp/driver.h>

#include <gmock/gmock.h>
#include <sluice/ice_lite/ice_lite_server.h>

#include <optional>

#include "loopback.h"
#include "support/endpoints.h"
#include "support/ice_checks.h"
#include "support/ice_client.h"
#include "support/ice_world.h"

namespace sluice::tcp {
namespace {

using ice_lite::IceLiteServer;
using ServerDriver = Driver<IceLiteServer>;
using test::must;

udp::Socket udp_socket() { return *udp::Socket::bind(*udp::resolve("127.0.0.1:0")); }

ServerDriver make_driver() {
  auto server = must(IceLiteServer::make({}, test::environment()));
  auto listener = *Listener::open(*udp::resolve("127.0.0.1:0"), test::environment());
  return *ServerDriver::make(std::move(server), udp_socket(), std::move(listener));
}

class TcpDriver : public testing::Test {
 protected:
  TcpDriver() {
    auto options = test::options();
    config_ = test::make_config(options);
    fingerprint_ = must(dtls::Fingerprint::of(options.identities.front().certificate(),
                                              dtls::HashAlgorithm::sha256, test::environment()));
    ice_lite::SessionOptions session;
    session.transport.dtls = config_;
    session.peer_fingerprints = {*fingerprint_};
    session_ = must(driver_.server().add_session(session, udp::now()));
    driver_.drain([] {});
  }

  void connect() { peer_.emplace(driver_.listener().own()); }
  // Echoes media and data, and tells the client what has come.
  void turn() {
    driver_.wait(udp::now() + 1ms);
    driver_.turn(
        [this] {
          auto& server = driver_.server();
          while (const auto data = server.poll_data()) {
            const auto room = driver_.room(data->bytes.size() + dtls::kSealOverhead);
            const auto made = server.seal_data(data->session, data->bytes, room);
            if (made) driver_.commit(made->size, made->path);
          }
          while (const auto media = server.poll_media()) {
            const auto room = driver_.room(media->packet.size() + srtp::kMaxTrailer);
            std::ranges::copy(media->packet, room.begin());
            const auto made = server.protect_rtp(media->session, room, media->packet.size());
            if (made) driver_.commit(made->size, made->path);
          }
          while (server.poll_event()) continue;
        },
        [this](const ice_lite::Transmit& sent) { transmits_ += is_connection(sent.path); });
    if (client_) turn_client();
  }
  void turn_client() {
    if (is_ready(peer_->number(), POLLIN, 0ms)) {
      auto bytes = peer_->read();
      for (dtls::MutableBytes rest = bytes;;) {
        const auto datagram = deframer_.next(rest);
        ASSERT_TRUE(datagram.has_value());
        if (!*datagram) break;
        client_->handle_datagram(**datagram, 0, udp::now());
      }
    }
    client_->handle_timeout(udp::now());
    flush_client();
  }
  void flush_client() {
    for (const auto& each : client_->take()) peer_->send({text_of(each.bytes)});
  }
  template <class Done>
  void until(Done done) {
    for (int turns = 0; !done() && turns < 10'000; ++turns) turn();
    ASSERT_TRUE(done());
  }
  void call() {
    connect();
    auto media = must(transport::MediaTransport::make({.dtls = config_}, test::environment()));
    static_cast<void>(must(media.start(dtls::Role::client, udp::now())));
    static_cast<void>(must(media.set_peer_fingerprints({&*fingerprint_, 1}, udp::now())));
    client_.emplace(
        test::IceClientOptions{.remote = driver_.server().local_credentials(session_).value(),
                               .candidates = {peer_->own()}},
        test::environment(), std::move(media));
    client_->begin(udp::now());
    flush_client();
    until([&] { return client_->connected_at.has_value(); });
  }
  dtls::Buffer check(std::uint32_t priority) {
    const auto credentials = driver_.server().local_credentials(session_).value();
    return test::make_check({.username = credentials.ufrag + ":peer",
                             .pwd = credentials.pwd,
                             .priority = priority,
                             .use_candidate = true});
  }
  std::optional<dtls::UdpPath> path() { return driver_.server().path_of(session_); }

  ServerDriver driver_ = make_driver();
  dtls::ConfigPtr config_;
  std::optional<dtls::Fingerprint> fingerprint_;
  ice_lite::SessionHandle session_ = ice_lite::kNoSession;
  std::optional<Peer> peer_;
  std::optional<test::IceClient> client_;
  Deframer deframer_ = Deframer(kMaxFrame);
  int transmits_ = 0;
};

TEST_F(TcpDriver, ACallGoesOverTcp) {
  call();
  ASSERT_TRUE(path());
  EXPECT_TRUE(is_connection(*path()));
  EXPECT_EQ(path()->peer, peer_->own());
  EXPECT_EQ(client_->mapped, peer_->own());
  const test::Packet data(1000, std::byte{7});
  const auto rtp = test::make_rtp();
  ASSERT_TRUE(client_->send_data(data));
  ASSERT_TRUE(client_->send_rtp(rtp));
  flush_client();
  until([&] { return !client_->data.empty() && !client_->rtp.empty(); });
  EXPECT_EQ(client_->data.front(), data);
  EXPECT_EQ(client_->rtp.front(), rtp);
  EXPECT_GT(transmits_, 0);
  EXPECT_EQ(driver_.statistics().sent, 0U) << "nothing left over UDP";
}

// An authentic peer keeps its connection, a stranger does not.
TEST_F(TcpDriver, ConfirmsConnectionsOfSessions) {
  connect();
  peer_->send({"\x01 no STUN"});
  until([&] { return driver_.listener().statistics().received == 1; });
  ASSERT_TRUE(driver_.listener().next_timeout());
  EXPECT_LE(*driver_.listener().next_timeout(), udp::now() + 10s);
  peer_->send({text_of(check(1000))});
  until([&] { return path().has_value(); });
  EXPECT_GT(*driver_.listener().next_timeout(), udp::now() + 30s);
}

TEST_F(TcpDriver, AnswersOverWhatACheckCameOver) {
  connect();
  auto socket = udp_socket();
  socket.send(check(2000), {.peer = driver_.socket().own()});
  until([&] { return path().has_value(); });
  EXPECT_EQ(path()->peer, socket.own());
  const auto answered = driver_.statistics().sent;
  EXPECT_EQ(answered, 1U);
  peer_->send({text_of(check(1000))});
  until([&] { return driver_.listener().statistics().sent == 1; });
  EXPECT_EQ(path()->peer, socket.own()) << "the higher priority";
  EXPECT_EQ(driver_.statistics().sent, answered);
}

// The other nominated tuple takes over as soon as the connection has ended.
TEST_F(TcpDriver, TellsTheServerOfAConnectionThatHasEnded) {
  connect();
  peer_->send({text_of(check(2000))});
  until([&] { return path().has_value(); });
  auto socket = udp_socket();
  socket.send(check(1000), {.peer = driver_.socket().own()});
  until([&] { return driver_.server().tuples() == 2; });
  EXPECT_EQ(path()->peer, peer_->own());
  peer_->reset();
  until([&] { return path() && path()->peer == socket.own(); });
  EXPECT_EQ(driver_.server().tuples(), 1U);
  EXPECT_EQ(driver_.server().statistics().tuples_closed, 1U);
}

// DTLS and SRTP go on over another connection.
TEST_F(TcpDriver, ACallGoesOnOverANewConnection) {
  call();
  peer_->reset();
  until([&] {
    client_->take();
    return !path();
  });
  connect();
  deframer_ = Deframer(kMaxFrame);
  client_->nominate(0, udp::now());
  flush_client();
  until([&] { return path().has_value(); });
  EXPECT_EQ(path()->peer, peer_->own());
  ASSERT_TRUE(client_->send_rtp(test::make_rtp()));
  flush_client();
  until([&] { return client_->rtp.size() == 1; });
}

// More than one turn takes wakes the next turn.
TEST_F(TcpDriver, TakesAllThatWasRead) {
  connect();
  constexpr std::size_t kMany = ServerDriver::kMaxConnectionBatches * Listener::kBatch + 100;
  peer_->send(std::vector<std::string>(kMany, "x"));
  until([&] { return driver_.listener().statistics().received == kMany; });
  EXPECT_FALSE(is_ready(driver_.descriptor(), POLLIN, 0ms));
}

// The server has no timer, the Listener has.
TEST_F(TcpDriver, WakesWhenAConnectionIsToBeClosed) {
  auto server = must(IceLiteServer::make({}, test::environment()));
  auto listener =
      *Listener::open(*udp::resolve("127.0.0.1:0"), test::environment(), {.confirm_within = 20ms});
  auto driver = *ServerDriver::make(std::move(server), udp_socket(), std::move(listener));
  const Peer silent(driver.listener().own());
  while (driver.listener().statistics().count(CloseReason::unconfirmed) == 0) {
    driver.wait();
    driver.turn([] {});
  }
  EXPECT_TRUE(silent.has_ended());
}

}  // namespace
}  // namespace sluice::tcp
