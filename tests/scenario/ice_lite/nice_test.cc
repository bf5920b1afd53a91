// Calls of libnice, a full agent, with an IceLiteServer over real sockets on loopback.
#include <glib-unix.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sluice/dtls/socket_address.h>
#include <sluice/ice_lite/description.h>
#include <sluice/ice_lite/ice_lite_server.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <vector>

#include "scenario/nice_transport/peer.h"
#include "support/main_context.h"

namespace sluice {
namespace {

using ice_lite::SessionHandle;
using test::Peer;

dtls::Instant now() {
  return dtls::Instant(std::chrono::duration_cast<dtls::Duration>(
      std::chrono::steady_clock::now().time_since_epoch()));
}

// An IceLiteServer on one socket, in a GLib context.
class OnePort {
 public:
  OnePort(GMainContext* context, dtls::Environment& environment)
      : server(ice_lite::IceLiteServer::make({}, environment).value()),
        socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)),
        source_(g_unix_fd_source_new(socket_, G_IO_IN)) {
    auto any = dtls::to_socket_address({dtls::Ipv4Address{127, 0, 0, 1}, 0});
    EXPECT_EQ(::bind(socket_, any.get(), any.size), 0);
    dtls::SocketAddress own;
    EXPECT_EQ(::getsockname(socket_, own.get(), &own.size), 0);
    address = dtls::to_udp_endpoint(own).value();
    g_source_set_callback(source_, G_SOURCE_FUNC(&OnePort::on_readable), this, nullptr);
    g_source_attach(source_, context);
  }
  ~OnePort() {
    g_source_destroy(source_);
    g_source_unref(source_);
    ::close(socket_);
  }
  OnePort(const OnePort&) = delete;
  OnePort& operator=(const OnePort&) = delete;

  // The answer to a peer's offer.
  nice::Description answer(const nice::Description& offer, const dtls::ConfigPtr& config,
                           const dtls::Fingerprint& own) {
    ice_lite::SessionOptions options;
    options.transport.dtls = config;
    options.peer_fingerprints = offer.fingerprints;
    options.remote_ufrag = offer.ice.ufrag;
    session = server.add_session(options, now()).value();
    const auto local = server.local_credentials(session).value();
    return {.ice = {.ufrag = local.ufrag, .pwd = local.pwd},
            .candidates = {ice_lite::candidate({address}, 65535)},
            .end_of_candidates = true,
            .setup = nice::Setup::passive,
            .fingerprints = {own}};
  }

  void send_rtp(const test::Packet& plain) {
    test::Packet packet = plain;
    packet.resize(plain.size() + srtp::kMaxTrailer);
    const auto sent = server.protect_rtp(session, packet, plain.size());
    ASSERT_TRUE(sent);
    send(packet, *sent);
  }
  void send_data(dtls::Bytes plain) {
    dtls::Buffer record(plain.size() + dtls::kSealOverhead);
    const auto sent = server.seal_data(session, plain, record);
    ASSERT_TRUE(sent);
    send(record, *sent);
  }
  void drain() {
    while (const auto sent = server.poll_transmit(buffer_)) send(buffer_, *sent);
    while (const auto bytes = server.poll_data()) data.push_back(test::text_of(bytes->bytes));
    while (const auto media = server.poll_media()) {
      if (media->kind == transport::MediaKind::rtp) {
        rtp.emplace_back(media->packet.begin(), media->packet.end());
      }
    }
    while (auto event = server.poll_event()) events.push_back(std::move(*event));
  }
  template <class What>
  [[nodiscard]] bool told() const {
    return std::ranges::any_of(
        events, [](const auto& event) { return std::holds_alternative<What>(event.what); });
  }

  ice_lite::IceLiteServer server;
  dtls::UdpEndpoint address;
  SessionHandle session = ice_lite::kNoSession;
  std::vector<test::Packet> rtp;
  std::vector<std::string> data;
  std::vector<ice_lite::Event> events;

 private:
  static gboolean on_readable(gint, GIOCondition, gpointer self) {
    static_cast<OnePort*>(self)->receive();
    return G_SOURCE_CONTINUE;
  }
  void receive() {
    dtls::SocketAddress from;
    for (;;) {
      from.size = sizeof from.storage;
      const auto size =
          ::recvfrom(socket_, buffer_.data(), buffer_.size(), 0, from.get(), &from.size);
      if (size < 0) return;
      const dtls::UdpPath path{.peer = dtls::to_udp_endpoint(from).value()};
      server.handle_datagram(dtls::MutableBytes(buffer_).first(static_cast<std::size_t>(size)),
                             path, now());
      drain();
    }
  }
  void send(dtls::Bytes bytes, const ice_lite::Transmit& sent) const {
    auto to = dtls::to_socket_address(sent.path.peer);
    ::sendto(socket_, bytes.data(), sent.size, 0, to.get(), to.size);
  }

  int socket_;
  GSource* source_;
  std::array<std::byte, dtls::kMaxDatagram> buffer_{};
};

class IceLiteWithNice : public testing::TestWithParam<nice::Nomination> {
 public:
  dtls::Environment environment = dtls::Environment::make().value();
  dtls::Identity identity = dtls::Identity::self_signed(environment).value();
  dtls::ConfigPtr config = dtls::Config::make({.identities = {identity}}).value();
  dtls::Fingerprint fingerprint =
      dtls::Fingerprint::of(identity.certificate(), dtls::HashAlgorithm::sha256, environment)
          .value();
  test::MainContext context;
  OnePort port{context.get(), environment};

  std::unique_ptr<Peer> make_peer() {
    auto options = test::on_loopback(nice::IceRole::controlling, test::make_config(environment));
    options.ice.nomination = GetParam();
    return std::make_unique<Peer>(environment, context.get(), options);
  }
  // True once both are connected.
  bool connect(Peer& peer) {
    if (!peer.quietly([](auto& t) { return t.gather(); })) return false;
    if (!context.run_until([&] { return peer.candidates_done; })) return false;
    const auto answer = port.answer(peer.transport->local_description(), config, fingerprint);
    if (!peer.quietly([&](auto& t) { return t.set_remote_answer(answer); })) return false;
    return context.run_until([&] { return peer.connected() && port.told<ice_lite::Connected>(); });
  }
};

INSTANTIATE_TEST_SUITE_P(Nominations, IceLiteWithNice,
                         testing::Values(nice::Nomination::regular, nice::Nomination::aggressive),
                         [](const auto& instance) {
                           return instance.param == nice::Nomination::regular ? "Regular"
                                                                              : "Aggressive";
                         });

TEST_P(IceLiteWithNice, CarriesMediaAndDataBothWays) {
  const auto peer = make_peer();
  ASSERT_TRUE(connect(*peer));
  const auto rtp = test::make_rtp();
  peer->quietly([&](auto& t) {
    EXPECT_EQ(t.send_rtp(rtp), nice::SendStatus::sent);
    EXPECT_EQ(t.send_data(test::bytes_of("to the server")), nice::SendStatus::sent);
  });
  ASSERT_TRUE(context.run_until([&] { return !port.rtp.empty() && !port.data.empty(); }));
  EXPECT_THAT(port.rtp, testing::ElementsAre(rtp));
  EXPECT_THAT(port.data, testing::ElementsAre("to the server"));
  port.send_rtp(rtp);
  port.send_data(test::bytes_of("to the peer"));
  ASSERT_TRUE(context.run_until([&] { return !peer->rtp.empty() && !peer->data.empty(); }));
  EXPECT_THAT(peer->rtp, testing::ElementsAre(rtp));
  EXPECT_THAT(peer->data, testing::ElementsAre("to the peer"));
  EXPECT_TRUE(port.told<ice_lite::PathSelected>());
  EXPECT_EQ(peer->pairs.back().remote.port, port.address.port);
}

TEST_P(IceLiteWithNice, EndsWithThePeer) {
  const auto peer = make_peer();
  ASSERT_TRUE(connect(*peer));
  peer->quietly([](auto& t) { t.close(); });
  EXPECT_TRUE(context.run_until([&] { return port.told<ice_lite::Ended>(); }));
  EXPECT_EQ(port.server.size(), 0U);
}

}  // namespace
}  // namespace sluice
