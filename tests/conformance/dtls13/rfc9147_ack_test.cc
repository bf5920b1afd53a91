// ACKs that mean nothing, lie or are malformed (RFC 9147 section 7).
#include "conformance/dtls13/vocabulary.h"

namespace sluice::test {
namespace {

constexpr Epoch kLastEpoch{UINT64_MAX};

// The client's last flight was sent, and lost.
Pair unacknowledged_pair(const dtls::ConfigOptions& options) {
  Pair pair(options);
  pair.flight(pair.client);
  pair.flight(pair.server);
  pair.client.take_datagrams();
  EXPECT_TRUE(pair.client.connected);
  return pair;
}

// Lets the connection's timer expire; what it sends then.
std::vector<Buffer> after_timeout(Peer& peer) {
  const auto due = peer.connection().next_timeout();
  EXPECT_TRUE(due);
  peer.settle(peer.connection().handle_timeout(*due), *due);
  return peer.take_datagrams();
}

TEST(Rfc9147_7_2, NumbersThatWereNeverSentMeanNothing) {
  for (const auto& numbers :
       {numbers_of(kHandshakeEpoch13, 1000, 1000), numbers_of(kPlaintextEpoch, 5, 1000),
        numbers_of(kFirstApplicationEpoch13, 0, 1000), numbers_of(kLastEpoch, UINT64_MAX, 1),
        numbers_of(kLastEpoch, 0, 1000), numbers_of(Epoch{2 + 4}, 0, 1000)}) {
    Pair pair = unacknowledged_pair(options13());
    pair.client.receive(
        sealed(pair.server, kFirstApplicationEpoch13, ContentType::ack, ack_of(numbers)), {});
    EXPECT_TRUE(is_unmoved(pair.client));
    auto repeated = after_timeout(pair.client);
    EXPECT_EQ(repeated.size(), 1U) << "its last flight";
    for (auto& datagram : repeated) pair.server.receive(std::move(datagram), {});
    pair.run();
    EXPECT_TRUE(works(pair));
  }
}

TEST(Rfc9147_7_2, AnEmptyAckOrOneTooManyMeansNothing) {
  Pair pair = connected_pair(options13());
  for (Peer* peer : {&pair.client, &pair.server}) {
    Peer& other = peer == &pair.client ? pair.server : pair.client;
    for (const auto& numbers : {std::vector<RecordNumber>{}, numbers_of(kHandshakeEpoch13, 0, 20),
                                numbers_of(kFirstApplicationEpoch13, 0, 20)}) {
      peer->receive(sealed(other, kFirstApplicationEpoch13, ContentType::ack, ack_of(numbers)), {});
      EXPECT_TRUE(is_unmoved(*peer));
    }
  }
  EXPECT_TRUE(works(pair));
}

// Once all is acknowledged nothing is repeated; until then what is left.
TEST(Rfc9147_7_2, WhatIsAcknowledgedIsNotRepeated) {
  dtls::ConfigOptions options = small_options13();
  options.identities = {rsa_identity()};
  Pair pair(options);
  pair.flight(pair.client);
  pair.flight(pair.server);
  const std::size_t whole = pair.client.take_datagrams().size();
  ASSERT_GT(whole, 2U);
  const auto acknowledge = [&](std::uint64_t first, std::size_t count) {
    pair.client.receive(sealed(pair.server, kFirstApplicationEpoch13, ContentType::ack,
                               ack_of(numbers_of(kHandshakeEpoch13, first, count))),
                        {});
    return pair.client.take_datagrams().size();
  };
  const std::size_t left = acknowledge(0, 2);
  EXPECT_LT(left, whole);
  EXPECT_GT(left, 0U) << "at once (section 7.2)";
  EXPECT_EQ(acknowledge(0, 2), 0U) << "which says nothing new";
  EXPECT_EQ(after_timeout(pair.client).size(), left);
  EXPECT_EQ(acknowledge(0, 100), 0U);
  EXPECT_FALSE(pair.client.connection().next_timeout());
}

// Acknowledges one record after another, all at `now`; how often that had the rest repeated.
std::size_t answers_to_single_acks(Peer& peer, Peer& from, Epoch epoch, std::size_t records,
                                   Instant now) {
  std::size_t answers = 0;
  for (std::size_t i = 0; i < records; ++i) {
    peer.receive(sealed(from, epoch, ContentType::ack, ack_of(numbers_of(kHandshakeEpoch13, i, 1))),
                 now);
    if (!peer.take_datagrams().empty()) ++answers;
  }
  return answers;
}

// Section 7.2: the rest SHOULD be repeated. No oftener than the ACKs of section 7.1 come, though,
// or a few small datagrams would draw many large ones.
TEST(Rfc9147_7_2, SingleAcksHaveTheRestRepeatedOnceInAQuarterOfTheTimeout) {
  dtls::ConfigOptions options = small_options13();
  options.identities = {rsa_identity()};
  const Instant later{options.timers.initial / 4};
  {
    Pair pair(options);
    pair.flight(pair.client);
    auto flight = pair.server.take_datagrams();
    ASSERT_GT(flight.size(), 5U);
    pair.client.receive(std::move(flight[0]), {});  // the ServerHello, and so the keys
    pair.client.take_datagrams();
    EXPECT_EQ(answers_to_single_acks(pair.server, pair.client, kHandshakeEpoch13, 3, {}), 1U);
    const Buffer fourth = ack_of(numbers_of(kHandshakeEpoch13, 3, 1));
    pair.server.receive(sealed(pair.client, kHandshakeEpoch13, ContentType::ack, fourth), later);
    EXPECT_FALSE(pair.server.take_datagrams().empty());
  }
  Pair pair = unacknowledged_pair(options);
  EXPECT_EQ(answers_to_single_acks(pair.client, pair.server, kFirstApplicationEpoch13, 3, {}), 1U);
  const Buffer fourth = ack_of(numbers_of(kHandshakeEpoch13, 3, 1));
  pair.client.receive(sealed(pair.server, kFirstApplicationEpoch13, ContentType::ack, fourth),
                      later);
  EXPECT_FALSE(pair.client.take_datagrams().empty());
}

TEST(Rfc9147_7_2, AnAckBehindTheTimersRepetitionHasNothingRepeated) {
  dtls::ConfigOptions options = small_options13();
  options.identities = {rsa_identity()};
  Pair pair = unacknowledged_pair(options);
  const Instant due = pair.client.connection().next_timeout().value();
  EXPECT_FALSE(after_timeout(pair.client).empty());
  EXPECT_EQ(answers_to_single_acks(pair.client, pair.server, kFirstApplicationEpoch13, 1, due), 0U);
}

// Section 4.4: a path may drop what is larger.
TEST(Rfc9147_4_4, TheLastFlightBacksOffToSmallerDatagrams) {
  dtls::ConfigOptions options = options13();
  options.identities = {rsa_identity()};
  Pair pair = unacknowledged_pair(options);
  const auto largest = [](const std::vector<Buffer>& datagrams) {
    return std::ranges::max_element(datagrams, {}, &Buffer::size)->size();
  };
  for (int timeouts = 1; timeouts < 4; ++timeouts) {
    EXPECT_GT(largest(after_timeout(pair.client)), 1000U);
  }
  auto small = after_timeout(pair.client);
  EXPECT_LE(largest(small), 548U);
  for (auto& datagram : small) pair.server.receive(std::move(datagram), {});
  pair.run();
  EXPECT_TRUE(works(pair));
}

// Anyone can send a plaintext ACK. It must not count as authentic later, with the client's own ACK
// of what it has: a record that was lost would not be sent again.
TEST(Rfc9147_7, APlaintextAckAcknowledgesNoEncryptedRecord) {
  for (std::size_t lost = 1; lost < 4; ++lost) {
    dtls::ConfigOptions options = small_options13();
    options.identities = {rsa_identity()};
    TimedPair pair(options);
    pair.carry(Role::client);
    auto flight = pair.server.take_datagrams();
    ASSERT_GT(flight.size(), lost);
    dtls::message::RecordNumbers numbers;
    for (unsigned i = 0; i < 20; ++i) {
      numbers.push_back({kHandshakeEpoch13, dtls::wire::SequenceNumber{i}});
    }
    Buffer contents;
    dtls::wire::Writer out(contents);
    dtls::message::put_ack(out, numbers);
    pair.deliver({plaintext_record(ContentType::ack, contents)}, Role::server);
    flight.erase(flight.begin() + static_cast<std::ptrdiff_t>(lost));
    pair.deliver(std::move(flight), Role::client);
    while (!(pair.client.connected && pair.server.connected) && pair.now < Instant{5s}) {
      pair.deliver(pair.wait(Role::client, 100ms), Role::server);
      pair.deliver(pair.wait(Role::server, 100ms), Role::client);
    }
    EXPECT_TRUE(works(pair)) << lost;
  }
}

// Once a client has its keys, its server encrypts all that is new.
TEST(Rfc9147_7, APlaintextMessageInPlaceOfAnEncryptedOneIsNotAcknowledged) {
  dtls::ConfigOptions options = small_options13();
  options.identities = {rsa_identity()};
  TimedPair pair(options);
  pair.carry(Role::client);
  auto flight = pair.server.take_datagrams();
  ASSERT_GT(flight.size(), 2U);
  pair.deliver({flight[0]}, Role::client);  // the ServerHello, and so the keys
  constexpr std::uint64_t kForged = 1000;
  const Buffer part = fragment_of(HandshakeType::finished, 5, 300, 0, counted(20));
  pair.deliver({plaintext_record(ContentType::handshake, part, kForged)}, Role::client);
  pair.deliver({flight[2]}, Role::client);
  std::size_t acks = 0;
  for (Buffer& datagram : pair.wait(Role::client, 900ms)) {
    dtls::MutableBytes rest(datagram);
    const auto taken = records_of(pair.server.connection()).take(rest);
    const auto* record = std::get_if<dtls::record::Record>(&taken);
    if (record == nullptr || record->type != ContentType::ack) continue;
    ++acks;
    const auto numbers = dtls::message::decode_ack(record->contents).value();
    EXPECT_FALSE(numbers.empty());
    for (const RecordNumber& number : numbers) EXPECT_NE(number.sequence, SequenceNumber{kForged});
  }
  EXPECT_GT(acks, 0U);
}

// A peer that has encrypted knows its keys, and acknowledges with them.
TEST(Rfc9147_7, NoPlaintextAckFollowsAnEncryptedOne) {
  TimedPair pair(small_options13());
  pair.carry(Role::client);
  auto flight = pair.server.take_datagrams();
  pair.deliver({flight.at(0)}, Role::client);
  const Buffer genuine = ack_of(numbers_of(kHandshakeEpoch13, 0, 1));
  pair.deliver({sealed(pair.client, kHandshakeEpoch13, ContentType::ack, genuine)}, Role::server);
  EXPECT_EQ(discards(pair.server, Discard::unexpected_content), 0U);
  const Buffer forged = ack_of(numbers_of(kPlaintextEpoch, 0, 1));
  pair.deliver({plaintext_record(ContentType::ack, forged)}, Role::server);
  EXPECT_EQ(discards(pair.server, Discard::unexpected_content), 1U);
}

// A client is Connected when it has sent its last flight, which the server may not have.
TEST(Rfc9147_7, TheHandshakeIsConfirmedWhenTheLastFlightIsAcknowledged) {
  TimedPair pair;
  EXPECT_FALSE(pair.client.connection().handshake_confirmed());
  for (const Role from : {Role::client, Role::server, Role::client}) pair.carry(from);
  EXPECT_TRUE(pair.client.connected);
  EXPECT_FALSE(pair.client.connection().handshake_confirmed());
  EXPECT_TRUE(pair.server.connection().handshake_confirmed());
  pair.carry(Role::server);
  EXPECT_TRUE(pair.client.connection().handshake_confirmed());
}

TEST(Rfc9147_7, ALastFlightThatNobodyAcknowledgesIsAFailure) {
  TimedPair pair;
  for (const Role from : {Role::client, Role::server}) pair.carry(from);
  EXPECT_FALSE(pair.client.take_datagrams().empty());  // and lost
  EXPECT_TRUE(pair.client.connected);
  pair.wait(Role::client, 100s);
  ASSERT_TRUE(pair.client.error);
  EXPECT_EQ(pair.client.error->code, Errc::handshake_timeout);
  EXPECT_FALSE(pair.client.connection().handshake_confirmed());
}

// Section 7.1: a client that waits for its user's answer acknowledges the flight that it cannot
// answer yet, and again when that ACK was lost.
TEST(Rfc9147_7_1, ALostAckIsRepeatedWhileAQuestionIsOpen) {
  auto client = options13();
  client.ask_for_identity = true;
  for (const std::size_t mtu : {std::size_t{1200}, dtls::kMinimumMtu}) {
    auto server = options13();
    server.mtu = mtu;
    TimedPair pair(client, server);
    pair.carry(Role::client);
    pair.carry(Role::server);
    for (int lost = 0; lost < 2; ++lost) {
      EXPECT_EQ(pair.wait(Role::client, 500ms).size(), 1U) << "an ACK, which is lost";
      auto repeated = pair.wait(Role::server, 5s);
      EXPECT_FALSE(repeated.empty());
      pair.deliver(std::move(repeated), Role::client);
    }
    ASSERT_TRUE(pair.client.identity_request);
    pair.deliver(pair.wait(Role::client, 500ms), Role::server);
    EXPECT_TRUE(pair.wait(Role::server, 60s).empty()) << "the client has all of it";
    const auto question = pair.client.identity_request->question;
    pair.client.settle(
        pair.client.connection().answer(question, dtls::UseIdentity{ecdsa_identity()}, pair.now),
        pair.now);
    pair.connect();
  }
}

TEST(Rfc9147_7, AMalformedAckIsFatal) {
  for (const auto* const hex :
       {"", "00", "0001", "0001 00", "0010 0000000000000002 00000000000000",
        "000f 0000000000000002 00000000000000", "0010 0000000000000002 0000000000000000 00",
        "0018 0000000000000002 0000000000000000 0000000000000002"}) {
    Pair pair = connected_pair(options13());
    pair.server.receive(
        sealed(pair.client, kFirstApplicationEpoch13, ContentType::ack, from_hex(hex)), {});
    EXPECT_TRUE(failed(pair.server, Errc::decode_error, Alert::decode_error, pair.client)) << hex;
  }
}

// In plaintext it may be anybody's.
TEST(Rfc9147_7, AMalformedPlaintextAckIsDiscarded) {
  Pair pair(options13());
  std::uint32_t count = 0;
  const Buffer hello = pair.client.take_datagrams().at(0);
  for (const auto* const hex : {"", "0001 00", "0010 0000000000000002 00000000000000"}) {
    pair.client.receive(plaintext_record(ContentType::ack, from_hex(hex)), {});
    EXPECT_EQ(discards(pair.client, Discard::unexpected_content), ++count);
    EXPECT_TRUE(is_unmoved(pair.client));
  }
  // 4000 numbers are more than a record holds.
  pair.client.receive(
      plaintext_record(ContentType::ack, ack_of(numbers_of(kPlaintextEpoch, 0, 4000))), {});
  EXPECT_EQ(discards(pair.client, Discard::malformed_record), 1U);
  EXPECT_TRUE(is_unmoved(pair.client));
  pair.server.receive(hello, {});
  pair.run();
  EXPECT_TRUE(works(pair));
}

TEST(Rfc9147_7, ForgedPlaintextAcksDontStopTheClientHello) {
  Pair pair(options13());
  const Buffer forged =
      plaintext_record(ContentType::ack, ack_of(numbers_of(kPlaintextEpoch, 0, 100)));
  EXPECT_EQ(pair.client.take_datagrams().size(), 1U);
  for (int i = 0; i < 3; ++i) {
    pair.client.receive(forged, {});
    EXPECT_EQ(after_timeout(pair.client).size(), 1U);
    EXPECT_FALSE(pair.client.error);
  }
  auto hello = after_timeout(pair.client);
  pair.server.receive(hello.at(0), {});
  pair.run();
  EXPECT_TRUE(works(pair));
}

TEST(Rfc9147_7, ForgedPlaintextAcksDontStopTheServersFlight) {
  Pair pair(options13());
  pair.flight(pair.client);
  EXPECT_EQ(pair.server.take_datagrams().size(), 1U);
  auto numbers = numbers_of(kPlaintextEpoch, 0, 100);
  const auto encrypted = numbers_of(kHandshakeEpoch13, 0, 100);
  numbers.insert(numbers.end(), encrypted.begin(), encrypted.end());
  pair.server.receive(plaintext_record(ContentType::ack, ack_of(numbers)), {});
  EXPECT_TRUE(pair.server.take_datagrams().empty());
  auto repeated = after_timeout(pair.server);
  ASSERT_EQ(repeated.size(), 1U);
  pair.client.receive(repeated[0], {});
  pair.run();
  EXPECT_TRUE(works(pair));
}

// RFC 9147 section 4.2.1: until then they repeat the last flight.
TEST(Rfc9147_7, TheHandshakeKeysGoWithTheAckOfTheLastFlight) {
  TimedPair pair;
  for (const Role from : {Role::client, Role::server, Role::client}) pair.carry(from);
  const auto can_seal = [&] {
    Buffer out(100);
    return records_of(pair.client.connection())
        .seal(kHandshakeEpoch13, ContentType::ack, ack_of({}), out)
        .has_value();
  };
  EXPECT_TRUE(can_seal());
  pair.carry(Role::server);
  EXPECT_FALSE(can_seal());
  EXPECT_TRUE(works(pair));
}

}  // namespace
}  // namespace sluice::test
