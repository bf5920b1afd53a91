// Attacks that worked on others, where no section's test has their name already.
#include <gtest/gtest.h>

#include <random>

#include "conformance/dtls12/vocabulary.h"
#include "support/allocations.h"

namespace sluice::test {
namespace {

Buffer random_bytes(std::size_t size, std::mt19937_64& random) {
  Buffer bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

std::size_t up_to(std::size_t most, std::mt19937_64& random) {
  return std::uniform_int_distribution<std::size_t>(0, most)(random);
}

// CVE-2020-27222, CVE-2022-39368: one bad handshake spoilt the next ones of the same server.
TEST(KnownAttacks, OneBadHandshakeDoesNotSpoilTheNext) {
  const std::vector<std::function<void(HandshakeType, Buffer&)>> faults{
      altering(HandshakeType::client_hello, [](Buffer& body) { body.resize(20); }),
      altering(HandshakeType::client_hello, [](Buffer& body) { body[0] = std::byte{0xff}; }),
      altering(HandshakeType::server_hello, [](Buffer& body) { body.resize(20); }),
      altering(HandshakeType::certificate, [](Buffer& body) { body[20] ^= std::byte{1}; }),
      altering(HandshakeType::certificate, [](Buffer& body) { body[60] ^= std::byte{0x40}; }),
      altering(HandshakeType::server_key_exchange, [](Buffer& body) { body[50] ^= std::byte{1}; }),
      altering(HandshakeType::certificate_verify, [](Buffer& body) { body[20] ^= std::byte{1}; }),
      altering(HandshakeType::client_key_exchange, [](Buffer& body) { body.resize(33, {}); }),
      altering(HandshakeType::finished, [](Buffer& body) { body[0] ^= std::byte{1}; })};
  for (const auto& fault : faults) {
    for (const Role role : kRoles) {
      Script script;
      script.alter = fault;
      Duel bad(role, script);
      bad.run();
      Duel good(role);
      EXPECT_TRUE(works(good));
    }
  }
}

// CVE-2026-26014: random nonces of GCM repeat. Ours are the record numbers (RFC 9325
// section 7.2.1), retransmissions included.
TEST(KnownAttacks, ExplicitNoncesNeverRepeat) {
  for (const Role role : kRoles) {
    Duel duel(role);
    std::set<Buffer> nonces;
    const auto note = [&](Bytes datagram) {
      while (!datagram.empty()) {
        const auto header = dtls::record::Header12::decode(datagram).value();
        if (header.epoch != kPlaintextEpoch) {
          const Buffer nonce = copy_of(datagram.subspan(13, 8));
          EXPECT_EQ(nonce, copy_of(datagram.subspan(3, 8)));
          EXPECT_TRUE(nonces.insert(nonce).second);
        }
        datagram = datagram.subspan(13 + header.length);
      }
    };
    for (int flight = 0; flight < 4; ++flight) {
      for (const Buffer& datagram : duel.engine.take_datagrams()) {
        note(datagram);
        duel.peer.receive(datagram);
      }
      if (flight == 1 && duel.engine.connection().next_timeout()) {
        duel.expire();
        continue;
      }
      for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
    }
    ASSERT_TRUE(duel.engine.connected);
    for (int i = 0; i < 500; ++i) note(duel.engine.seal(bytes_of("data")));
    EXPECT_GE(nonces.size(), 501U);
  }
}

// CVE-2016-2181 and kin: records of an epoch that has no keys yet must neither block nor cost much.
TEST(KnownAttacks, ForgedRecordsOfTheNextEpochDoNotBlockTheHandshake) {
  std::mt19937_64 random(1);
  for (const Role role : kRoles) {
    Duel duel(role);
    const auto before = allocations().bytes;
    for (int i = 0; i < 1000; ++i) {
      Buffer record = from_hex("16 fefd 0001 ffffffffffff 0100");
      record.resize(13 + 256);
      std::ranges::copy(random_bytes(256, random), record.begin() + 13);
      duel.deliver(std::move(record));
    }
    EXPECT_LT(allocations().bytes - before, 16'384);
    EXPECT_TRUE(works(duel));
  }
}

// CVE-2026-75806, CVE-2023-51443: off the path anybody can send, but not end a connection, and not
// make it send either.
TEST(KnownAttacks, NothingForgedEndsAnEncryptedConnection) {
  for (const Role role : kRoles) {
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    const std::size_t delivered = duel.engine.data.size();
    const Buffer genuine = duel.peer.data(bytes_of("genuine"));
    std::mt19937_64 random(2);
    for (int i = 0; i < 3000; ++i) {
      Buffer datagram;
      if (i % 3 == 0) {
        datagram = random_bytes(up_to(100, random), random);
        if (!datagram.empty()) datagram[0] = static_cast<std::byte>(20 + i % 44);
      } else if (i % 3 == 1) {
        datagram = ScriptedPeer::loose_message(static_cast<HandshakeType>(random() % 256),
                                               random_bytes(up_to(60, random), random),
                                               static_cast<std::uint16_t>(random() % 12))
                       .contents;
        datagram = duel.peer.seal({static_cast<ContentType>(20 + random() % 8),
                                   Epoch{random() % 3 == 0 ? 2U : 0U}, datagram});
      } else {
        datagram = genuine;
        datagram[up_to(datagram.size() - 1, random)] ^= std::byte{0x10};
      }
      duel.deliver(std::move(datagram));
    }
    EXPECT_EQ(duel.engine.data.size(), delivered);
    EXPECT_EQ(duel.collect(), 0U);
    EXPECT_TRUE(works(duel));
  }
}

// CVE-2009-1379: fragments that are left when the handshake ends.
TEST(KnownAttacks, FragmentsThatAreLeftOverEndWithTheHandshake) {
  for (const Role role : kRoles) {
    Script script;
    script.edit = [&](Flight& flight) {
      if (flight.back().epoch == kPlaintextEpoch) return;
      auto piece = ScriptedPeer::loose_message(HandshakeType::certificate, counted(500), 12);
      piece.contents = fragment_of(piece.contents, 100, 100);
      flight.insert(flight.begin(), piece);
    };
    Duel duel(role, script);
    EXPECT_TRUE(works(duel));
    duel.deliver(duel.peer.alert(AlertLevel::warning, Alert::close_notify));
    EXPECT_TRUE(duel.engine.closed);
  }
}

// CVE-2022-35409, CVE-2015-0207: lengths in a hello with a cookie that point beyond it.
TEST(KnownAttacks, LengthsBeyondTheHelloAreMalformed) {
  constexpr std::size_t kSessionIdAt = 34;
  for (const std::size_t at : {kSessionIdAt, kSessionIdAt + 1}) {
    for (const unsigned length : {0x80U, 0xfeU, 0xffU}) {
      Script script;
      script.client_hello.cookie = counted(32);
      script.alter = altering(HandshakeType::client_hello, [&](Buffer& body) {
        body[at] = static_cast<std::byte>(length);
        body.resize(100);
      });
      Duel duel(Role::server, script);
      duel.run();
      EXPECT_TRUE(failed(duel, Errc::decode_error, Alert::decode_error));
    }
  }
}

// A genuine datagram with up to two damaged copies before it.
std::vector<Buffer> among_damaged(const Buffer& genuine, std::mt19937_64& random) {
  std::vector<Buffer> datagrams;
  for (std::size_t copies = up_to(2, random); copies > 0; --copies) {
    Buffer damaged = genuine;
    for (std::size_t bits = 1 + up_to(3, random); bits > 0; --bits) {
      damaged[up_to(damaged.size() - 1, random)] ^= static_cast<std::byte>(1U << up_to(7, random));
    }
    if (up_to(3, random) == 0) damaged.resize(1 + up_to(damaged.size() - 1, random));
    datagrams.push_back(std::move(damaged));
  }
  datagrams.push_back(genuine);
  return datagrams;
}

// In plaintext a damaged datagram may end the handshake, or lead it to a Finished that the peer
// refuses. Whatever it does, only a whole handshake connects, and only the peer's data comes out.
TEST(KnownAttacks, DamagedDatagramsNeverLeadAstray) {
  int connected = 0;
  int ended = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Duel duel(kRoles[seed % 2]);
    try {
      for (int flight = 0; flight < 3 && !duel.engine.error; ++flight) {
        duel.collect();
        for (const Buffer& datagram : duel.peer.take_datagrams()) {
          for (Buffer& each : among_damaged(datagram, random)) duel.deliver(std::move(each));
        }
      }
    } catch (const std::runtime_error&) {
      EXPECT_FALSE(duel.engine.connected) << "the peer refused a signature or Finished";
    }
    if (duel.engine.connected) {
      ++connected;
      EXPECT_TRUE(works(duel));
    } else {
      ended += duel.engine.error ? 1 : 0;
      EXPECT_TRUE(duel.engine.data.empty());
      EXPECT_FALSE(duel.engine.connection().connected());
    }
  }
  EXPECT_GT(connected, 5);
  EXPECT_GT(ended, 10);
}

}  // namespace
}  // namespace sluice::test
