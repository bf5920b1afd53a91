// Records that are to be discarded, and those that aren't (RFC 9147 section 4).
#include "conformance/dtls13/vocabulary.h"

namespace sluice::test {
namespace {

constexpr std::array kFatalAlert{std::byte{2}, std::byte{40}};

// Somebody tries each content type in plaintext; how many were counted for `reason`.
std::uint32_t try_plaintext(Peer& peer, Discard reason) {
  const std::uint32_t before = discards(peer, reason);
  peer.receive(plaintext_record(ContentType::alert, kFatalAlert), {});
  peer.receive(plaintext_record(ContentType::application_data, bytes_of("data")), {});
  peer.receive(plaintext_record(ContentType::ack, ack_of(numbers_of(kHandshakeEpoch13, 0, 9))), {});
  return discards(peer, reason) - before;
}

TEST(Rfc9147_4_2_1, PlaintextIsDiscardedOnceThePeerEncrypts) {
  Pair pair(small_options13());
  pair.flight(pair.client);
  const Buffer end_of_servers = hold_back_the_last(pair.server, pair.client);
  EXPECT_EQ(try_plaintext(pair.client, Discard::unexpected_content), 3U);
  EXPECT_FALSE(pair.client.error);
  pair.client.receive(end_of_servers, {});
  const Buffer end_of_clients = hold_back_the_last(pair.client, pair.server);
  EXPECT_EQ(try_plaintext(pair.server, Discard::unexpected_content), 3U);
  EXPECT_FALSE(pair.server.error);
  pair.server.receive(end_of_clients, {});
  pair.run();
  EXPECT_TRUE(works(pair));
}

TEST(Rfc9147_4_2_1, PlaintextIsAnUnknownEpochAfterTheHandshake) {
  Pair pair = connected_pair(options13());
  for (Peer* peer : {&pair.client, &pair.server}) {
    EXPECT_EQ(try_plaintext(*peer, Discard::unknown_epoch), 3U);
    peer->receive(plaintext_record(ContentType::handshake,
                                   message_of(HandshakeType::client_hello, 0, counted(60))),
                  {});
    peer->receive(plaintext_record(ContentType::change_cipher_spec, std::array{std::byte{1}}), {});
    EXPECT_EQ(discards(*peer, Discard::unknown_epoch), 5U);
    EXPECT_TRUE(is_unmoved(*peer));
  }
  EXPECT_TRUE(works(pair));
}

// Two bits of the epoch are on the wire: 1 was early data's, 4 is after the next KeyUpdate.
TEST(Rfc9147_4_2_1, EpochsWithoutKeysAreUnknown) {
  Pair pair = connected_pair(options13());
  for (Peer* peer : {&pair.client, &pair.server}) {
    for (const unsigned bits : {0U, 1U}) {
      Buffer record = from_hex("2c 0001 0014 0000000000000000000000000000000000000000");
      record[0] |= static_cast<std::byte>(bits);
      peer->receive(record, {});
    }
    EXPECT_EQ(discards(*peer, Discard::unknown_epoch), 2U);
    EXPECT_TRUE(is_unmoved(*peer));
  }
}

// What waited is read once the ServerHello is there. Of that again some has to wait, for the
// Finished in its midst.
TEST(Rfc9147_4_2_1, WhatHasWaitedMayWaitOnceMore) {
  Pair pair(options13());
  pair.flight(pair.client);
  Buffer flight;
  for (const Buffer& datagram : pair.server.take_datagrams()) {
    flight.insert(flight.end(), datagram.begin(), datagram.end());
  }
  dtls::wire::Reader length(Bytes(flight).subspan(11, 2));
  const std::size_t server_hello = 13 + length.u16();
  const Buffer later = from_hex("2f 0001 0014 0000000000000000000000000000000000000000");
  pair.client.receive(later, {});
  pair.client.receive(copy_of(Bytes(flight).subspan(server_hello)), {});
  pair.client.receive(later, {});
  pair.client.receive(copy_of(Bytes(flight).first(server_hello)), {});
  EXPECT_FALSE(pair.client.peer_chain.empty()) << "the flight is read";
  EXPECT_EQ(discards(pair.client, Discard::authentication_failed), 2U);
  pair.run();
  EXPECT_TRUE(works(pair));
}

TEST(Rfc9147_4_2_1, RecordsOfAFutureEpochWaitWithinABound) {
  Pair pair(options13());
  pair.flight(pair.client);
  Buffer junk = from_hex("2f 0001 0400");
  junk.resize(junk.size() + 0x400, std::byte{0x55});
  for (int i = 0; i < 100; ++i) pair.client.receive(junk, {});
  EXPECT_EQ(discards(pair.client, Discard::unknown_epoch), 97U) << "3 in 4 kB";
  pair.run();
  EXPECT_EQ(discards(pair.client, Discard::authentication_failed) +
                discards(pair.client, Discard::replayed),
            3U);
  EXPECT_TRUE(works(pair));
}

// RFC 9147 section 5.11 and 4.2.1: the client's data may overtake its Finished.
TEST(Rfc9147_4_2_1, DataThatOvertakesFinishedIsDelivered) {
  Pair pair(options13());
  pair.flight(pair.client);
  pair.flight(pair.server);
  auto finished = pair.client.take_datagrams();
  ASSERT_TRUE(pair.client.connected);
  pair.server.receive(pair.client.seal(bytes_of("early bird")), {});
  EXPECT_TRUE(pair.server.data.empty());
  EXPECT_FALSE(pair.server.connected);
  for (Buffer& datagram : finished) pair.server.receive(std::move(datagram), {});
  pair.run();
  ASSERT_EQ(pair.server.data.size(), 1U);
  EXPECT_EQ(to_hex(pair.server.data[0]), to_hex(bytes_of("early bird")));
}

// A server may send it with its Finished. It is there when our last flight has left, and for one
// input more, as nobody is told earlier.
TEST(Rfc9147_4_2_1, EarlyDataOfTheServerStaysForAnInputMore) {
  Pair pair(options13());
  pair.flight(pair.client);
  pair.flight(pair.server);
  pair.client.receive(sealed(pair.server, kFirstApplicationEpoch13, ContentType::application_data,
                             bytes_of("early")),
                      {});
  EXPECT_TRUE(pair.client.data.empty());
  Buffer out(dtls::kMaxDatagram);
  while (pair.client.connection().poll_transmit(out)) continue;
  pair.client.settle(pair.client.connection().handle_timeout({}), {});
  EXPECT_TRUE(pair.client.connected);
  EXPECT_EQ(pair.client.data.size(), 1U);
}

TEST(Rfc9147_4_5_2, InvalidRecordsAreDiscardedWithoutAWord) {
  Pair pair = connected_pair(options13());
  const Buffer record = pair.client.seal(bytes_of("data"));
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    Buffer damaged = record;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    pair.server.receive(damaged, {});
    EXPECT_TRUE(is_unmoved(pair.server)) << "bit " << bit;
  }
  for (std::size_t size = 0; size < record.size(); ++size) {
    pair.server.receive(copy_of(Bytes(record).first(size)), {});
    EXPECT_TRUE(is_unmoved(pair.server)) << size << " bytes";
  }
  pair.server.receive(record, {});
  EXPECT_EQ(pair.server.data.size(), 1U) << "no window was moved";
}

// It comes before the ServerHello, after which messages are encrypted.
TEST(Rfc9147_4_5_2, APlaintextMessageInPlaceOfAnEncryptedOneEndsNothing) {
  TimedPair pair;
  pair.carry(Role::client);
  const Buffer forged = message_of(HandshakeType::encrypted_extensions, 1, from_hex("0000"));
  pair.deliver({plaintext_record(ContentType::handshake, forged)}, Role::client);
  pair.run(pair.now);
  EXPECT_TRUE(works(pair));
  EXPECT_EQ(discards(pair.client, Discard::unexpected_content), 1U);
}

// A client that refuses the ServerHello has no keys. Its alert counts unless the client goes on.
TEST(Rfc9147_4_5_2, AClientsAlertInPlaintextIsReportedWithinASecond) {
  for (const bool goes_on : {false, true}) {
    TimedPair pair;
    pair.carry(Role::client);
    auto flight = pair.server.take_datagrams();
    pair.server.receive(plaintext_record(ContentType::alert, kFatalAlert), pair.now);
    EXPECT_FALSE(pair.server.error);
    if (goes_on) {
      pair.deliver(std::move(flight), Role::client);
      pair.carry(Role::client);
    }
    pair.wait(Role::server, 1s);
    EXPECT_EQ(pair.server.error.has_value(), !goes_on);
    EXPECT_EQ(pair.server.connected.has_value(), goes_on);
    if (goes_on) continue;
    EXPECT_EQ(pair.server.error->code, Errc::alert_received);
    EXPECT_EQ(pair.server.error->alert, Alert::handshake_failure);
  }
}

// The keys come with the ServerHello, and the server has had them since.
TEST(Rfc9147_4_5_2, AServersAlertInPlaintextIsNoneOnceTheClientHasKeys) {
  TimedPair pair;
  pair.carry(Role::client);
  const auto flight = pair.server.take_datagrams();
  dtls::wire::Reader length(Bytes(flight.at(0)).subspan(11, 2));
  pair.client.receive(copy_of(Bytes(flight.at(0)).first(13 + length.u16())), pair.now);
  pair.client.receive(plaintext_record(ContentType::alert, kFatalAlert), pair.now);
  EXPECT_EQ(discards(pair.client, Discard::unexpected_content), 1U);
  pair.wait(Role::client, 2s);
  EXPECT_FALSE(pair.client.error);
  pair.deliver(flight, Role::client);
  pair.run(pair.now);
  EXPECT_TRUE(works(pair));
}

TEST(Rfc9147_4_5_1, ARecordIsTakenOnce) {
  Pair pair = connected_pair(options13());
  const Buffer record = pair.client.seal(bytes_of("data"));
  for (int i = 0; i < 3; ++i) pair.server.receive(record, {});
  EXPECT_EQ(pair.server.data.size(), 1U);
  EXPECT_EQ(discards(pair.server, Discard::replayed), 2U);
}

// RFC 8446 section 5.4: zeros behind the type are padding.
TEST(Rfc8446_5_4, PaddingIsTakenOff) {
  Pair pair = connected_pair(options13());
  Buffer padded = copy_of(bytes_of("data"));
  padded.push_back(std::byte{23});
  padded.resize(100);
  pair.server.receive(sealed(pair.client, kFirstApplicationEpoch13, ContentType{0}, padded), {});
  ASSERT_EQ(pair.server.data.size(), 1U);
  EXPECT_EQ(to_hex(pair.server.data[0]), to_hex(bytes_of("data")));
}

TEST(Rfc8446_5_4, NothingButZerosIsFatal) {
  for (const std::size_t size : {0U, 1U, 100U}) {
    Pair pair = connected_pair(options13());
    pair.server.receive(sealed(pair.client, kFirstApplicationEpoch13, ContentType{0}, Buffer(size)),
                        {});
    EXPECT_TRUE(
        failed(pair.server, Errc::unexpected_message, Alert::unexpected_message, pair.client));
  }
}

TEST(Rfc8446_5_1, AnEncryptedChangeCipherSpecIsFatal) {
  Pair pair = connected_pair(options13());
  pair.server.receive(sealed(pair.client, kFirstApplicationEpoch13, ContentType::change_cipher_spec,
                             std::array{std::byte{1}}),
                      {});
  EXPECT_TRUE(
      failed(pair.server, Errc::unexpected_message, Alert::unexpected_message, pair.client));
}

// RFC 8446 section 6: the level says nothing, and an unknown alert is an error.
TEST(Rfc8446_6, AnErrorAlertEndsTheConnectionWhateverItsLevel) {
  for (const unsigned level : {1U, 2U}) {
    for (const unsigned description : {10U, 42U, 46U, 80U, 116U, 199U}) {
      Pair pair = connected_pair(options13());
      const std::array alert{static_cast<std::byte>(level), static_cast<std::byte>(description)};
      pair.server.receive(sealed(pair.client, kFirstApplicationEpoch13, ContentType::alert, alert),
                          {});
      ASSERT_TRUE(pair.server.error) << level << ", " << description;
      EXPECT_EQ(pair.server.error->code, Errc::alert_received);
      EXPECT_EQ(pair.server.error->alert, static_cast<Alert>(description));
      EXPECT_FALSE(pair.server.connection().connected());
      EXPECT_TRUE(pair.server.take_datagrams().empty()) << "nothing answers an alert";
    }
  }
}

// RFC 8446 section 6.1: user_canceled only announces close_notify.
TEST(Rfc8446_6_1, UserCanceledAloneEndsNothing) {
  Pair pair = connected_pair(options13());
  const std::array alert{std::byte{1}, std::byte{90}};
  pair.server.receive(sealed(pair.client, kFirstApplicationEpoch13, ContentType::alert, alert), {});
  EXPECT_TRUE(is_unmoved(pair.server));
  EXPECT_TRUE(works(pair));
}

}  // namespace
}  // namespace sluice::test
