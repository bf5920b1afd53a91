// Sessions of DTLS 1.3 that move while messages are under way.
#include <gtest/gtest.h>

#include "support/moving.h"
#include "support/resumption.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::export_of;
using test::kRoles;
using test::MovingPair;
using test::must;
using test::Peer;

ConfigOptions options() { return test::options_for(ProtocolVersion::dtls13); }

Role other(Role role) { return role == Role::client ? Role::server : Role::client; }

constexpr Instant kSoon{std::chrono::seconds{10}};

TEST(Export13, AClientWaitsForTheAckOfItsFinished) {
  MovingPair moving(options());
  auto& [client, server] = moving.pair;
  moving.pair.flight(client);
  moving.pair.flight(server);
  auto last_flight = client.take_datagrams();
  ASSERT_TRUE(client.connected);
  EXPECT_EQ(client.connection().export_blocked(), ExportBlocked::handshake_unconfirmed);
  for (Buffer& datagram : last_flight) server.receive(std::move(datagram), {});
  moving.pair.flight(server);
  EXPECT_FALSE(client.connection().export_blocked());
  EXPECT_TRUE(export_of(client));
}

TEST(Export13, MovesAfterKeyUpdatesAndUpdatesItsKeysElsewhere) {
  MovingPair moving(options());
  moving.connect();
  for (int round = 0; round < 4; ++round) {
    for (const Role role : kRoles) {
      ASSERT_TRUE(
          moving.peer(role).connection().update_keys(KeyUpdateRequest::update_requested, {}));
      moving.pair.run();
      moving.let_pass(kSoon);
      moving.move(role, {}, kSoon);
      EXPECT_TRUE(works(moving.pair));
    }
  }
  EXPECT_EQ(moving.repeated_numbers(), 0U);
}

// Whatever is lost on the way, the KeyUpdate comes to its end.
TEST(Export13, AKeyUpdateUnderWayIsCarriedOn) {
  for (const Role role : kRoles) {
    for (const bool is_ack_lost : {false, true}) {
      for (const Role who_moves : kRoles) {
        MovingPair moving(options());
        moving.connect();
        moving.let_pass(kSoon);
        Peer& sender = moving.peer(role);
        Peer& receiver = moving.peer(other(role));
        ASSERT_TRUE(sender.connection().update_keys(KeyUpdateRequest::update_not_requested, kSoon));
        auto datagrams = sender.take_datagrams();
        if (is_ack_lost) {
          for (Buffer& datagram : datagrams) receiver.receive(std::move(datagram), kSoon);
          const Instant ack = receiver.connection().next_timeout().value();
          receiver.settle(receiver.connection().handle_timeout(ack), ack);
          receiver.take_datagrams();
        }
        moving.move(who_moves, {}, kSoon);
        EXPECT_TRUE(works(moving.pair));
        moving.let_pass(kSoon + std::chrono::seconds{20});
        EXPECT_TRUE(works(moving.pair));
        // All is acknowledged: another one can follow.
        EXPECT_FALSE(moving.peer(role).error || moving.peer(other(role)).error);
        const auto before = moving.sides[role == Role::client ? 0 : 1].watch.used();
        ASSERT_TRUE(moving.peer(role).connection().update_keys(
            KeyUpdateRequest::update_not_requested, kSoon + std::chrono::seconds{30}));
        EXPECT_FALSE(moving.peer(role).take_datagrams().empty());
        EXPECT_GT(moving.sides[role == Role::client ? 0 : 1].watch.used(), before);
        EXPECT_EQ(moving.repeated_numbers(), 0U);
      }
    }
  }
}

// RFC 9147 section 8: records of the epoch before may still be on their way.
TEST(Export13, TheKeysOfTheOldEpochMoveAndAreDroppedInTime) {
  MovingPair moving(options());
  moving.connect();
  auto& [client, server] = moving.pair;
  std::vector<Buffer> late;
  for (int i = 0; i < 3; ++i) late.push_back(server.seal(bytes_of("late")));
  ASSERT_TRUE(server.connection().update_keys(KeyUpdateRequest::update_not_requested, kSoon));
  moving.pair.run();
  moving.let_pass(kSoon);
  ASSERT_TRUE(works(moving.pair));
  moving.move(Role::client, {}, kSoon);
  client.receive(std::move(late[0]), kSoon);
  EXPECT_EQ(client.data.size(), 1U);
  moving.move(Role::client, {}, kSoon);
  client.data.clear();
  client.receive(std::move(late[1]), kSoon);
  EXPECT_EQ(client.data.size(), 1U);
  moving.let_pass(kSoon + std::chrono::minutes{5});
  client.receive(std::move(late[2]), kSoon + std::chrono::minutes{5});
  EXPECT_EQ(client.data.size(), 1U);
  EXPECT_TRUE(works(moving.pair));
}

// A server's ticket is not acknowledged yet.
TEST(Export13, ATicketUnderWayIsSentAgain) {
  MovingPair moving(test::with_tickets(options()));
  auto& client = moving.pair.client;
  ASSERT_EQ(moving.connect_server().size(), 2U) << "ACK and ticket, which are lost";
  moving.move(Role::server);
  moving.let_pass(kSoon);
  EXPECT_TRUE(client.connection().handshake_confirmed());
  EXPECT_EQ(client.sessions.size(), 1U);
  EXPECT_TRUE(works(moving.pair));
}

// Of a long message only a part has arrived, which is acknowledged and not sent again.
TEST(Export13, APartOfAMessageIsKept) {
  auto with = test::with_tickets(options());
  with.identities = {test::rsa_identity()};  // a ticket holds the client's certificate
  auto for_client = with;
  MovingPair moving(for_client, with);
  moving.pair.server.connection().set_path_mtu(kMinimumMtu);
  auto& [client, server] = moving.pair;
  auto datagrams = moving.connect_server();
  ASSERT_GT(datagrams.size(), 2U) << "ACK and several fragments of the ticket";
  client.receive(std::move(datagrams[0]), {});
  client.receive(std::move(datagrams[2]), {});
  const Instant ack = client.connection().next_timeout().value();
  client.settle(client.connection().handle_timeout(ack), ack);
  moving.pair.flight(client, ack);
  ASSERT_FALSE(client.connection().export_blocked());
  server.take_datagrams();
  moving.move(Role::client, {.with_certificates = true}, ack);
  moving.let_pass(kSoon);
  EXPECT_EQ(moving.pair.client.sessions.size(), 1U);
}

// ---- connection IDs

ConfigOptions with_ids() {
  ConfigOptions with = options();
  with.connection_id_size = 8;
  return with;
}

TEST(Export13Ids, SparesAndFormerOnesMove) {
  MovingPair moving(with_ids());
  auto& [client, server] = moving.pair;
  moving.connect();
  ASSERT_TRUE(client.connection().request_connection_ids(3, kSoon));
  moving.pair.run(kSoon);
  moving.let_pass(kSoon + kSoon.time_since_epoch());
  ASSERT_EQ(client.connection().spare_connection_ids(), 3U);
  const Buffer late = client.seal(bytes_of("late"));
  ASSERT_TRUE(client.connection().change_connection_id());
  EXPECT_TRUE(works(moving.pair));
  const auto ids = server.connection().own_connection_ids();
  ASSERT_EQ(ids.size(), 4U);
  moving.move_both();
  EXPECT_EQ(server.connection().own_connection_ids(), ids);
  EXPECT_EQ(server.connection().info()->own_connection_id, ids[1]);
  EXPECT_EQ(client.connection().spare_connection_ids(), 2U);
  server.receive(late, kSoon);
  EXPECT_EQ(server.data.back(), test::buffer_of("late")) << "under an ID of before";
  ASSERT_TRUE(client.connection().change_connection_id());
  EXPECT_TRUE(works(moving.pair));
  EXPECT_EQ(server.connection().info()->own_connection_id, ids[2]);
  ASSERT_TRUE(server.connection().renew_connection_id(kSoon));
  moving.pair.run(kSoon);
  EXPECT_TRUE(works(moving.pair));
  EXPECT_EQ(client.connection().info()->peer_connection_id,
            server.connection().own_connection_ids().back());
}

// A request, and what answers it, are lost or wait for the ACK of another message.
TEST(Export13Ids, MessagesUnderWayAreCarriedOn) {
  for (const Role role : kRoles) {
    for (const bool is_key_update_first : {false, true}) {
      for (const Role who_moves : kRoles) {
        MovingPair moving(with_ids());
        moving.connect();
        moving.let_pass(kSoon);
        Connection& sender = moving.peer(role).connection();
        if (is_key_update_first) {
          ASSERT_TRUE(sender.update_keys(KeyUpdateRequest::update_not_requested, kSoon));
        }
        ASSERT_TRUE(sender.request_connection_ids(2, kSoon));
        ASSERT_TRUE(sender.renew_connection_id(kSoon));
        moving.peer(role).take_datagrams();  // lost
        moving.move(who_moves, {}, kSoon);
        EXPECT_FALSE(moving.peer(role).connection().request_connection_ids(1, kSoon))
            << "the last one is unanswered";
        moving.let_pass(kSoon + std::chrono::seconds{20});
        EXPECT_TRUE(works(moving.pair));
        const Connection& after = moving.peer(role).connection();
        EXPECT_EQ(after.spare_connection_ids(), 2U);
        EXPECT_EQ(after.info()->own_connection_id, after.own_connection_ids().back());
        EXPECT_EQ(after.own_connection_ids().size(), 2U);
        EXPECT_EQ(moving.repeated_numbers(), 0U);
      }
    }
  }
}

// A source that is given to restore() makes the IDs from then on.
TEST(Export13Ids, TheSourceOfTheNewConnectionIsUsed) {
  struct Counted final : ConnectionIdSource {
    [[nodiscard]] std::size_t size() const override { return 8; }
    Result<void> make(MutableBytes out) override {
      std::ranges::fill(out, std::byte{7});
      return {};
    }
  } source;
  MovingPair moving(with_ids());
  moving.connect();
  moving.let_pass(kSoon);
  auto& server = moving.pair.server;
  auto state = must(export_of(server));
  server = Peer(must(Connection::restore(moving.server_config, moving.sides[1].environment(),
                                         std::move(state), test::kPath, kSoon, &source)));
  server.connected = server.connection().info();
  ASSERT_TRUE(server.connection().renew_connection_id(kSoon));
  moving.pair.run(kSoon);
  EXPECT_EQ(moving.pair.client.connection().info()->peer_connection_id,
            ConnectionId(Buffer(8, std::byte{7})));
}

// ---- what a client makes sessions of

std::size_t sessions_after_move(const ConfigOptions& with, const ExportOptions& exporting) {
  MovingPair moving(test::with_tickets(with));
  auto& client = moving.pair.client;
  auto datagrams = moving.connect_server();
  // The ACK comes first, and perhaps the ticket with it.
  const Buffer ack = datagrams.front();
  datagrams.erase(datagrams.begin());
  client.receive(ack, {});
  EXPECT_FALSE(client.connection().export_blocked());
  moving.move(Role::client, exporting);
  for (Buffer& datagram : datagrams) client.receive(std::move(datagram), {});
  moving.let_pass(kSoon);
  EXPECT_TRUE(works(moving.pair));
  if (!client.sessions.empty()) {
    const auto resumed = test::resumed_pair(
        moving.client_config->options(), moving.server_config->options(), client.sessions.front());
    EXPECT_TRUE(test::is_resumed(resumed));
  }
  return client.sessions.size();
}

TEST(Export13, ATicketThatComesLaterIsUsable) {
  EXPECT_EQ(sessions_after_move(options(), {.with_certificates = true}), 1U);
}
TEST(Export13, ATicketThatComesLaterIsUsableWithARawPublicKey) {
  ConfigOptions raw = options();
  raw.own_certificate_types = raw.peer_certificate_types = {CertificateType::raw_public_key};
  EXPECT_EQ(sessions_after_move(raw, {.with_certificates = true}), 1U);
  EXPECT_EQ(sessions_after_move(raw, {}), 0U);
}
TEST(Export13, WithoutCertificatesAClientGetsNoMoreSessions) {
  EXPECT_EQ(sessions_after_move(options(), {}), 0U);
}
TEST(Export13, WithAPskNoCertificateIsNeeded) {
  ConfigOptions psk = options();
  psk.identities.clear();
  psk.pre_shared_keys = {must(PreSharedKey::make(bytes_of("us"), Buffer(16, std::byte{1})))};
  EXPECT_EQ(sessions_after_move(psk, {}), 1U);
}

}  // namespace
}  // namespace sluice::dtls
