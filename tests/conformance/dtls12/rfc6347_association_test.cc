// RFC 6347 sections 4.2.6 and 4.2.8: what Finished covers, and what a live association survives.
#include <gtest/gtest.h>

#include "conformance/dtls12/vocabulary.h"
#include "record/header12.h"
#include "support/middlebox.h"

namespace sluice::test {
namespace {

// Calls `visit` with the body of each handshake message in plaintext. The engine puts one into a
// record.
void for_each_body(Buffer& datagram, const std::function<void(dtls::MutableBytes)>& visit) {
  dtls::MutableBytes rest(datagram);
  while (!rest.empty()) {
    const auto header = dtls::record::Header12::decode(rest).value();
    const auto contents = rest.subspan(dtls::record::kHeaderSize12, header.length);
    if (header.type == ContentType::handshake && header.epoch == kPlaintextEpoch) {
      visit(contents.subspan(dtls::message::kHandshakeHeaderSize));
    }
    rest = rest.subspan(dtls::record::kHeaderSize12 + header.length);
  }
}

struct Pair {
  Peer client = make_client(make_config(options_for(ProtocolVersion::dtls12)));
  Peer server = make_server(make_config(options_for(ProtocolVersion::dtls12)));
};

// Somebody on the path changes one bit in the plaintext of a handshake: no side may finish it.
TEST(Rfc6347_4_2_6, FinishedCoversEveryByteOfEveryMessage) {
  std::size_t bytes = 0;
  {
    Pair pair;
    exchange_through(
        [&](Role, Buffer datagram) {
          for_each_body(datagram, [&](dtls::MutableBytes body) { bytes += body.size(); });
          return std::vector<Buffer>{std::move(datagram)};
        },
        pair.client, pair.server);
    ASSERT_TRUE(pair.client.connected && pair.server.connected);
  }
  ASSERT_GT(bytes, 500U);
  for (std::size_t changed = 0; changed < bytes; changed += 5) {
    SCOPED_TRACE(changed);
    std::size_t at = 0;
    bool is_changed = false;
    Pair pair;
    exchange_through(
        [&](Role, Buffer datagram) {
          for_each_body(datagram, [&](dtls::MutableBytes body) {
            if (changed >= at && changed < at + body.size()) {
              body[changed - at] ^= std::byte{1};
              is_changed = true;
            }
            at += body.size();
          });
          return std::vector<Buffer>{std::move(datagram)};
        },
        pair.client, pair.server);
    // An ECDSA signature has not always the same size: this handshake may be a little shorter.
    if (!is_changed && changed + 10 > bytes) continue;
    EXPECT_FALSE(pair.client.connected);
    EXPECT_FALSE(pair.server.connected);
    EXPECT_FALSE(pair.client.connection().connected() || pair.server.connection().connected());
  }
}

// "The Finished MAC MUST be computed as if each handshake message had been sent as a single
// fragment", and repeated and reordered records are no part of it.
TEST(Rfc6347_4_2_6, FinishedDoesNotCoverHowMessagesTravel) {
  dtls::ConfigOptions small = options_for(ProtocolVersion::dtls12);
  small.mtu = 256;
  Peer client = make_client(make_config(small));
  Peer server = make_server(make_config(options_for(ProtocolVersion::dtls12)));
  exchange_through(
      [](Role, const Buffer& datagram) { return std::vector<Buffer>{datagram, datagram}; }, client,
      server);
  EXPECT_TRUE(client.connected && server.connected);
}

// ---- section 4.2.8

// "MUST NOT destroy the existing association until the client has demonstrated reachability."
TEST(Rfc6347_4_2_8, AClientHelloDoesNotDisturbALiveAssociation) {
  for (const bool accepted : {true, false}) {
    Duel duel(Role::server);
    duel.engine.accepts_peer = accepted;
    duel.run();
    ASSERT_TRUE(duel.peer.complete);
    Duel newcomer(Role::server);
    for (const Buffer& datagram : newcomer.peer.take_datagrams()) {
      for (int i = 0; i < 3; ++i) duel.deliver(datagram);
    }
    EXPECT_EQ(duel.collect(), 0U);
    EXPECT_EQ(discards(duel, Discard::unknown_epoch), 3U);
    if (!accepted) {
      duel.engine.settle(
          duel.engine.connection().answer(*duel.engine.question, dtls::AcceptPeer{}, duel.now),
          duel.now);
    }
    EXPECT_TRUE(works(duel));
  }
}

// While the first handshake runs, another client's hello is a stale message.
TEST(Rfc6347_4_2_8, AClientHelloDoesNotDisturbARunningHandshake) {
  Duel duel(Role::server);
  for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
  duel.collect();
  Duel newcomer(Role::server);
  for (Buffer& datagram : newcomer.peer.take_datagrams()) duel.deliver(std::move(datagram));
  EXPECT_EQ(discards(duel, Discard::stale_message), 1U);
  EXPECT_TRUE(works(duel));
}

// Every message of a whole other handshake in plaintext.
TEST(Rfc6347_4_2_8, NorDoesAnyOtherPlaintextHandshakeMessage) {
  for (const Role role : kRoles) {
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    for (unsigned type = 0; type < 30; ++type) {
      for (const std::uint16_t seq : {std::uint16_t{0}, duel.peer.next_seq()}) {
        duel.deliver(
            ScriptedPeer::loose_message(static_cast<HandshakeType>(type), counted(30), seq));
      }
    }
    EXPECT_EQ(duel.collect(), 0U);
    EXPECT_EQ(discards(duel, Discard::unknown_epoch), 60U);
    EXPECT_TRUE(works(duel));
  }
}

}  // namespace
}  // namespace sluice::test
