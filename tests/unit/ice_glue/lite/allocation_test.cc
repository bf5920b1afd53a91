// Nothing is allocated per packet, or kept of what was replaced. A program of its own, because it
// replaces the allocators.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "support/allocations.h"
#include "support/ice_checks.h"
#include "support/ice_world.h"

namespace sluice::ice_lite {
namespace {

using namespace std::chrono_literals;
using test::address;
using test::IceWorld;

// libcrypto's own allocations do not count: OpenSSL 3.0's HMAC copies its contexts.
TEST(IceLiteMemory, IsNotAllocatedForAPacket) {
  IceWorld world({.dtls = test::dtls13_with_gcm()});
  const auto session = world.begin({.candidates = {address(1, 1)}});
  world.run_for(5min);
  auto& client = world.clients[0]->transport;
  const auto credentials = world.server.local_credentials(session).value();
  const test::CheckFields fields{.username = credentials.ufrag + ":client", .pwd = credentials.pwd};
  const dtls::UdpPath path{.peer = address(1, 1), .own = test::kServerAddress};
  const dtls::UdpPath stranger{.peer = address(9, 9), .own = test::kServerAddress};
  std::vector<dtls::Buffer> checks;
  for (int i = 0; i < 300; ++i) checks.push_back(test::make_check(fields));
  auto forged = fields;
  forged.pwd += "x";
  auto rtp = test::make_rtp({.payload = 1000});
  const test::Packet data(1000, std::byte{7});
  std::array<std::byte, 1500> wire{};
  std::array<std::byte, 1500> out{};
  std::size_t got = 0;
  const auto arrive = [&](dtls::MutableBytes datagram, const dtls::UdpPath& from) {
    world.server.handle_datagram(datagram, from, world.now);
    while (world.server.poll_transmit(out)) ++got;
    while (world.server.poll_data()) ++got;
    while (world.server.poll_media()) ++got;
    while (world.server.poll_event()) continue;
    static_cast<void>(world.server.next_timeout());
  };
  std::uint16_t sequence = 0;
  auto forgery = test::make_check(forged);
  const auto round = [&](dtls::Buffer& check) {
    arrive(check, path);
    arrive(forgery, stranger);
    ++sequence;
    rtp[2] = static_cast<std::byte>(sequence >> 8);
    rtp[3] = static_cast<std::byte>(sequence & 0xff);
    std::ranges::copy(rtp, wire.begin());
    arrive(dtls::MutableBytes(wire).first(client.protect_rtp(wire, rtp.size()).value()), path);
    arrive(dtls::MutableBytes(wire).first(client.seal_data(data, wire).value()), path);
    wire[0] = std::byte{0x80};
    arrive(dtls::MutableBytes(wire).first(100), stranger);
    std::ranges::copy(rtp, wire.begin());
    got += world.server.protect_rtp(session, wire, rtp.size()).has_value() ? 1U : 0U;
    got += world.server.seal_data(session, data, wire).has_value() ? 1U : 0U;
  };
  for (std::size_t i = 0; i < 100; ++i) round(checks[i]);
  const auto before = test::allocations().count;
  got = 0;
  for (std::size_t i = 100; i < 300; ++i) round(checks[i]);
  EXPECT_EQ(test::allocations().count, before);
  // A response, an RTP packet and data came, and as much left.
  EXPECT_GE(got, 200U * 5);
}

TEST(IceLiteMemory, IsNotKeptForARestartThatIsReplaced) {
  IceWorld world({});
  const auto session = world.add({.candidates = {address(1, 1)}});
  const auto restart = [&] { return world.server.restart_ice(session, {}, world.now).has_value(); };
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(restart());
  const auto before = test::allocations().bytes;
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(restart());
  EXPECT_EQ(test::allocations().bytes, before);
}

}  // namespace
}  // namespace sluice::ice_lite
