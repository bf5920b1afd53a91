// The server of docs/examples/identities.cc.
#include <gtest/gtest.h>

#define main example_main  // NOLINT(cppcoreguidelines-macro-usage): it has a main of its own
#include "../../../docs/examples/identities.cc"
#undef main

#include "support/endpoints.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

// A plaintext alert ends a handshake when the peer does not go on within a second.
void expire(dtls::Connection& connection) {
  for (auto next = connection.next_timeout(); next && *next <= dtls::Instant{1s};
       next = connection.next_timeout()) {
    static_cast<void>(connection.handle_timeout(*next));
  }
}

struct Call {
  explicit Call(std::vector<std::string> clients_protocols) {
    dtls::ConfigOptions servers;
    servers.ask_for_identity = true;
    servers.ask_about_connection = true;
    servers.peer_authentication = dtls::PeerAuthentication::none;
    server.emplace(must(dtls::Connection::server(make_config(servers), environment(), kPath, {})));
    dtls::ConfigOptions clients;
    clients.server_name = "a.example";
    clients.application_protocols = std::move(clients_protocols);
    client.emplace(must(dtls::Connection::client(make_config(clients), environment(), kPath, {})));
  }
  void run(const Identities& identities) {
    while (carry(*client, *server, {}) || carry(*server, *client, {})) {
      answer_questions(*server, identities, {});
    }
  }
  std::optional<dtls::Connection> server;
  std::optional<dtls::Connection> client;
};

TEST(HostileClient, AProtocolThatIsRejectedEndsItsConnectionAlone) {
  Identities identities;
  identities.emplace("a.example", ecdsa_identity());
  Call call({});
  const auto print = must(dtls::Fingerprint::of(ecdsa_identity().certificate(),
                                                dtls::HashAlgorithm::sha256, environment()));
  must(call.client->set_peer_fingerprints({{print}}, {}).map([](dtls::Pending) {}));
  call.run(identities);
  ASSERT_TRUE(call.server->error());
  EXPECT_EQ(call.server->error()->code, dtls::Errc::peer_rejected);
  EXPECT_TRUE(call.client->ended()) << "the alert has reached it";
}

TEST(HostileClient, ANameThatHasNoIdentityEndsItsConnectionAlone) {
  Call call({"coap"});
  call.run({});
  expire(*call.client);
  EXPECT_TRUE(call.server->ended() && call.client->ended());
}

}  // namespace
}  // namespace sluice::test
