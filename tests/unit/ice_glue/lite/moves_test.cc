// What IceLiteServer refuses to export and to restore, and what it leaves behind.
#include <gtest/gtest.h>

#include "lite_server.h"
#include "support/ice_world.h"

namespace sluice::ice_lite {
namespace {

using dtls::Errc;
using test::IceWorld;
using test::must;
using transport::ExportBlocked;

class LiteMoves : public testing::Test {
 public:
  LiteMoves() { world.run_for(2s); }

  [[nodiscard]] dtls::Buffer export_state() {
    const auto state = must(world.server.export_session(session, world.now));
    return {state.bytes().begin(), state.bytes().end()};
  }
  [[nodiscard]] static RestoreOptions restore_options() {
    return {.transport = {.dtls = test::make_config(test::dtls13_with_gcm())}};
  }
  [[nodiscard]] dtls::Result<SessionHandle> restore(IceLiteServer& server, dtls::Bytes state,
                                                    const RestoreOptions& options) const {
    return server.restore(must(SessionState::parse(state)), options, world.now);
  }
  [[nodiscard]] dtls::Result<SessionHandle> restore(IceLiteServer& server,
                                                    dtls::Bytes state) const {
    return restore(server, state, restore_options());
  }
  static IceLiteServer fresh(const ServerOptions& options = {}) {
    return must(IceLiteServer::make(options, test::environment()));
  }
  static void expect_refused(const dtls::Result<SessionHandle>& restored, Errc code,
                             std::string_view detail) {
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().code, code);
    EXPECT_EQ(restored.error().detail.view(), detail);
  }

  IceWorld world{{.dtls = test::dtls13_with_gcm()}};
  SessionHandle session =
      world.begin({.candidates = {address(1, 5000), address(1, 5001), address(2, 5000)}});
};

TEST_F(LiteMoves, LeaveNothingBehind) {
  const auto credentials = world.server.local_credentials(session).value();
  const auto path = world.server.path_of(session).value();
  EXPECT_EQ(world.server.tuples(), 3U);
  EXPECT_EQ(world.server.export_blocked(session), std::nullopt);
  world.all_events.clear();
  const auto state = export_state();
  EXPECT_EQ(world.server.size(), 0U);
  EXPECT_EQ(world.server.tuples(), 0U);
  EXPECT_EQ(world.server.local_credentials(session), std::nullopt);
  EXPECT_EQ(world.server.find(path), std::nullopt);
  EXPECT_EQ(world.server.next_timeout(), std::nullopt);
  EXPECT_EQ(world.server.statistics().sessions_exported, 1U);
  world.drain();
  EXPECT_TRUE(world.all_events.empty());
  const auto again = world.server.export_session(session, world.now);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::closed);
  EXPECT_EQ(world.server.export_blocked(session), ExportBlocked::not_connected);

  // It may come back to the same server.
  const auto back = must(restore(world.server, state));
  EXPECT_NE(back, session);
  EXPECT_EQ(world.server.local_credentials(back), credentials);
  EXPECT_EQ(world.server.path_of(back), path);
  EXPECT_EQ(world.server.find(path), back);
  EXPECT_EQ(world.server.tuples(), 3U);
  EXPECT_TRUE(world.server.find(back)->connected());
  EXPECT_EQ(world.server.statistics().sessions_restored, 1U);
  world.drain();
  EXPECT_TRUE(world.all_events.empty()) << "nothing has changed";
}

TEST_F(LiteMoves, WriteTheSameAgain) {
  const auto state = export_state();
  auto other = fresh();
  const auto restored = must(restore(other, state));
  while (other.poll_event()) continue;
  std::array<std::byte, dtls::kMaxDatagram> out{};
  while (other.poll_transmit(out)) continue;
  const auto again = must(other.export_session(restored, world.now));
  EXPECT_TRUE(std::ranges::equal(again.bytes(), state));
}

TEST_F(LiteMoves, NeedDrainedOutputs) {
  const test::Packet sent(10, std::byte{5});
  ASSERT_TRUE(world.clients[0]->send_data(sent));
  auto datagrams = world.clients[0]->take();
  ASSERT_EQ(datagrams.size(), 1U);
  world.server.handle_datagram(datagrams[0].bytes, world.server.path_of(session).value(),
                               world.now);
  EXPECT_EQ(world.server.export_blocked(session), ExportBlocked::outputs_pending);
  EXPECT_EQ(world.server.export_sessions(world.now).stayed.size(), 1U);
  world.drain();
  ASSERT_EQ(world.data.size(), 1U) << "the export has not taken it";
  EXPECT_EQ(world.data[0].bytes, sent);
  EXPECT_EQ(world.server.export_blocked(session), std::nullopt);
}

TEST_F(LiteMoves, AreBlockedByAnEventOfIce) {
  // Without drain(), a nomination of higher priority is still to be told.
  auto check = LiteServer::check_for(world.server.local_credentials(session).value());
  check.username.replace(check.username.find(':'), std::string::npos, ":client");
  check.use_candidate = true;
  check.priority = 0x7fffffff;
  auto datagram = make_check(check);
  world.server.handle_datagram(datagram, LiteServer::path(address(2, 5000)), world.now);
  EXPECT_EQ(world.server.export_blocked(session), ExportBlocked::outputs_pending);
  const auto state = world.server.export_session(session, world.now);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, Errc::export_blocked);
  EXPECT_EQ(state.error().detail.view(), to_string(ExportBlocked::outputs_pending));
  world.drain();
  EXPECT_EQ(world.server.export_blocked(session), std::nullopt);
}

TEST_F(LiteMoves, TellWhatStays) {
  const auto waiting = world.add({.candidates = {address(9, 1)}});
  const auto exported = world.server.export_sessions(world.now);
  ASSERT_EQ(exported.moved.size(), 1U);
  EXPECT_EQ(exported.moved[0].session, session);
  ASSERT_EQ(exported.stayed.size(), 1U);
  EXPECT_EQ(exported.stayed[0].session, waiting);
  EXPECT_EQ(exported.stayed[0].error.code, Errc::export_blocked);
  EXPECT_EQ(world.server.export_blocked(waiting), ExportBlocked::not_connected);
  EXPECT_EQ(world.server.size(), 1U);
  // It goes on, and can move later.
  world.clients[1]->begin(world.now);
  world.flush(1);
  world.run_for(2s);
  EXPECT_EQ(world.server.export_sessions(world.now).moved.size(), 1U);
}

TEST_F(LiteMoves, AreRefusedWhereThereIsNoRoom) {
  const auto state = export_state();
  const auto config = restore_options();
  struct Case {
    ServerOptions options;
    Errc code;
    std::string_view detail;
  };
  const Case cases[] = {
      {{.max_sessions = 0}, Errc::too_many_connections, "max_sessions"},
      {{.max_tuples = 2}, Errc::too_many_connections, "max_tuples"},
      {{.max_tuples_per_host = 1}, Errc::too_many_connections, "max_tuples_per_host"},
      {{.max_tuples_per_session = 2},
       Errc::session_refused,
       "max_tuples_per_session: fewer than in the state"}};
  for (const Case& each : cases) {
    auto server = fresh(each.options);
    expect_refused(restore(server, state), each.code, each.detail);
    EXPECT_EQ(server.size(), 0U);
    EXPECT_EQ(server.tuples(), 0U);
  }
  auto server = fresh();
  auto few_paths = config;
  few_paths.transport.max_paths = 2;
  expect_refused(restore(server, state, few_paths), Errc::invalid_config,
                 "max_paths: below max_tuples_per_session");
  auto negative = config;
  negative.away = -1us;
  expect_refused(restore(server, state, negative), Errc::invalid_argument, "away");
  EXPECT_TRUE(restore(server, state));
  EXPECT_EQ(server.tuples(), 3U);
}

TEST_F(LiteMoves, AreRefusedByAnotherConfig) {
  const auto state = export_state();
  auto server = fresh(ServerOptions{.max_tuples = 3});
  const RestoreOptions other{
      .transport = {.dtls = test::make_config(test::options_for(dtls::ProtocolVersion::dtls12))}};
  const auto restored = restore(server, state, other);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, Errc::session_refused);
  EXPECT_EQ(server.tuples(), 0U) << "what it had claimed is free again";
  EXPECT_TRUE(restore(server, state));
}

TEST_F(LiteMoves, AreRefusedTwice) {
  const auto state = export_state();
  auto server = fresh();
  EXPECT_TRUE(restore(server, state));
  expect_refused(restore(server, state), Errc::invalid_argument, "local.ufrag: in use");
  EXPECT_EQ(server.size(), 1U);
}

TEST_F(LiteMoves, AreRefusedWhereAnotherSessionHasThePath) {
  const auto state = export_state();
  LiteServer lite;
  const auto other = lite.add();
  lite.nominate(other, address(2, 5000));
  expect_refused(restore(lite.server, state), Errc::invalid_argument,
                 "a path that another session has");
  EXPECT_EQ(lite.server.tuples(), 1U);
  lite.server.remove(other);
  EXPECT_TRUE(restore(lite.server, state));
}

TEST_F(LiteMoves, ConsentExpiresMeanwhile) {
  const auto state = export_state();
  for (const bool is_late : {false, true}) {
    LiteServer lite;
    lite.now = world.now;
    auto options = restore_options();
    options.away = is_late ? 31s : 5s;
    const auto restored = must(restore(lite.server, state, options));
    lite.pass(10s);
    EXPECT_EQ(lite.told<Expired>(restored).size(), is_late ? 1U : 0U);
    lite.pass(20s);
    EXPECT_EQ(lite.told<Expired>(restored).size(), 1U);
    EXPECT_EQ(lite.server.path_of(restored), std::nullopt);
    EXPECT_EQ(lite.server.tuples(), 0U);
  }
}

TEST_F(LiteMoves, ConsentExpiresAlsoBeforeAnOutputIsPolled) {
  world.run_for(5min);  // DTLS has no timer any more
  auto server = fresh();
  const auto restored = must(restore(server, export_state()));
  ASSERT_TRUE(server.next_timeout());
  server.handle_timeout(world.now + kConsentLifetime);
  EXPECT_EQ(server.path_of(restored), std::nullopt);
  EXPECT_EQ(server.statistics().expired, 1U);
}

// A peer may begin its handshake over any path that a check has validated (RFC 8445 section 12).
TEST_F(LiteMoves, TheyGoOnOverAPathThatIsNotNominatedYet) {
  IceWorld other({.dtls = test::dtls13_with_gcm()});
  other.to_server = [](std::size_t, std::size_t, dtls::Bytes bytes) {
    const auto message = stun::decode(bytes);
    return !message || !message->use_candidate;
  };
  const auto of_other = other.begin({.candidates = {address(1, 5000)}});
  other.run_for(1s);
  must(other.clients[0]->transport.path_selected(dtls::PathId{0}, std::nullopt, other.now));
  other.run_for(1s);
  ASSERT_EQ(other.events<Connected>(of_other).size(), 1U);
  ASSERT_TRUE(other.events<PathSelected>(of_other).empty());
  ASSERT_EQ(other.server.path_of(of_other), LiteServer::path(address(1, 5000)));
  auto server = fresh();
  const auto restored =
      must(restore(server, must(other.server.export_session(of_other, other.now)).bytes()));
  EXPECT_EQ(server.path_of(restored), LiteServer::path(address(1, 5000)));
}

// The end of a connection is told to a server once, and that may be the one before.
TEST_F(LiteMoves, ASessionThatHasLostItsPathStillExpires) {
  for (const auto& candidate : world.clients[0]->candidates()) {
    world.server.path_closed(LiteServer::path(candidate), world.now);
    world.drain();
  }
  ASSERT_EQ(world.server.tuples(), 0U);
  const auto state = export_state();
  LiteServer lite;
  lite.now = world.now;
  auto options = restore_options();
  options.away = 5s;
  const auto restored = must(restore(lite.server, state, options));
  lite.pass(20s);
  EXPECT_TRUE(lite.told<Expired>(restored).empty());
  lite.pass(10s);
  EXPECT_EQ(lite.told<Expired>(restored).size(), 1U);
}

TEST_F(LiteMoves, ASessionWithoutAPathMoves) {
  world.clients[0]->stops_consent = true;
  world.run_for(40s);
  ASSERT_EQ(world.events<Expired>(session).size(), 1U);
  auto server = fresh();
  const auto restored = must(restore(server, export_state()));
  EXPECT_EQ(server.path_of(restored), std::nullopt);
  test::Packet packet = test::make_rtp();
  packet.resize(packet.size() + srtp::kMaxTrailer);
  EXPECT_EQ(server.protect_rtp(restored, packet, packet.size() - srtp::kMaxTrailer),
            tl::unexpected(srtp::PacketError::no_key));
}

TEST_F(LiteMoves, ATruncatedStateIsRefused) {
  const auto state = export_state();
  for (std::size_t size = 0; size < state.size(); ++size) {
    const auto parsed = SessionState::parse(dtls::Bytes(state).first(size));
    ASSERT_FALSE(parsed) << size;
    EXPECT_EQ(parsed.error().code, Errc::decode_error);
  }
}

// It is refused, or another session; whichever, the server goes on.
TEST_F(LiteMoves, AnAlteredStateIsHarmless) {
  const auto state = export_state();
  const auto options = restore_options();
  auto server = fresh();
  std::size_t restored = 0;
  for (std::size_t i = 0; i < state.size(); ++i) {
    auto altered = state;
    altered[i] ^= std::byte{1};
    auto parsed = SessionState::parse(altered);
    if (!parsed) {
      EXPECT_EQ(parsed.error().code, Errc::decode_error) << i;
      continue;
    }
    const auto session_of_it = server.restore(*std::move(parsed), options, world.now);
    if (!session_of_it) continue;
    ++restored;
    server.handle_timeout(world.now + 1h);
    EXPECT_TRUE(server.close(*session_of_it, world.now + 1h));
    std::array<std::byte, dtls::kMaxDatagram> out{};
    while (server.poll_transmit(out)) continue;
    while (server.poll_event()) continue;
    EXPECT_EQ(server.size() + server.tuples(), 0U) << i;
  }
  EXPECT_GT(restored, 0U);
}

// The remote ufrag may come after the move; the hash of what checks had before is not known then.
TEST_F(LiteMoves, TheRemoteUfragMayComeLater) {
  auto options = SessionOptions{};
  options.transport.dtls = test::make_config(test::dtls13_with_gcm());
  IceWorld other({.dtls = test::dtls13_with_gcm()});
  // IceWorld sets the ufrag of a client, an ICE restart knows none.
  const auto of_other = other.begin({.candidates = {address(1, 5000)}});
  other.run_for(2s);
  const auto newer = must(other.server.restart_ice(of_other, {}, other.now));
  other.clients[0]->restart({.ufrag = "again", .pwd = "the-password-of-the-client"}, newer,
                            other.now);
  other.flush(0);
  other.run_for(2s);
  LiteServer lite;
  lite.now = other.now;
  const auto restored = must(lite.server.restore(
      must(other.server.export_session(of_other, other.now)), restore_options(), lite.now));
  must(lite.server.set_remote_ufrag(restored, "again", lite.now));
  EXPECT_EQ(lite.server.tuples(), 1U);
  EXPECT_EQ(lite.peer_of(restored), address(1, 5000));
  auto stranger = lite.check_for(restored);
  EXPECT_EQ(lite.check(stranger, address(3, 1)), std::nullopt);
  EXPECT_EQ(lite.dropped(Drop::wrong_remote_ufrag), 1U);
}

}  // namespace
}  // namespace sluice::ice_lite
