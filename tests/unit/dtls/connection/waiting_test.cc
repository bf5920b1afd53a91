// What a connection waits for, and that it does not wait for ever.
#include <gtest/gtest.h>

#include "support/authority.h"
#include "support/resumption.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

using dtls::Alert;
using dtls::ConfigOptions;
using dtls::Errc;
using dtls::WaitingFor;

constexpr dtls::Duration kTotal = dtls::RetransmissionTimers{}.total;

// Lets the peer's timers fire until it has none, or gives up; what it sends is lost. When it gave
// up.
std::optional<Instant> time_of_failure(Peer& peer) {
  for (int fired = 0; fired < 1000 && !peer.error; ++fired) {
    const auto next = peer.connection().next_timeout();
    if (!next) return std::nullopt;
    peer.settle(peer.connection().handle_timeout(*next), *next);
    if (peer.error) return next;
    if (peer.connected) static_cast<void>(peer.take_datagrams());
  }
  return std::nullopt;
}

// It gives up in time, and its words say what did not come.
testing::AssertionResult gives_up(Peer& peer, std::string_view what) {
  const auto failure = time_of_failure(peer);
  if (!failure) return testing::AssertionFailure() << "it did not fail";
  if (peer.error->code != Errc::handshake_timeout || *failure != Instant(kTotal)) {
    return testing::AssertionFailure()
           << to_string(*peer.error) << " at " << failure->time_since_epoch().count();
  }
  if (peer.error->detail.view().find(what) == std::string_view::npos) {
    return testing::AssertionFailure() << peer.error->detail.view();
  }
  return testing::AssertionSuccess();
}

class Waiting : public ByVersion {
 protected:
  static WaitingFor waiting_for(const Peer& peer) { return peer.connection().waiting_for(); }
};
INSTANTIATE_TEST_SUITE_P(Versions, Waiting, both_versions(), name_of_version);

TEST_P(Waiting, AServerWaitsForAClientHelloWithoutLimit) {
  const Peer server = make_server(make_config(options()));
  EXPECT_EQ(waiting_for(server), WaitingFor::client_hello);
  EXPECT_FALSE(server.connection().next_timeout());
}

TEST_P(Waiting, AClientWaitsForTheServer) {
  Peer client = make_client(make_config(options()));
  EXPECT_EQ(waiting_for(client), WaitingFor::peer_message);
  EXPECT_TRUE(gives_up(client, "nothing was received"));
  EXPECT_EQ(waiting_for(client), WaitingFor::nothing);
}

// The fingerprints never come.
TEST_P(Waiting, BothWaitForAcceptance) {
  for (const dtls::Role role : kRoles) {
    Pair pair = unaccepted_pair(options());
    Peer& peer = role == dtls::Role::client ? pair.client : pair.server;
    Peer& other = role == dtls::Role::client ? pair.server : pair.client;
    EXPECT_EQ(waiting_for(peer), WaitingFor::peer_acceptance);
    EXPECT_TRUE(gives_up(peer, "set_peer_fingerprints()"));
    EXPECT_EQ(peer.error->alert, Alert::certificate_unknown);
    EXPECT_FALSE(peer.connected);
    for (auto& datagram : peer.take_datagrams())
      other.receive(std::move(datagram), Instant(kTotal));
    ASSERT_TRUE(other.error);
    EXPECT_EQ(other.error->alert, Alert::certificate_unknown) << "the peer is told";
  }
}

TEST_P(Waiting, WhoIsAcceptedInTimeStaysConnected) {
  Pair pair = unaccepted_pair(options());
  const Instant late(kTotal - 1us);
  for (Peer* peer : {&pair.client, &pair.server}) {
    peer->settle(peer->connection().answer(*peer->question, dtls::AcceptPeer{}, late), late);
    EXPECT_EQ(waiting_for(*peer), WaitingFor::nothing);
  }
  pair.run(late);
  EXPECT_TRUE(works(pair));
  for (Peer* peer : {&pair.client, &pair.server}) EXPECT_FALSE(time_of_failure(*peer));
}

TEST_P(Waiting, TheCallerIsToAcceptTheConnection) {
  ConfigOptions asking = options();
  asking.ask_about_connection = true;
  Pair pair(asking, options());
  pair.run();
  EXPECT_EQ(waiting_for(pair.client), WaitingFor::connection_acceptance);
  EXPECT_TRUE(gives_up(pair.client, "ConnectionToVerify"));
  EXPECT_EQ(pair.client.error->alert, Alert::access_denied);
}

TEST_P(Waiting, QuestionsOfTheHandshake) {
  ConfigOptions asking = options();
  asking.ask_for_identity = true;
  Pair identity(options(), asking);
  identity.run();
  EXPECT_EQ(waiting_for(identity.server), WaitingFor::identity);
  EXPECT_TRUE(gives_up(identity.server, "IdentityRequested"));

  asking = options();
  asking.ask_for_config = true;
  Pair config(options(), asking);
  config.run();
  EXPECT_EQ(waiting_for(config.server), WaitingFor::config);
  EXPECT_TRUE(gives_up(config.server, "ConfigRequested"));

  asking = options();
  asking.identities.clear();
  asking.ask_for_psk = true;
  ConfigOptions client = options();
  client.identities.clear();
  client.pre_shared_keys = {must(dtls::PreSharedKey::make(bytes_of("device 1"), counted(32)))};
  Pair psk(client, asking);
  psk.run();
  EXPECT_EQ(waiting_for(psk.server), WaitingFor::psk);
  EXPECT_TRUE(gives_up(psk.server, "PskRequested"));

  std::shared_ptr<EVP_PKEY> key;
  asking = options();
  asking.identities = {Authority("root").issue_elsewhere({}, key)};
  Pair signature(options(), asking);
  signature.run();
  EXPECT_EQ(waiting_for(signature.server), WaitingFor::signature);
  EXPECT_TRUE(gives_up(signature.server, "SignatureRequested"));

  if (is13()) return;
  const Pair first = first_pair(with_store(options()));
  Pair session =
      second_pair(with_store(options()), with_store(options()), first.client.sessions.at(0));
  session.run();
  EXPECT_EQ(waiting_for(session.server), WaitingFor::session);
  EXPECT_TRUE(gives_up(session.server, "SessionRequested"));
}

TEST(WaitingFor, HasWords) {
  for (int i = 0; i <= static_cast<int>(WaitingFor::connection_acceptance); ++i) {
    EXPECT_NE(to_string(static_cast<WaitingFor>(i)), "unknown") << i;
  }
  EXPECT_EQ(to_string(static_cast<WaitingFor>(99)), "unknown");
}

}  // namespace
}  // namespace sluice::test
