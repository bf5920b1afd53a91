// The return routability check (RFC 9853 section 5), in both versions.
#include <random>
#include <set>

#include "conformance/both/rfc9853.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// T for the round trip of these handshakes, which is shorter than the shortest that counts.
constexpr milliseconds kT{150};

class Rfc9853 : public PathTest {};

INSTANTIATE_TEST_SUITE_P(Versions, Rfc9853, both_versions(), name_of_version);

// ---- section 5.1: the basic check

TEST_P(Rfc9853, BasicAsksOnTheNewPath) {
  PathWorld world(basic());
  rebind(world);
  const auto challenges = sent(world, Role::server, PathMessageType::path_challenge);
  ASSERT_EQ(challenges.size(), 1U);
  EXPECT_EQ(challenges[0].path, kNew);
  const auto responses = sent(world, Role::client, PathMessageType::path_response);
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_EQ(responses[0].message.cookie, challenges[0].message.cookie);
  EXPECT_TRUE(has_moved(world, kNew));
  expect_data_to(world, kNew);
  EXPECT_FALSE(world.server().connection().next_timeout());
}

// "MUST stop sending any buffered application data, or limit the data": until the check has
// succeeded, data goes to the old path.
TEST_P(Rfc9853, UntilThenDataGoesToTheOldPath) {
  for (const auto& options : {basic(), enhanced()}) {
    PathWorld world(options);
    world.deliver(Role::server, kNew, world.seal(Role::client));
    expect_data_to(world, kPath);
    EXPECT_EQ(world.server().data.size(), 2U) << "what came from the new path is delivered";
  }
}

// "If T expires the peer address binding is not updated." Section 5.5: T is three round trips, or
// one second.
TEST_P(Rfc9853, WithoutAnswerTheConnectionStays) {
  PathWorld world(basic());
  world.deliver(Role::server, kNew, world.seal(Role::client, 200));
  world.run();
  const auto begin = world.now;
  world.pass(kT - milliseconds{1});
  EXPECT_EQ(statistics(world).paths_refused, 0U);
  world.pass(milliseconds{1});
  EXPECT_EQ(statistics(world).paths_refused, 1U);
  EXPECT_EQ(statistics(world).path_challenges, 3U);
  EXPECT_EQ(path(world), kPath);
  EXPECT_FALSE(world.server().connection().next_timeout());
  // "Each path_challenge message MUST contain random data", and they are paced.
  const auto challenges = sent(world, Role::server, PathMessageType::path_challenge);
  ASSERT_EQ(challenges.size(), 3U);
  std::set<dtls::message::PathCookie> cookies;
  for (std::size_t i = 0; i < challenges.size(); ++i) {
    cookies.insert(challenges[i].message.cookie);
    EXPECT_EQ(challenges[i].time - begin, static_cast<int>(i) * milliseconds{50});
  }
  EXPECT_EQ(cookies.size(), 3U);
  // New data begins anew.
  rebind(world);
  EXPECT_TRUE(has_moved(world, kNew));
}

// An answer after T is discarded, and its bytes draw nothing. The next record from there does.
TEST_P(Rfc9853, AnAnswerThatComesTooLateMovesNothing) {
  PathWorld world(basic());
  world.deliver(Role::server, kNew, world.seal(Role::client, 200));
  world.run();
  const auto asked = sent(world, Role::server, PathMessageType::path_challenge).at(0);
  world.pass(kT);
  ASSERT_EQ(statistics(world).paths_refused, 1U);
  world.deliver(Role::server, kNew,
                world.seal(Role::client, ContentType::return_routability_check,
                           message(PathMessageType::path_response, asked.message.cookie)));
  EXPECT_EQ(path(world), kPath);
  EXPECT_EQ(statistics(world).count(Discard::unexpected_content), 1U);
  EXPECT_EQ(statistics(world).paths_validated, 0U);
  world.run();
  EXPECT_EQ(sent(world, Role::server, PathMessageType::path_challenge).size(), 3U);
  world.deliver(Role::server, kNew, world.seal(Role::client));
  world.run();
  const auto challenges = sent(world, Role::server, PathMessageType::path_challenge);
  ASSERT_EQ(challenges.size(), 4U);
  EXPECT_NE(challenges.back().message.cookie, asked.message.cookie);
}

// Any one of the three may be lost, or its answer.
TEST_P(Rfc9853, LossIsMadeUpFor) {
  for (const auto& options : {basic(), enhanced()}) {
    for (const Role loser : kRoles) {
      for (const int losses : {1, 2}) {
        int left = losses;
        PathWorld world(options);
        world.rebind(kPath, kNew);
        world.deliver(Role::server, kNew, world.seal(Role::client, 200));
        world.loses = [&](const PathWorld::Datagram& datagram) {
          const bool is_new = datagram.sender == Role::client || datagram.path == kNew;
          return datagram.sender == loser && is_new && left-- > 0;
        };
        world.run();
        world.pass(2 * kT);
        EXPECT_TRUE(has_moved(world, kNew)) << to_string(loser) << losses;
        expect_data_to(world, kNew);
      }
    }
  }
}

// ---- section 5.2: the enhanced check

// Case 1 of section 8.1.2: the old path is dead.
TEST_P(Rfc9853, EnhancedAsksOnTheOldPathFirst) {
  PathWorld world(enhanced());
  rebind(world);
  EXPECT_EQ(path(world), kPath);
  auto challenges = sent(world, Role::server, PathMessageType::path_challenge);
  ASSERT_EQ(challenges.size(), 1U);
  EXPECT_EQ(challenges[0].path, kPath);
  world.pass(kT - milliseconds{1});
  EXPECT_EQ(path(world), kPath);
  world.pass(milliseconds{1});
  challenges = sent(world, Role::server, PathMessageType::path_challenge);
  ASSERT_EQ(challenges.size(), 4U);
  EXPECT_EQ(challenges[3].path, kNew);
  EXPECT_TRUE(has_moved(world, kNew));
  expect_data_to(world, kNew);
}

// Case 2: the old path is alive, and the peer has left it. "a return_routability_check message of
// type path_drop MUST be returned", "the initiator MUST perform a return routability check on the
// observed new address".
TEST_P(Rfc9853, APeerThatHasMovedSaysSo) {
  PathWorld world(enhanced());
  world.join(kOther, kNew);
  world.client().connection().set_path(kOther);
  world.send_data(Role::client);
  const auto drops = sent(world, Role::client, PathMessageType::path_drop);
  ASSERT_EQ(drops.size(), 1U);
  EXPECT_EQ(drops[0].path, kPath);
  const auto responses = sent(world, Role::client, PathMessageType::path_response);
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_EQ(responses[0].path, kOther);
  EXPECT_TRUE(has_moved(world, kNew)) << "without waiting";
  EXPECT_EQ(path(world, Role::client), kOther) << "the server's records did not lead it back";
  EXPECT_TRUE(sent(world, Role::client, PathMessageType::path_challenge).empty());
  expect_data_to(world, kNew);
  // What the client remembered goes.
  world.pass(std::chrono::minutes{2});
  EXPECT_FALSE(world.client().connection().next_timeout());
}

// Case 3: the old path is alive and preferred. "the initiator MUST continue using the previously
// valid address".
TEST_P(Rfc9853, ARacedCopyMovesNothing) {
  PathWorld world(enhanced());
  const Buffer datagram = world.seal(Role::client);
  world.deliver(Role::server, kNew, datagram);   // the attacker's copy comes first
  world.deliver(Role::server, kPath, datagram);  // and the genuine one is a duplicate
  world.run();
  EXPECT_EQ(statistics(world).count(Discard::replayed), 1U);
  const auto responses = sent(world, Role::client, PathMessageType::path_response);
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_EQ(responses[0].path, kPath);
  EXPECT_EQ(statistics(world).paths_refused, 1U);
  EXPECT_TRUE(world.to_nowhere.empty()) << "the attacker got nothing";
  EXPECT_TRUE(world.server().path_changes.empty());
  EXPECT_FALSE(world.server().connection().next_timeout());
  expect_data_to(world, kPath);
}

// What the basic check cannot tell: an attacker who forwards both directions, and is faster, gets
// the connection. The enhanced check keeps it with the peer.
TEST_P(Rfc9853, AnAttackerWhoForwardsGetsABasicConnectionOnly) {
  for (const auto& options : {basic(), enhanced()}) {
    PathWorld world(options);
    world.join(kOther, kNew);  // the attacker's way to the client
    world.deliver(Role::server, kNew, world.seal(Role::client));
    world.run();
    const bool is_basic = options.return_routability == ReturnRoutability::basic;
    EXPECT_EQ(path(world), is_basic ? kNew : kPath);
    // The next record on the true path leads back.
    world.send_data(Role::client);
    world.pass(2 * kT);
    EXPECT_FALSE(world.server().error);
  }
}

// ---- section 5.3: the initiator

// Answers from a wrong path, with a wrong cookie, or again, change nothing.
TEST_P(Rfc9853, OnlyTheCookieOnItsPathCounts) {
  PathWorld world(basic());
  world.deliver(Role::server, kNew, world.seal(Role::client, 200));
  world.run();
  const auto challenge = sent(world, Role::server, PathMessageType::path_challenge).at(0);
  const auto tell = [&](PathId from, PathMessageType type, auto cookie) {
    world.deliver(
        Role::server, from,
        world.seal(Role::client, ContentType::return_routability_check, message(type, cookie)));
  };
  auto wrong = challenge.message.cookie;
  wrong[7] ^= std::byte{1};
  tell(kNew, PathMessageType::path_response, wrong);
  tell(kPath, PathMessageType::path_response, challenge.message.cookie);
  tell(kOther, PathMessageType::path_response, challenge.message.cookie);
  EXPECT_EQ(statistics(world).count(Discard::unexpected_content), 3U);
  EXPECT_EQ(path(world), kPath);
  tell(kNew, PathMessageType::path_response, challenge.message.cookie);
  EXPECT_TRUE(has_moved(world, kNew));
  tell(kNew, PathMessageType::path_response, challenge.message.cookie);
  EXPECT_EQ(statistics(world).count(Discard::unexpected_content), 4U);
  EXPECT_EQ(statistics(world).paths_validated, 1U);
}

// Nobody else can write an answer: neither this side's own records nor old ones count.
TEST_P(Rfc9853, ReflectedAndReplayedRecordsAreDiscarded) {
  PathWorld world(basic());
  world.deliver(Role::server, kNew, world.seal(Role::client, 200));
  world.run();
  ASSERT_EQ(world.to_nowhere.size(), 1U);
  world.deliver(Role::server, kNew, world.to_nowhere[0].bytes);
  EXPECT_EQ(path(world), kPath);
  EXPECT_EQ(statistics(world).total_discarded(), 1U);

  world.deliver(Role::client, kPath, world.to_nowhere[0].bytes);
  const auto response = world.take(Role::client);
  ASSERT_EQ(response.size(), 1U);
  world.deliver(Role::client, kPath, world.to_nowhere[0].bytes);
  EXPECT_TRUE(world.take(Role::client).empty()) << "a challenge is answered once";
  world.deliver(Role::server, kNew, response[0].bytes);
  EXPECT_TRUE(has_moved(world, kNew));
  world.deliver(Role::server, kOther, response[0].bytes);
  world.run();
  EXPECT_EQ(path(world), kNew);
}

// Old records do not say where the peer is.
TEST_P(Rfc9853, OnlyTheNewestRecordBeginsACheck) {
  PathWorld world(basic());
  const Buffer late = world.seal(Role::client);
  world.send_data(Role::client);
  world.deliver(Role::server, kNew, late);
  world.run();
  EXPECT_EQ(world.server().data.size(), 2U);
  EXPECT_TRUE(world.watch(Role::server).sent.empty());
}

// Section 5: "the presented algorithms are not designed to handle nested rebindings".
TEST_P(Rfc9853, AnotherNewPathWaitsForTheEnd) {
  PathWorld world(basic());
  world.deliver(Role::server, kNew, world.seal(Role::client, 200));
  world.run();
  world.rebind(kPath, kOther);
  world.send_data(Role::client);
  for (const auto& one : sent(world, Role::server, PathMessageType::path_challenge)) {
    EXPECT_EQ(one.path, kNew);
  }
  world.pass(kT);
  EXPECT_EQ(path(world), kPath);
  EXPECT_EQ(statistics(world).paths_refused, 1U);
  world.send_data(Role::client);
  EXPECT_TRUE(has_moved(world, kOther));
}

// Section 2: "three times the amount of data received from an unvalidated address [...] excluding
// those that have been discarded".
TEST_P(Rfc9853, AnUnvalidatedPathGetsThreeTimesItsBytes) {
  ConfigOptions large = basic();
  large.connection_id_size = 255;
  ConfigOptions small = basic();
  small.connection_id_size = 1;
  small.record_padding = 512;
  large.record_padding = 512;
  PathWorld world(large, small);
  // A copy with much behind it that is discarded.
  Buffer datagram = world.seal(Role::client, ContentType::application_data, {});
  if (!is13()) datagram.resize(datagram.size() + 13);
  world.deliver(Role::server, kNew, datagram);
  world.run();
  world.pass(kT);
  EXPECT_LE(world.watch(Role::server).bytes_to[kNew], 3 * datagram.size());
}

TEST_P(Rfc9853, NeverMoreThanThreeTimesWhateverComes) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](unsigned end) { return static_cast<unsigned>(random() % end); };
    ConfigOptions client = below(2) == 0 ? basic() : enhanced();
    ConfigOptions server = below(2) == 0 ? basic() : enhanced();
    client.connection_id_size = 1 + below(255);
    server.connection_id_size = 1 + below(20);
    client.record_padding = below(3) * 100;
    server.record_padding = below(3) * 100;
    PathWorld world(client, server);
    for (int i = 0; i < 60; ++i) {
      const auto from = static_cast<PathId>(2 + below(3));
      const Role receiver = kRoles[below(2)];
      const Role sender = kRoles[receiver == Role::client ? 1 : 0];
      const Buffer contents =
          below(2) == 0 ? message(PathMessageType(below(3))) : Buffer(below(40));
      const bool is_data = contents.size() != PathMessage::kSize;
      auto& records = records_of(world.peer(sender).connection());
      Buffer out(600);
      const auto size = records.seal(
          records.write_epoch(),
          is_data ? ContentType::application_data : ContentType::return_routability_check, contents,
          dtls::MutableBytes(out).first(
              records.size_of(records.write_epoch()).unpadded(contents.size())));
      out.resize(size.value());
      world.deliver(receiver, from, out);
      world.run();
      world.pass(milliseconds{below(80)});
      for (const Role role : kRoles) {
        ASSERT_EQ(path(world, role), kPath);
        for (const PathId path : {PathId{2}, PathId{3}, PathId{4}}) {
          ASSERT_LE(world.watch(role).bytes_to[path], 3 * world.received_from(role, path));
        }
      }
    }
    EXPECT_FALSE(world.client().error || world.server().error);
  }
}

// ---- section 5.4: the responder

// "MUST NOT delay", "exactly one", "to the address from which the corresponding path_challenge was
// received".
TEST_P(Rfc9853, EachChallengeIsAnsweredOnceAtOnceWhereItCameFrom) {
  for (const PathId from : {kPath, kNew}) {
    PathWorld world(enhanced());
    const dtls::message::PathCookie cookie{std::byte{7}};
    Buffer challenge = world.seal(Role::server, ContentType::return_routability_check,
                                  message(PathMessageType::path_challenge, cookie));
    const auto pending = world.client().connection().handle_datagram(challenge, from, world.now);
    ASSERT_TRUE(pending);
    EXPECT_TRUE(pending->transmit);
    const auto answers = world.take(Role::client);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].path, from);
    const auto response = world.watch(Role::client).sent.at(0);
    EXPECT_EQ(response.message.type, PathMessageType::path_response);
    EXPECT_EQ(response.message.cookie, cookie);
    EXPECT_FALSE(world.client().connection().next_timeout()) << "a challenge shows no new address";
  }
}

// Answers wait in a bounded queue.
TEST_P(Rfc9853, AFloodOfChallengesIsBounded) {
  PathWorld world(enhanced());
  for (int i = 0; i < 30; ++i) {
    world.deliver(Role::client, kPath,
                  world.seal(Role::server, ContentType::return_routability_check,
                             message(PathMessageType::path_challenge)));
  }
  EXPECT_EQ(world.take(Role::client).size(), 8U);
  EXPECT_EQ(statistics(world, Role::client).count(Discard::unexpected_content), 22U);
}

// ---- section 9: connection IDs

// RFC 9147 section 9: the new path gets a new ID, where there is one.
TEST_P(Rfc9853, TheNewPathGetsANewId) {
  if (!is13()) return;
  PathWorld world(basic());
  auto& server = world.server();
  server.settle(server.connection().request_connection_ids(1, world.now), world.now);
  world.run();
  world.pass(seconds{400});
  ASSERT_EQ(server.connection().spare_connection_ids(), 1U);
  const auto before = server.connection().info()->peer_connection_id;
  rebind(world);
  EXPECT_TRUE(has_moved(world, kNew));
  EXPECT_NE(server.connection().info()->peer_connection_id, before);
  expect_data_to(world, kNew);
}

}  // namespace
}  // namespace sluice::test
