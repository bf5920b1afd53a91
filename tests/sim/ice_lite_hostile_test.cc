// A live call at a server that anybody sends anything to: the call goes on, and memory is flat.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "support/allocations.h"
#include "support/ice_checks.h"
#include "support/ice_world.h"

namespace sluice::ice_lite {
namespace {

using namespace std::chrono_literals;
using test::address;
using test::IceWorld;
using test::make_check;

const bool kCountsLibcrypto = test::count_libcrypto();

constexpr std::size_t kDatagrams = 1'000'000;

class Attacker {
 public:
  Attacker(IceWorld& world, SessionHandle victim, SessionHandle own, std::uint64_t seed)
      : world_(world),
        victim_(world.server.local_credentials(victim).value()),
        own_(world.server.local_credentials(own).value()),
        random_(seed) {}

  // What an eavesdropper has of the victim.
  void overhear(dtls::Bytes bytes) {
    auto& seen = transport::classify(bytes) == transport::PacketClass::stun ? checks_ : seen_;
    if (seen.size() < 100) {
      seen.emplace_back(bytes.begin(), bytes.end());
    } else {
      seen[random_() % seen.size()].assign(bytes.begin(), bytes.end());
    }
  }

  void attack() {
    const auto victim = address(1, 1);
    switch (random_() % 12) {
      case 0:
        return send(noise(random_() % 200), anywhere());
      case 1:
        return send(noise(random_() % 1500), victim);
      case 2:  // a check with the victim's ufrag
        return send(check(victim_.ufrag, "a-guess-at-the-password-"), anywhere());
      case 3:
        return send(check(victim_.ufrag, "a-guess-at-the-password-"), victim);
      case 4:  // with the ufrag of no session
        return send(check("no" + std::to_string(random_() % 1000), own_.pwd), anywhere());
      case 5:  // valid, for his own session, from the victim's address
        return send(check(own_.ufrag, own_.pwd), victim);
      case 6:  // valid, from everywhere
        return send(check(own_.ufrag, own_.pwd), anywhere());
      case 7:
        return send(overheard(), anywhere());
      case 8:
        return send(overheard(), victim);
      case 9: {
        auto damaged = overheard();
        if (!damaged.empty()) damaged[random_() % damaged.size()] ^= one_bit();
        return send(std::move(damaged), victim);
      }
      case 10: {
        auto hello = noise(200);
        hello[0] = std::byte{22};
        hello[1] = std::byte{0xfe};
        hello[3] = hello[4] = {};
        return send(std::move(hello), anywhere());
      }
      default: {
        auto damaged = check(own_.ufrag, own_.pwd);
        damaged[random_() % damaged.size()] ^= one_bit();
        return send(std::move(damaged), anywhere());
      }
    }
  }

 private:
  std::byte one_bit() { return static_cast<std::byte>(1U << random_() % 8); }
  dtls::UdpEndpoint anywhere() {
    return address(static_cast<std::uint8_t>(10 + random_() % 200),
                   static_cast<std::uint16_t>(random_() % 65536));
  }
  dtls::Buffer noise(std::size_t size) {
    dtls::Buffer bytes(size + 5);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random_() & 0xff);
    return bytes;
  }
  dtls::Buffer overheard() {
    const auto& seen = random_() % 2 == 0 ? checks_ : seen_;
    return seen.empty() ? noise(50) : seen[random_() % seen.size()];
  }
  dtls::Buffer check(const std::string& ufrag, const std::string& pwd) {
    test::CheckFields fields{.username = ufrag + ":peer", .pwd = pwd};
    fields.use_candidate = random_() % 2 == 0;
    fields.priority = static_cast<std::uint32_t>(random_());
    return make_check(fields);
  }
  void send(dtls::Buffer bytes, const dtls::UdpEndpoint& from) {
    world_.inject(std::move(bytes), from);
    world_.to_strangers.clear();
    world_.bytes_to_strangers.clear();
  }

  IceWorld& world_;
  Credentials victim_;
  Credentials own_;
  std::mt19937_64 random_;
  std::vector<dtls::Buffer> checks_;
  std::vector<dtls::Buffer> seen_;  // all else
};

TEST(IceLiteHostility, EndsNoCallAndTakesNoMemory) {
  constexpr std::uint64_t kSeed = 20261130;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  ASSERT_TRUE(kCountsLibcrypto);
  IceWorld world({.server = {.max_tuples_per_session = 8, .max_early_tuples = 64}, .seed = kSeed});
  const auto session = world.begin({.candidates = {address(1, 1)}});
  const auto own = world.add({.local = {.ufrag = "peer", .pwd = "the-password-of-a-peer"}});
  Attacker attacker(world, session, own, kSeed);
  world.to_server = [&](std::size_t, std::size_t, dtls::Bytes bytes) {
    attacker.overhear(bytes);
    return true;
  };
  world.run_for(2s);
  ASSERT_EQ(world.events<Connected>(session).size(), 1U);

  std::uint16_t sequence = 0;
  std::size_t arrived = 0;
  std::int64_t bytes_before = 0;
  // 20 packets of media for each 100 hostile datagrams, which takes 10 ms of virtual time.
  for (std::size_t sent = 0; sent < kDatagrams; ++sent) {
    attacker.attack();
    if (sent % 5 == 0) {
      ASSERT_TRUE(world.clients[0]->send_rtp(test::make_rtp({.sequence = ++sequence})));
      world.flush(0);
    }
    if (sent % 100 == 0) {
      world.run_for(10ms);
      arrived += world.rtp.size();
      world.rtp.clear();
      world.clients[0]->rtp.clear();
      world.all_events.clear();
      world.clients[0]->errors.clear();
      ASSERT_TRUE(world.send_rtp(session, test::make_rtp({.sequence = sequence})));
      ASSERT_EQ(world.server.path_of(session)->peer, address(1, 1)) << "after " << sent;
    }
    if (sent == kDatagrams / 2) bytes_before = test::allocations().bytes;
  }
  world.run_for(1s);
  arrived += world.rtp.size();
  EXPECT_EQ(arrived, kDatagrams / 5) << "all media of the victim, once each";
  EXPECT_LE(test::allocations().bytes, bytes_before + 100'000) << "the second half took none";
  EXPECT_FALSE(world.clients[0]->error);
  EXPECT_EQ(world.server.size(), 2U);
  EXPECT_LE(world.server.tuples(), 16U);

  for (const Drop reason : {Drop::unknown_tuple, Drop::early_displaced, Drop::malformed_stun,
                            Drop::unknown_ufrag, Drop::wrong_integrity, Drop::repeated_elsewhere,
                            Drop::tuple_in_use, Drop::response_budget}) {
    EXPECT_GT(world.server.statistics().count(reason), 0U) << to_string(reason);
  }
}

}  // namespace
}  // namespace sluice::ice_lite
