// A hot restart: all sessions of a server go on in another one, with their clients in virtual time.
// Each test runs under several seeds, of the network and of the clients, and in both versions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "support/ice_checks.h"
#include "support/ice_world.h"

namespace sluice::ice_lite {
namespace {

using namespace std::chrono_literals;
using test::address;
using test::IceWorld;
using test::must;
using test::Packet;
using testing::UnorderedElementsAreArray;

constexpr std::size_t kSessions = 3;

class LiteMove : public testing::TestWithParam<std::uint64_t> {
 protected:
  LiteMove() {
    world_.to_server = [this](std::size_t client, std::size_t candidate, dtls::Bytes bytes) {
      if (is_recording_) {
        recorded_.push_back({world_.clients[client]->candidates()[candidate],
                             dtls::Buffer(bytes.begin(), bytes.end())});
      }
      return true;
    };
    for (std::uint8_t i = 0; i < kSessions; ++i) {
      // The server is the DTLS client of one of them.
      const auto role = i == 2 ? dtls::Role::client : dtls::Role::server;
      sessions_.push_back(world_.begin(client_options(i), {.role = role}));
    }
    world_.run_for(5s);
    for (const auto session : sessions_) {
      EXPECT_EQ(world_.events<Connected>(session).size(), 1U);
    }
    world_.all_events.clear();
  }

  static dtls::ConfigOptions dtls_options() {
    return test::options_for(GetParam() % 2 == 0 ? dtls::ProtocolVersion::dtls12
                                                 : dtls::ProtocolVersion::dtls13);
  }
  static test::IceClientOptions client_options(std::uint8_t number) {
    return {
        .local = {.ufrag = "client" + std::to_string(number), .pwd = "the-password-of-the-client"},
        .candidates = {address(number, 5000), address(number, 5001)},
        .is_aggressive = number == 1,
        .seed = GetParam() * kSessions + number};
  }

  // The old server ends, and another process begins on its port, `away` later. What the clients
  // send meanwhile is lost.
  void restart(dtls::Duration away = 60ms) {
    auto exported = world_.server.export_sessions(world_.now);
    ASSERT_EQ(exported.moved.size(), sessions_.size());
    ASSERT_TRUE(exported.stayed.empty());
    std::vector<dtls::Buffer> stored;
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      EXPECT_EQ(exported.moved[i].session, sessions_[i]);
      const auto bytes = exported.moved[i].state.bytes();
      stored.emplace_back(bytes.begin(), bytes.end());
    }
    EXPECT_EQ(world_.server.size(), 0U);
    world_.is_server_up = false;
    world_.server = must(IceLiteServer::make({}, test::environment()));
    world_.run_for(away);
    world_.is_server_up = true;
    const RestoreOptions options{.transport = {.dtls = test::make_config(dtls_options())},
                                 .away = away};
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      sessions_[i] =
          must(world_.server.restore(must(SessionState::parse(stored[i])), options, world_.now));
    }
    world_.drain();
  }

  // One packet each way of each session, and one message, unlike all others.
  void talk() {
    ++round_;
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      const auto of_client = static_cast<std::uint32_t>(100 + i);
      // The sequence numbers begin near their end.
      const auto sequence = static_cast<std::uint16_t>(65500 + round_);
      const auto up = test::make_rtp({.ssrc = of_client, .sequence = sequence});
      const auto down = test::make_rtp({.ssrc = of_client + 100, .sequence = sequence});
      Packet message(20, static_cast<std::byte>(round_ & 0xff));
      message[0] = static_cast<std::byte>(i);
      ASSERT_TRUE(world_.clients[i]->send_rtp(up));
      ASSERT_TRUE(world_.clients[i]->send_data(message));
      world_.flush(i);
      ASSERT_TRUE(world_.send_rtp(sessions_[i], down));
      ASSERT_TRUE(world_.send_data(sessions_[i], message));
      sent_up_.push_back(up);
      sent_data_up_.push_back(message);
      sent_down_[i].push_back(down);
      sent_data_down_[i].push_back(message);
    }
    world_.run_for(20ms);
  }
  void talk(int rounds) {
    for (int i = 0; i < rounds; ++i) talk();
  }

  // Everything has arrived, each once.
  void expect_all_received() {
    world_.run_for(1s);
    const auto bytes_of = [](const std::vector<IceWorld::Received>& received) {
      std::vector<Packet> all;
      for (const auto& each : received) all.push_back(each.bytes);
      return all;
    };
    EXPECT_THAT(bytes_of(world_.rtp), UnorderedElementsAreArray(sent_up_));
    EXPECT_THAT(bytes_of(world_.data), UnorderedElementsAreArray(sent_data_up_));
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      EXPECT_THAT(world_.clients[i]->rtp, UnorderedElementsAreArray(sent_down_[i]));
      EXPECT_THAT(world_.clients[i]->data, UnorderedElementsAreArray(sent_data_down_[i]));
    }
  }
  // No handshake, no other pair, no end: the clients have noticed nothing.
  void expect_unnoticed() {
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      const auto& client = *world_.clients[i];
      EXPECT_TRUE(client.transport.connected());
      EXPECT_THAT(client.errors, testing::IsEmpty()) << i;
      EXPECT_FALSE(client.closed);
      EXPECT_FALSE(client.error);
      EXPECT_EQ(client.transport.dtls_statistics()->flights_retransmitted, 0U);
      EXPECT_FALSE(world_.server.find(sessions_[i])->dtls_statistics()->handshake_duration);
    }
  }

  IceWorld world_{{.conditions = {.duplicate = 0.1, .delay = 10ms, .jitter = 5ms},
                   .seed = GetParam(),
                   .dtls = dtls_options()}};
  std::vector<SessionHandle> sessions_;
  struct Recorded {
    dtls::UdpEndpoint from;
    dtls::Buffer bytes;
  };
  std::vector<Recorded> recorded_;
  bool is_recording_ = false;

 private:
  unsigned round_ = 0;
  std::vector<Packet> sent_up_;
  std::vector<Packet> sent_data_up_;
  std::map<std::size_t, std::vector<Packet>> sent_down_;
  std::map<std::size_t, std::vector<Packet>> sent_data_down_;
};

TEST_P(LiteMove, MediaAndDataGoOnBothWays) {
  for (int restarts = 0; restarts < 4; ++restarts) {
    talk(30);
    world_.run_for(100ms);
    restart();
    for (const auto session : sessions_) EXPECT_TRUE(world_.server.find(session)->connected());
    talk(30);
  }
  expect_all_received();
  expect_unnoticed();
  EXPECT_TRUE(world_.all_events.empty());
  // Consent goes on, too.
  world_.run_for(2min);
  EXPECT_TRUE(world_.all_events.empty());
  EXPECT_GT(world_.server.statistics().checks, 20U * kSessions);
  talk(3);
  expect_all_received();
}

// What was on its way arrives at the new server.
TEST_P(LiteMove, PacketsUnderWayAreNotLost) {
  for (int restarts = 0; restarts < 6; ++restarts) {
    talk(3);
    restart(0ms);
  }
  expect_all_received();
  expect_unnoticed();
}

TEST_P(LiteMove, NothingIsAcceptedTwice) {
  is_recording_ = true;
  talk(40);
  world_.run_for(7s);
  restart();
  is_recording_ = false;
  talk(2);
  const auto checks = world_.server.statistics().checks;
  const auto all = recorded_;
  ASSERT_GT(all.size(), 80U);
  for (const auto& each : all) world_.inject(each.bytes, each.from);
  expect_all_received();
  EXPECT_GT(world_.server.statistics().checks, checks) << "retransmissions are answered";
  // Checks from elsewhere, too: none makes a tuple.
  const auto tuples = world_.server.tuples();
  for (const auto& each : all) world_.inject(each.bytes, address(77, 7));
  EXPECT_EQ(world_.server.tuples(), tuples);
  EXPECT_GT(world_.server.statistics().count(Drop::repeated_elsewhere), 0U);
  expect_unnoticed();
}

// Between the new credentials and their nomination.
TEST_P(LiteMove, AnIceRestartThatIsUnderWayMoves) {
  std::vector<Credentials> before;
  std::vector<Credentials> newer;
  for (const auto session : sessions_) {
    before.push_back(world_.server.local_credentials(session).value());
    newer.push_back(
        must(world_.server.restart_ice(session, {.remote_ufrag = "again"}, world_.now)));
  }
  talk(3);
  restart();
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    EXPECT_EQ(world_.server.local_credentials(sessions_[i]), newer[i]);
  }
  talk(3);
  expect_unnoticed();
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    world_.clients[i]->restart({.ufrag = "again", .pwd = "another-password-of-it"}, newer[i],
                               world_.now);
    world_.flush(i);
  }
  world_.run_for(2s);
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    const auto selected = world_.events<PathSelected>(sessions_[i]);
    ASSERT_FALSE(selected.empty());
    EXPECT_TRUE(selected.front().ends_restart);
    const auto refused = world_.server.statistics().count(Drop::unknown_ufrag);
    world_.inject(
        test::make_check({.username = before[i].ufrag + ":" + "client" + std::to_string(i),
                          .pwd = before[i].pwd}),
        address(99, 1));
    EXPECT_EQ(world_.server.statistics().count(Drop::unknown_ufrag), refused + 1);
  }
  talk(3);
  restart();
  talk(3);
  expect_all_received();
  expect_unnoticed();
}

// At any time of it: checks without a nomination have begun anew on the tuple in use.
TEST_P(LiteMove, AnIceRestartMovesAtAnyTime) {
  for (int step = 0; step < 12; ++step) {
    const std::string name = "again" + std::to_string(step);
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      const auto newer =
          must(world_.server.restart_ice(sessions_[i], {.remote_ufrag = name}, world_.now));
      world_.clients[i]->restart({.ufrag = name, .pwd = "another-password-of-it"}, newer,
                                 world_.now);
      world_.flush(i);
    }
    world_.run_for(step * 6ms);
    restart(0ms);
    world_.run_for(2s);
    for (const auto session : sessions_) {
      const auto selected = world_.events<PathSelected>(session);
      const bool has_ended =
          std::ranges::any_of(selected, [](const auto& each) { return each.ends_restart; });
      // Sooner than the move, in the former server, at the last steps.
      EXPECT_TRUE(has_ended || step >= 5) << step;
    }
    talk(2);
  }
  expect_all_received();
  expect_unnoticed();
}

// A restart of DTLS blocks until the former association has left, and is complete then or not.
TEST_P(LiteMove, ARestartOfDtlsMovesAfterIt) {
  const auto print = must(dtls::Fingerprint::of(dtls_options().identities.front().certificate(),
                                                dtls::HashAlgorithm::sha256, test::environment()));
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    const auto newer = must(world_.server.restart_ice(
        sessions_[i],
        {.remote_ufrag = "again",
         .dtls = IceRestart::Dtls{.role = dtls::Role::server, .peer_fingerprints = {print}}},
        world_.now));
    must(world_.clients[i]->transport.restart(dtls::Role::client, {{print}}, world_.now));
    world_.clients[i]->restart({.ufrag = "again", .pwd = "another-password-of-it"}, newer,
                               world_.now);
    world_.flush(i);
  }
  int blocked = 0;
  for (; blocked < 100 && world_.server.export_blocked(sessions_[0]); ++blocked) {
    EXPECT_NE(world_.server.export_blocked(sessions_[0]),
              transport::ExportBlocked::outputs_pending);
    world_.run_for(100ms);
  }
  EXPECT_GT(blocked, 10);
  EXPECT_LT(blocked, 100);
  world_.run_for(1s);
  talk(2);
  restart();
  talk(2);
  expect_all_received();
}

// A server that is restored is a server like others.
TEST_P(LiteMove, PeersMoveAndEndAfterwards) {
  talk(2);
  restart();
  world_.clients[0]->nominate(1, world_.now);
  world_.flush(0);
  world_.run_for(1s);
  talk(2);
  EXPECT_EQ(world_.server.path_of(sessions_[0])->peer, address(0, 5001));
  restart();
  talk(2);
  expect_all_received();
  must(world_.server.close(sessions_[2], world_.now));
  world_.drain();
  world_.run_for(1s);
  EXPECT_TRUE(world_.clients[2]->closed);
  EXPECT_FALSE(world_.clients[1]->closed);
  world_.clients[1]->stops_consent = true;
  world_.run_for(40s);
  EXPECT_EQ(world_.events<Expired>(sessions_[1]).size(), 1U);
  EXPECT_EQ(world_.events<Expired>(sessions_[0]).size(), 0U);
}

TEST_P(LiteMove, HandshakesGoOnInTheOldServer) {
  const auto session = world_.begin(client_options(kSessions));
  world_.run_for(dtls::Duration(GetParam() % 5 * 10'000));
  const auto exported = world_.server.export_sessions(world_.now);
  EXPECT_EQ(exported.moved.size(), kSessions);
  ASSERT_EQ(exported.stayed.size(), 1U);
  EXPECT_EQ(exported.stayed[0].session, session);
  world_.run_for(3s);
  EXPECT_EQ(world_.events<Connected>(session).size(), 1U);
  EXPECT_EQ(world_.server.export_blocked(session), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LiteMove, testing::Range(std::uint64_t{1}, std::uint64_t{9}));

}  // namespace
}  // namespace sluice::ice_lite
