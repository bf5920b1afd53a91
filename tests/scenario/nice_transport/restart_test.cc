// ICE restarts while media flows, with the DTLS association that is and with a new one.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include <gio/gio.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenario/nice_transport/peer.h"
#include "support/main_context.h"

namespace sluice {
namespace {

using nice::IceRole;
using nice::SendStatus;
using test::Peer;

class NiceTransportRestart : public testing::Test {
 public:
  void SetUp() override {
    test::exchange_descriptions(*a, *b);
    ASSERT_TRUE(context.run_until([&] { return a->connected() && b->connected(); }));
  }

  std::unique_ptr<Peer> make_peer(IceRole role) {
    return std::make_unique<Peer>(environment, context.get(),
                                  test::on_loopback(role, test::make_config(environment)));
  }

  // One packet each way a turn; all of them must be taken.
  bool run_with_media(const std::function<bool()>& done) {
    return context.run_until([&] {
      for (auto* peer : {a.get(), b.get()}) {
        EXPECT_EQ(peer->transport->send_rtp(test::make_rtp({.sequence = sequence})),
                  SendStatus::sent);
      }
      ++sequence;
      context.run_ready();
      return done();
    });
  }

  // Offer and answer of a restart by `offerer`, changed by `edit` on their way.
  void restart(Peer& offerer, Peer& answerer,
               const std::function<void(nice::Description&)>& edit = {}) {
    ASSERT_TRUE(offerer.quietly([](auto& t) { return t.restart_ice(); }).has_value());
    auto offer = offerer.transport->local_description();
    EXPECT_EQ(offer.setup, nice::Setup::actpass);
    if (edit) edit(offer);
    ASSERT_TRUE(answerer.quietly([&](auto& t) { return t.set_remote_offer(offer); }));
    auto answer = answerer.transport->local_description();
    EXPECT_NE(answer.setup, nice::Setup::actpass);
    if (edit) edit(answer);
    ASSERT_TRUE(offerer.quietly([&](auto& t) { return t.set_remote_answer(answer); }));
  }

  static bool on_new_path(const Peer& peer) {
    const auto statistics = peer.transport->ice_statistics();
    return statistics.selected_pair && !(*statistics.selected_pair == peer.pairs.front());
  }

  test::MainContext context;
  dtls::Environment environment = dtls::Environment::make().value();
  std::uint16_t sequence = 1;
  std::unique_ptr<Peer> a = make_peer(IceRole::controlling);
  std::unique_ptr<Peer> b = make_peer(IceRole::controlled);
};

// Every packet that was sent has arrived, in order: nothing was lost in the change.
void expect_all_arrived(const std::vector<test::Packet>& rtp, std::uint16_t sent) {
  std::vector<test::Packet> expected;
  for (std::uint16_t number = 1; number < sent; ++number) {
    expected.push_back(test::make_rtp({.sequence = number}));
  }
  EXPECT_EQ(rtp.size(), expected.size());
  EXPECT_TRUE(std::is_permutation(rtp.begin(), rtp.end(), expected.begin(), expected.end()));
}

TEST_F(NiceTransportRestart, KeepsTheAssociationOnAnotherPath) {
  ASSERT_TRUE(run_with_media([&] { return a->rtp.size() >= 5 && b->rtp.size() >= 5; }));
  restart(*a, *b);
  ASSERT_TRUE(run_with_media([&] { return on_new_path(*a) && on_new_path(*b); }));
  const auto before = b->rtp.size();
  ASSERT_TRUE(run_with_media([&] { return b->rtp.size() >= before + 5; }));
  EXPECT_EQ(a->associations(), 1u);
  EXPECT_EQ(b->associations(), 1u);
  EXPECT_EQ(a->connections.size(), 1u);
  EXPECT_EQ(a->transport->ice_statistics().restarts, 1u);
  EXPECT_EQ(b->transport->ice_statistics().restarts, 1u);
  ASSERT_TRUE(context.run_until([&] { return b->rtp.size() == std::size_t{sequence} - 1; }));
  expect_all_arrived(b->rtp, sequence);
}

TEST_F(NiceTransportRestart, MayBeBegunByEitherSideAgainAndAgain) {
  for (int i = 0; i < 3; ++i) {
    auto& offerer = i % 2 == 0 ? *b : *a;
    auto& answerer = i % 2 == 0 ? *a : *b;
    const auto pairs = a->pairs.size();
    restart(offerer, answerer);
    ASSERT_TRUE(run_with_media([&] { return a->pairs.size() > pairs && on_new_path(*b); }));
  }
  EXPECT_EQ(a->transport->ice_statistics().restarts, 3u);
  EXPECT_EQ(a->associations(), 1u);
}

TEST_F(NiceTransportRestart, BeginsANewAssociationWhenTheTlsIdIsNew) {
  ASSERT_TRUE(run_with_media([&] { return a->rtp.size() >= 5 && b->rtp.size() >= 5; }));
  restart(*a, *b, [](auto& description) { description.tls_id = "a-second-association"; });
  EXPECT_TRUE(a->transport->connected());  // the old keys serve
  ASSERT_TRUE(
      run_with_media([&] { return a->connections.size() == 2 && b->connections.size() == 2; }));
  const auto before = b->rtp.size();
  ASSERT_TRUE(run_with_media([&] { return b->rtp.size() >= before + 20; }));
  EXPECT_EQ(a->associations(), 2u);
  EXPECT_EQ(b->associations(), 2u);
  EXPECT_TRUE(a->closed.empty() && b->closed.empty());
  ASSERT_TRUE(context.run_until([&] { return b->rtp.size() == std::size_t{sequence} - 1; }));
  expect_all_arrived(b->rtp, sequence);
}

TEST_F(NiceTransportRestart, HandsTheCallToAnotherCertificate) {
  // The peer moves to another machine: `c` answers a's restart with a fingerprint of its own, while
  // `b` still talks to `a`.
  auto c = make_peer(IceRole::controlled);
  ASSERT_TRUE(run_with_media([&] { return a->rtp.size() >= 5 && b->rtp.size() >= 5; }));
  restart(*a, *c);
  ASSERT_TRUE(run_with_media([&] { return a->connections.size() == 2 && c->connected(); }));
  ASSERT_TRUE(context.run_until([&] {
    a->transport->send_rtp(test::make_rtp({.sequence = sequence++}));
    c->transport->send_data(test::bytes_of("from c"));
    context.run_ready();
    return c->rtp.size() >= 5 && !a->data.empty();
  }));
  EXPECT_EQ(a->data.front(), "from c");
  EXPECT_EQ(a->associations(), 2u);
  EXPECT_TRUE(a->closed.empty());
}

TEST_F(NiceTransportRestart, RefusesTheNewPeerWithAWrongFingerprint) {
  auto c = make_peer(IceRole::controlled);
  restart(*a, *c, [](auto& description) {
    if (description.setup != nice::Setup::actpass)
      description.fingerprints.front().value.front() ^= std::byte{1};
  });
  ASSERT_TRUE(context.run_until([&] { return !a->closed.empty(); }));
  EXPECT_EQ(a->closed.front().error->code, dtls::Errc::peer_rejected);
}

TEST_F(NiceTransportRestart, OldPathsGoInTheEnd) {
  restart(*a, *b);
  ASSERT_TRUE(run_with_media([&] { return on_new_path(*a) && on_new_path(*b); }));
  // b's old socket is closed when it is retired: a datagram to it is refused, one to the new one
  // not.
  const auto old_port = a->pairs.front().remote.port;
  GSocketAddress* address = g_inet_socket_address_new_from_string("127.0.0.1", old_port);
  EXPECT_TRUE(run_with_media([&] {
    GSocket* probe =
        g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, nullptr);
    const bool free = g_socket_bind(probe, address, FALSE, nullptr) != FALSE;
    g_object_unref(probe);
    return free;
  }));
  g_object_unref(address);
}

}  // namespace
}  // namespace sluice
