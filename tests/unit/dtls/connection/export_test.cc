// A session moves to another connection: nothing of it is lost, and nothing repeats.
#include <gtest/gtest.h>

#include "support/moving.h"
#include "support/record_access.h"
#include "support/resumption.h"
#include "support/suites.h"
#include "wire/reader.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::export_of;
using test::kRoles;
using test::MovingPair;
using test::must;
using test::Peer;

bool are_equal(const PeerInfo& a, const PeerInfo& b) {
  return a.credential == b.credential && a.certificate_fingerprint == b.certificate_fingerprint &&
         a.signature_scheme == b.signature_scheme && a.verified_name == b.verified_name &&
         a.psk_identity == b.psk_identity && a.authenticated_at == b.authenticated_at;
}
bool are_equal(const ConnectionInfo& a, const ConnectionInfo& b) {
  return a.role == b.role && a.version == b.version && a.cipher_suite == b.cipher_suite &&
         a.group == b.group && a.srtp_profile == b.srtp_profile &&
         a.extended_master_secret == b.extended_master_secret && a.psk == b.psk &&
         a.psk_kind == b.psk_kind && a.resumed == b.resumed &&
         a.application_protocol == b.application_protocol && a.server_name == b.server_name &&
         a.srtp_mki == b.srtp_mki && a.own_connection_id == b.own_connection_id &&
         a.peer_connection_id == b.peer_connection_id &&
         a.return_routability == b.return_routability &&
         a.max_application_data == b.max_application_data && are_equal(a.peer, b.peer);
}

// ---- every suite

class ExportSuite : public testing::TestWithParam<CipherSuite> {};
INSTANTIATE_TEST_SUITE_P(Suites, ExportSuite, testing::ValuesIn(test::all_suites()),
                         [](const auto& suite) { return test::name_of_suite(suite.param); });

TEST_P(ExportSuite, EitherSideGoesOnElsewhere) {
  MovingPair moving(test::options_for_suite(GetParam()));
  moving.connect();
  auto& pair = moving.pair;
  ASSERT_TRUE(works(pair));
  for (const Role role : kRoles) {
    Peer& other = moving.peer(role == Role::client ? Role::server : Role::client);
    const Buffer to_replay = other.seal(bytes_of("once"));
    const Buffer late = other.seal(bytes_of("late"));
    moving.peer(role).receive(to_replay, {});
    moving.peer(role).seal(bytes_of("lost"));
    const auto before = moving.peer(role).connection().info();
    const Buffer exported = test::exported(moving.peer(role));

    moving.move(role);

    Peer& moved = moving.peer(role);
    EXPECT_TRUE(moved.connection().connected());
    EXPECT_TRUE(test::records_of(moved.connection()).is_cold());
    EXPECT_TRUE(are_equal(*moved.connection().info(), *before));
    EXPECT_EQ(test::exported(moved), exported);
    moved.receive(to_replay, {});
    EXPECT_EQ(discards(moved, Discard::replayed), 1U);
    moved.receive(late, {});
    EXPECT_EQ(moved.data, std::vector<Buffer>{test::buffer_of("late")});
    EXPECT_TRUE(works(pair));
  }
  EXPECT_EQ(moving.repeated_numbers(), 0U);
  ASSERT_TRUE(pair.client.connection().close({}));
  pair.flight(pair.client);
  EXPECT_TRUE(pair.server.closed);
}

TEST_P(ExportSuite, RecordsHaveTheSizesThatTheyHadBefore) {
  MovingPair moving(test::options_for_suite(GetParam()));
  moving.connect();
  const std::size_t sealed = moving.pair.client.connection().sealed_size(100);
  moving.move(Role::client);
  EXPECT_EQ(moving.pair.client.connection().sealed_size(100), sealed);
  EXPECT_LE(moving.pair.client.seal(Buffer(100)).size(), sealed);
}

// ---- both versions

class Export : public test::ByVersion {
 protected:
  // Connected; a client of DTLS 1.3 has the ACK of its Finished.
  std::unique_ptr<MovingPair> make_pair(const ConfigOptions& with = options()) {
    auto moving = std::make_unique<MovingPair>(with);
    moving->connect();
    return moving;
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, Export, test::both_versions(), test::name_of_version);

TEST_P(Export, TheSourceHasEnded) {
  const auto moving = make_pair();
  Peer& server = moving->pair.server;
  const auto info = server.connection().info();
  const SessionState state = must(export_of(server));
  EXPECT_TRUE(server.connection().ended());
  EXPECT_FALSE(server.connection().error());
  EXPECT_TRUE(are_equal(*server.connection().info(), *info));
  Buffer out(100);
  const auto sealed = server.connection().seal(bytes_of("data"), out);
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error(), SendError::not_connected);
  server.receive(moving->pair.client.seal(bytes_of("data")), {});
  EXPECT_TRUE(server.data.empty());
  EXPECT_TRUE(server.take_datagrams().empty()) << "without a word to the peer";
  const auto again = export_of(server);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::export_blocked);
  EXPECT_EQ(server.connection().export_blocked(), ExportBlocked::not_connected);
}

TEST_P(Export, TheTagTravelsAlong) {
  const auto moving = make_pair();
  const Buffer tag = test::counted(kMaxSessionTag);
  const SessionState state = must(export_of(moving->pair.server, {.tag = tag}));
  EXPECT_TRUE(std::ranges::equal(state.tag(), tag));
  EXPECT_EQ(state.role(), Role::server);
  EXPECT_EQ(state.version(), GetParam());
  const Buffer long_tag(kMaxSessionTag + 1);
  const auto refused = export_of(moving->pair.client, {.tag = long_tag});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  EXPECT_TRUE(moving->pair.client.connection().connected()) << "goes on";
}

TEST_P(Export, AFailedRestoreLeavesTheState) {
  const auto moving = make_pair();
  SessionState state = must(export_of(moving->pair.server));
  ConfigOptions other = options();
  other.policy_id = test::buffer_of("another");
  auto& environment = moving->side(Role::server).environment();
  EXPECT_FALSE(Connection::restore(test::make_config(other), environment, std::move(state),
                                   test::kPath, {}));
  // NOLINTNEXTLINE(bugprone-use-after-move): an Error leaves it.
  ASSERT_TRUE(SessionState::parse(state.bytes()));
  moving->pair.server = test::restored(std::move(state), moving->server_config, environment);
  EXPECT_TRUE(works(moving->pair));
}

TEST_P(Export, MovesManyTimesWithNumbersThatGoOn) {
  const auto moving = make_pair();
  for (int i = 0; i < 20; ++i) {
    moving->move_both();
    EXPECT_TRUE(works(moving->pair));
  }
  EXPECT_EQ(moving->repeated_numbers(), 0U);
  EXPECT_EQ(moving->pair.server.connection().statistics().total_discarded(), 0U);
}

// With raw public keys, with a PSK alone, and with short records.
TEST_P(Export, WhatWasAgreedMovesToo) {
  ConfigOptions raw = options();
  raw.own_certificate_types = raw.peer_certificate_types = {CertificateType::raw_public_key};
  ConfigOptions asking = options();
  asking.max_fragment_length = 512;
  std::vector<std::pair<ConfigOptions, ConfigOptions>> sides{{raw, raw}, {asking, options()}};
  if (is13()) {
    ConfigOptions alone = options();
    alone.identities.clear();
    alone.pre_shared_keys = {test::some_key()};
    alone.psk_key_exchange_modes = {PskKeyExchangeMode::psk_ke};
    sides.emplace_back(alone, alone);
  }
  for (const auto& [for_client, for_server] : sides) {
    MovingPair moving(for_client, for_server);
    moving.connect();
    for (const Role role : kRoles) {
      const auto before = moving.peer(role).connection().info();
      moving.move(role);
      EXPECT_TRUE(are_equal(*moving.peer(role).connection().info(), *before));
      EXPECT_TRUE(works(moving.pair));
      Buffer out(2000);
      const Buffer longer(before->max_application_data + 1);
      EXPECT_EQ(moving.peer(role).connection().seal(longer, out).error(), SendError::too_large);
    }
  }
}

TEST_P(Export, ConnectionIdsMoveToo) {
  for (const auto& [clients, servers] : {std::pair(8, 3), std::pair(0, 8), std::pair(255, 0)}) {
    ConfigOptions for_client = options();
    ConfigOptions for_server = options();
    for_client.connection_id_size = clients;
    for_server.connection_id_size = servers;
    MovingPair moving(for_client, for_server);
    moving.connect();
    for (const Role role : kRoles) {
      const auto before = moving.peer(role).connection().info();
      const std::size_t sealed = moving.peer(role).connection().sealed_size(100);
      moving.move(role);
      EXPECT_TRUE(are_equal(*moving.peer(role).connection().info(), *before));
      EXPECT_EQ(moving.peer(role).connection().sealed_size(100), sealed);
      EXPECT_TRUE(works(moving.pair));
    }
  }
}

TEST_P(Export, ForgeriesAreCountedOn) {
  ConfigOptions limited = options();
  limited.max_forgeries_per_key = 6;
  const auto moving = make_pair(limited);
  const auto forge = [&] {
    Buffer forged = moving->pair.client.seal(bytes_of("data"));
    forged.back() ^= std::byte{1};
    moving->pair.server.receive(std::move(forged), {});
    return !moving->pair.server.error;
  };
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(forge());
  moving->move(Role::server);
  EXPECT_TRUE(forge());
  moving->move(Role::server);
  EXPECT_TRUE(forge());
  // A limit below what was counted is used up.
  limited.max_forgeries_per_key = 5;
  moving->server_config = test::make_config(limited);
  moving->move(Role::server);
  EXPECT_FALSE(forge());
  EXPECT_EQ(moving->pair.server.error->code, Errc::integrity_limit_reached);
}

// Records before the window, in it, and of a larger or smaller one.
TEST_P(Export, TheReplayWindowHasTheSizeOfTheNewConfig) {
  ConfigOptions small = options();
  small.replay_window = 64;
  ConfigOptions large = options();
  large.replay_window = 512;
  for (const auto& [from, to] : {std::pair(small, large), std::pair(large, small)}) {
    MovingPair moving(from);
    moving.connect();
    std::vector<Buffer> records;
    for (int i = 0; i < 300; ++i) records.push_back(moving.pair.client.seal(bytes_of("data")));
    // Each third is lost.
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (i % 3 != 0) moving.pair.server.receive(records[i], {});
    }
    moving.server_config = test::make_config(to);
    moving.move(Role::server);
    for (const Buffer& record : records) moving.pair.server.receive(record, {});
    // Of the newest 64 records every third: what the smaller window remembers as missing.
    EXPECT_NEAR(static_cast<double>(moving.pair.server.data.size()), 64.0 / 3, 1.0);
  }
}

TEST_P(Export, WhatIsNotPolledBlocks) {
  const auto moving = make_pair();
  Connection& server = moving->pair.server.connection();
  Buffer record = moving->pair.client.seal(bytes_of("data"));
  ASSERT_TRUE(server.handle_datagram(record, test::kPath, {}));
  EXPECT_EQ(server.export_blocked(), ExportBlocked::outputs_pending);
  const auto blocked = export_of(moving->pair.server);
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().code, Errc::export_blocked);
  EXPECT_FALSE(blocked.error().is_fatal);
  EXPECT_TRUE(server.poll_data());
  EXPECT_FALSE(server.export_blocked());
  EXPECT_TRUE(std::move(server).export_session());
}

TEST_P(Export, NothingCanBeExportedBeforeConnected) {
  test::Pair pair(options());
  EXPECT_EQ(pair.client.connection().export_blocked(), ExportBlocked::not_connected);
  EXPECT_FALSE(export_of(pair.client));
  pair.run();
  EXPECT_FALSE(pair.client.connection().export_blocked());
}

// ---- right after the handshake

// The server has all, the client lacks the end of the server's last flight.
TEST_P(Export, AServerMovesBeforeTheClientHasItsLastFlight) {
  for (const bool with_ticket : {false, true}) {
    MovingPair moving(with_ticket ? test::with_tickets(options()) : options());
    auto& [client, server] = moving.pair;
    moving.connect_server();  // its last flight is lost
    ASSERT_FALSE(server.connection().export_blocked());

    moving.move(Role::server);

    moving.let_pass(Instant(std::chrono::seconds{10}));
    EXPECT_TRUE(client.connection().handshake_confirmed());
    EXPECT_TRUE(works(moving.pair));
    EXPECT_EQ(client.sessions.size(), with_ticket ? 1U : 0U);
    EXPECT_EQ(moving.repeated_numbers(), 0U);
  }
}

TEST_P(Export, ResumedSessionsMoveToo) {
  const ConfigOptions resuming = test::with_tickets(options());
  test::Pair first = test::first_pair(resuming);
  MovingPair moving(resuming);
  moving.pair.client =
      Peer(must(Connection::client(moving.client_config, moving.sides[0].environment(), test::kPath,
                                   {}, first.client.sessions.at(0))));
  moving.connect();
  ASSERT_TRUE(test::is_resumed(moving.pair));
  moving.move_both();
  EXPECT_TRUE(works(moving.pair));
  EXPECT_TRUE(moving.pair.client.connection().info()->resumed);
}

// A client of DTLS 1.2 that resumes sends the last flight.
TEST(Export12, AResumingClientMovesBeforeTheServerHasItsLastFlight) {
  const auto resuming = test::with_tickets(test::options_for(ProtocolVersion::dtls12));
  test::Pair first = test::first_pair(resuming);
  MovingPair moving(resuming);
  auto& [client, server] = moving.pair;
  client = Peer(must(Connection::client(moving.client_config, moving.sides[0].environment(),
                                        test::kPath, {}, first.client.sessions.at(0))));
  moving.pair.flight(client);
  moving.pair.flight(server);
  // The sequence number of a flight's first record, which is in plaintext: ChangeCipherSpec.
  const auto number_of = [](const std::vector<Buffer>& flight) {
    return wire::Reader(Bytes(flight.at(0)).subspan(5)).u48();
  };
  const std::uint64_t lost = number_of(client.take_datagrams());
  ASSERT_TRUE(client.connected);
  moving.move(Role::client);
  const Instant now = server.connection().next_timeout().value();
  server.settle(server.connection().handle_timeout(now), now);
  for (Buffer& datagram : server.take_datagrams()) client.receive(std::move(datagram), now);
  auto again = client.take_datagrams();
  EXPECT_GT(number_of(again), lost);
  for (Buffer& datagram : again) server.receive(std::move(datagram), now);
  moving.pair.run(now);
  EXPECT_TRUE(server.connected);
  EXPECT_TRUE(works(moving.pair));
}

}  // namespace
}  // namespace sluice::dtls
