// What waits for the rest of a handshake: bounded, and by what came rather than by what it says.
#include <random>

#include "flight/reassembler.h"
#include "support/allocations.h"
#include "support/connections.h"
#include "unit/dtls/flight/fragments.h"

namespace sluice::dtls {
namespace {

using flight::Reassembler;
using test::allocations;
using wire::kPlaintextEpoch;

// Buffers that grow double, and a node in a map has its own header: what is allocated is at most
// this much more than what is counted.
constexpr std::int64_t allocated_for(std::size_t counted) {
  return static_cast<std::int64_t>(2 * counted + 4096);
}

TEST(ReassemblerMemory, FollowsTheBytesThatCameNotTheLengthClaimed) {
  const auto before = allocations().bytes;
  Reassembler reassembler({.max_message = (1U << 24) - 1, .max_bytes = std::size_t{1} << 25});
  const Buffer one(1);
  for (std::uint16_t seq = 0; seq <= 16; ++seq) {
    const message::HandshakeFragment fragment{
        {wire::HandshakeType::certificate, (1U << 24) - 1, wire::MessageSeq{seq}, 1U << 23, 1},
        one};
    ASSERT_TRUE(reassembler.add(fragment, kPlaintextEpoch));
  }
  EXPECT_LT(allocations().bytes - before, 8192);
}

// Fragments of every kind, far more than the bound: tiny ones, long ones, of many messages.
TEST(ReassemblerMemory, HasItsStatedBound) {
  for (const std::size_t limit : {std::size_t{2048}, std::size_t{65536}}) {
    for (const std::size_t longest : {std::size_t{1}, std::size_t{20}, std::size_t{1400}}) {
      constexpr std::uint64_t kSeed = 5;
      std::mt19937_64 random(kSeed);
      const test::Message message(limit);
      const auto before = allocations().bytes;
      test::reset_peak();
      Reassembler reassembler({.max_message = limit, .max_bytes = limit});
      for (int i = 0; i < 20'000; ++i) {
        const std::size_t offset = 1 + random() % (limit - 1);
        const std::size_t length = std::min(limit - offset, 1 + random() % longest);
        const auto seq = static_cast<std::uint16_t>(random() % 20);
        ASSERT_TRUE(reassembler.add(message.cut({.seq = seq, .offset = offset, .length = length}),
                                    kPlaintextEpoch));
      }
      EXPECT_LE(allocations().peak_bytes - before, allocated_for(limit))
          << limit << ", " << longest << ", seed " << kSeed;
      // And still the message that is due can come.
      for (std::size_t at = 0; at < limit; at += 1024) {
        ASSERT_EQ(reassembler.add(message.cut({.offset = at, .length = 1024}), kPlaintextEpoch),
                  Reassembler::Outcome::kept);
      }
      EXPECT_EQ(test::take(reassembler), message.body());
    }
  }
}

TEST(ReassemblerMemory, GivesBackWhatIsTaken) {
  const test::Message message(4000);
  const auto before = allocations().bytes;
  Reassembler reassembler({.max_message = 4096, .max_bytes = 16384});
  for (std::uint16_t seq = 0; seq < 100; ++seq) {
    ASSERT_TRUE(reassembler.add(message.cut({.seq = seq, .offset = 2000, .length = 2000}),
                                kPlaintextEpoch));
    ASSERT_TRUE(
        reassembler.add(message.cut({.seq = seq, .offset = 0, .length = 2000}), kPlaintextEpoch));
    ASSERT_TRUE(reassembler.front());
    reassembler.pop();
    EXPECT_EQ(allocations().bytes, before);
  }
}

// A server keeps no more than the bounds allow of what an unverified sender sends.
TEST(ReassemblerMemory, AServersMemoryIsBoundedBeforeAnybodyIsKnown) {
  ConfigOptions options = test::options();
  options.max_handshake_message = 4096;
  options.max_reassembly = 8192;
  const ConfigPtr config = test::make_config(options);
  const test::Message message(4096);
  const auto before = allocations().bytes;
  test::Peer server = test::make_server(config);
  const auto fresh = allocations().bytes - before;
  std::mt19937_64 random(7);
  test::reset_peak();
  for (int i = 0; i < 5'000; ++i) {
    const std::size_t offset = 1 + random() % 4095;
    const std::size_t length = std::min<std::size_t>(4096 - offset, 1 + random() % 200);
    const auto fragment = message.cut({.seq = static_cast<std::uint16_t>(random() % 8),
                                       .offset = offset,
                                       .length = length,
                                       .type = wire::HandshakeType::client_hello});
    Buffer record = test::from_hex("16 fefd 0000 000000000000");
    wire::Writer writer(record);
    writer.u16(static_cast<std::uint16_t>(message::kHandshakeHeaderSize + length));
    record.resize(record.size() + message::kHandshakeHeaderSize);
    fragment.header.encode(MutableBytes(record).last(message::kHandshakeHeaderSize));
    writer.bytes(fragment.body);
    server.receive(std::move(record), {});
    // Records of the next epoch wait for their keys as well.
    Buffer early = test::from_hex("17 fefd 0001 000000000000 0100");
    early.resize(early.size() + 256);
    server.receive(std::move(early), {});
  }
  ASSERT_FALSE(server.error) << to_string(*server.error);
  EXPECT_LE(allocations().peak_bytes - before - fresh, allocated_for(8192 + 4096));
}

}  // namespace
}  // namespace sluice::dtls
