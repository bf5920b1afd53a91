// Calls whose handshake rides in connectivity checks (SPED), beside calls whose does not, over
// simulated paths.
#include <gtest/gtest.h>
#include <sluice/stun/crc32.h>

#include <algorithm>
#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/bytes.h"
#include "support/ice_world.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

constexpr dtls::Duration kRoundTrip = 100ms;

struct Call {
  bool of_client = false;  // DTLS in STUN
  bool of_server = false;
  dtls::ProtocolVersion version = dtls::ProtocolVersion::dtls13;
  double loss = 0;
  std::uint64_t seed = 1;
};

IceWorld world_of(const Call& call) {
  auto dtls = options_for(call.version);
  // Its flight takes more than one datagram.
  dtls.identities = {rsa_identity()};
  return IceWorld({.conditions = {.loss = call.loss, .delay = kRoundTrip / 2},
                   .seed = call.seed,
                   .dtls = std::move(dtls)});
}

ice_lite::SessionHandle begin(IceWorld& world, const Call& call) {
  ice_lite::SessionOptions session;
  session.dtls_in_stun = call.of_server;
  return world.begin({.candidates = {address(1, 5000)},
                      .is_aggressive = true,
                      .dtls_in_stun = call.of_client,
                      .seed = call.seed},
                     session);
}

// Until the client is connected; empty: not within a minute.
std::optional<dtls::Duration> set_up_time(const Call& call) {
  auto world = world_of(call);
  const auto start = world.now;
  begin(world, call);
  world.run_for(1min);
  const auto connected = world.clients[0]->connected_at;
  if (!connected) return std::nullopt;
  return *connected - start;
}

class DtlsInStunSim : public testing::TestWithParam<dtls::ProtocolVersion> {};

INSTANTIATE_TEST_SUITE_P(Versions, DtlsInStunSim,
                         testing::Values(dtls::ProtocolVersion::dtls12,
                                         dtls::ProtocolVersion::dtls13),
                         [](const auto& instance) {
                           return instance.param == dtls::ProtocolVersion::dtls12 ? "dtls12"
                                                                                  : "dtls13";
                         });

TEST_P(DtlsInStunSim, SavesTheRoundTripOfTheFirstCheck) {
  const auto plain = set_up_time({.version = GetParam()});
  const auto carried = set_up_time({.of_client = true, .of_server = true, .version = GetParam()});
  ASSERT_TRUE(plain && carried);
  EXPECT_EQ(*plain - *carried, kRoundTrip);
}

TEST_P(DtlsInStunSim, FallsBackWithAPeerThatDoesNotUseIt) {
  const auto plain = set_up_time({.version = GetParam()});
  EXPECT_EQ(set_up_time({.of_server = true, .version = GetParam()}), plain);
  // A server that does not: it knows the attributes and ignores them.
  EXPECT_EQ(set_up_time({.of_client = true, .version = GetParam()}), plain);
}

TEST_P(DtlsInStunSim, EndsWithTheHandshake) {
  const Call call{.of_client = true, .of_server = true, .version = GetParam()};
  auto world = world_of(call);
  const auto session = begin(world, call);
  world.run_for(10s);
  auto& client = *world.clients[0];
  ASSERT_TRUE(client.transport.connected());
  EXPECT_EQ(world.events<ice_lite::Connected>(session).size(), 1U);
  EXPECT_GT(client.carried, 0U);
  EXPECT_GT(client.largest_carried, 800U);
  EXPECT_LE(client.largest_carried, 900U);
  const auto& statistics = world.server.statistics();
  EXPECT_GT(statistics.dtls_in_stun_received, 0U);
  const auto sent = statistics.dtls_in_stun_sent;
  world.run_for(1min);
  EXPECT_EQ(statistics.dtls_in_stun_sent, sent);
  // Data and media pass both ways.
  const auto packet = make_rtp();
  EXPECT_TRUE(client.send_rtp(packet));
  EXPECT_TRUE(client.send_data(packet));
  world.flush(0);
  EXPECT_TRUE(world.send_rtp(session, packet));
  EXPECT_TRUE(world.send_data(session, packet));
  world.run_for(1s);
  EXPECT_EQ(world.rtp.size(), 1U);
  EXPECT_EQ(world.data.size(), 1U);
  EXPECT_EQ(client.rtp.size(), 1U);
  EXPECT_EQ(client.data.size(), 1U);
}

// All seeds connect. The figures are printed.
TEST_P(DtlsInStunSim, ConnectsOnLossyPaths) {
  constexpr std::uint64_t kSeeds = 100;
  for (const double loss : {0.10, 0.25}) {
    for (const bool carries : {false, true}) {
      std::vector<dtls::Duration> times;
      for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        const auto time = set_up_time({.of_client = carries,
                                       .of_server = carries,
                                       .version = GetParam(),
                                       .loss = loss,
                                       .seed = seed});
        ASSERT_TRUE(time) << "seed " << seed << ", loss " << loss;
        times.push_back(*time);
      }
      std::ranges::sort(times);
      std::cout << (carries ? "DTLS in STUN" : "plain") << ", loss " << loss << ": median "
                << times[kSeeds / 2].count() / 1000 << " ms, p95 "
                << times[kSeeds * 95 / 100].count() / 1000 << " ms\n";
    }
  }
}

TEST(DtlsInStunSim, AcknowledgesWhatChecksCarry) {
  IceWorld world({});
  ice_lite::SessionOptions session;
  session.dtls_in_stun = true;
  const auto handle = world.add({.candidates = {address(1, 5000)}}, session);
  const auto credentials = world.server.local_credentials(handle).value();
  const auto key = must(stun::IntegrityKey::make(environment(), credentials.pwd));
  const dtls::Buffer carried(40, std::byte{22});
  dtls::Buffer bytes(400);
  stun::Writer writer(bytes, stun::MessageClass::request, stun::Method::binding, {});
  writer.username(credentials.ufrag + ":client");
  writer.priority(1);
  writer.ice_controlling(1);
  writer.dtls_in_stun(carried);
  bytes.resize(must(writer.finish(environment(), key)));
  world.inject(std::move(bytes), address(9, 9));
  ASSERT_EQ(world.bytes_to_strangers.size(), 1U);
  const auto response = stun::decode(world.bytes_to_strangers.front());
  ASSERT_TRUE(response && response->dtls_in_stun_ack);
  const std::uint32_t hash = stun::crc32(carried);
  dtls::Buffer expected;
  for (const int shift : {24, 16, 8, 0}) expected.push_back(static_cast<std::byte>(hash >> shift));
  EXPECT_TRUE(std::ranges::equal(*response->dtls_in_stun_ack, expected));
  EXPECT_FALSE(response->dtls_in_stun);
}

// A check that uses DTLS in STUN and carries nothing.
dtls::Buffer small_check(const ice_lite::Credentials& credentials, const std::string& remote_ufrag,
                         std::uint32_t number) {
  const auto key = must(stun::IntegrityKey::make(environment(), credentials.pwd));
  stun::TransactionId transaction{};
  for (std::size_t i = 0; i < 4; ++i) transaction[i] = static_cast<std::byte>(number >> 8 * i);
  std::ranges::copy(std::span(transaction).first(4), transaction.end() - 4);
  dtls::Buffer bytes(400);
  stun::Writer writer(bytes, stun::MessageClass::request, stun::Method::binding, transaction);
  writer.username(credentials.ufrag + ":" + remote_ufrag);
  writer.priority(1);
  writer.ice_controlling(1);
  writer.dtls_in_stun_ack({});
  bytes.resize(must(writer.finish(environment(), key)));
  return bytes;
}

// The server has answered the ClientHello, and hears no more of the client.
IceWorld world_with_a_flight_under_way(ice_lite::SessionHandle& session) {
  const Call call{.of_client = true, .of_server = true};
  auto world = world_of(call);
  session = begin(world, call);
  const auto waits = [&] {
    return world.server.find(session)->waiting_for() ==
           transport::TransportWaitingFor::peer_message;
  };
  for (int i = 0; i < 100 && !waits(); ++i) world.run_for(5ms);
  EXPECT_TRUE(waits());
  return world;
}

// Who has a session can forge the source of its checks: few of the responses may be larger.
TEST(DtlsInStunSim, ChecksWithAForgedSourceAmplifyLittle) {
  ice_lite::SessionHandle session{};
  auto world = world_with_a_flight_under_way(session);
  const auto credentials = world.server.local_credentials(session).value();
  std::size_t received = 0;
  for (std::uint32_t i = 1; i <= 1000; ++i) {
    auto check = small_check(credentials, "client", i);
    received += check.size();
    world.inject(std::move(check), address(66, 6));
  }
  ASSERT_EQ(world.bytes_to_strangers.size(), 1000U);
  std::size_t large = 0;
  std::size_t sent = 0;
  for (const auto& each : world.bytes_to_strangers) {
    sent += each.size();
    large += each.size() > 500 ? 1 : 0;
  }
  EXPECT_GT(large, 0U);
  EXPECT_LE(large, 8U * 4) << "eight of each datagram of the flight";
  EXPECT_LT(sent, received + std::size_t{64} * 1024);
}

// The peer would take the former association's flight for an answer to its new ClientHello.
TEST(DtlsInStunSim, NothingOfTheFormerAssociationFollowsARestart) {
  ice_lite::SessionHandle session{};
  auto world = world_with_a_flight_under_way(session);
  const auto fingerprint = must(dtls::Fingerprint::of(rsa_identity().certificate(),
                                                      dtls::HashAlgorithm::sha256, environment()));
  const auto credentials = must(world.server.restart_ice(
      session,
      {.remote_ufrag = "next",
       .dtls = ice_lite::IceRestart::Dtls{.role = dtls::Role::server,
                                          .peer_fingerprints = {fingerprint}}},
      world.now));
  world.drain();
  world.inject(small_check(credentials, "next", 1), address(66, 6));
  ASSERT_EQ(world.bytes_to_strangers.size(), 1U);
  const auto response = stun::decode(world.bytes_to_strangers.front());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->message_class, stun::MessageClass::success_response);
  EXPECT_FALSE(response->dtls_in_stun);
}

// An authenticated peer may put anything into its checks.
TEST(DtlsInStunSim, RubbishInChecksHarmsNothing) {
  const Call call{.of_client = true, .of_server = true};
  auto world = world_of(call);
  const auto session = begin(world, call);
  const auto credentials = world.server.local_credentials(session).value();
  SeededRandom random(7);
  const auto key = must(stun::IntegrityKey::make(environment(), credentials.pwd));
  for (int i = 0; i < 500; ++i) {
    std::array<std::byte, 2> size{};
    random.fill(size);
    dtls::Buffer rubbish(std::to_integer<std::size_t>(size[0]) * 4);
    random.fill(rubbish);
    if (!rubbish.empty() && i % 2 == 0) rubbish[0] = std::byte{22};
    dtls::Buffer bytes(1400);
    stun::TransactionId transaction{};
    random.fill(transaction);
    stun::Writer writer(bytes, stun::MessageClass::request, stun::Method::binding, transaction);
    writer.username(credentials.ufrag + ":client");
    writer.priority(1);
    writer.ice_controlling(1);
    if (i % 3 == 0) {
      const std::vector<std::uint32_t> hashes(std::to_integer<std::size_t>(size[1]) % 40, 5U);
      writer.dtls_in_stun_ack(hashes);
    }
    writer.dtls_in_stun(rubbish);
    bytes.resize(must(writer.finish(environment(), key)));
    world.inject(std::move(bytes), address(1, 5000));
  }
  world.run_for(10s);
  EXPECT_TRUE(world.clients[0]->transport.connected());
  EXPECT_TRUE(world.server.find(session)->connected());
}

}  // namespace
}  // namespace sluice::test
