// RFC 9147 sections 5.8 and 7: when something is acknowledged, and what an ACK changes.
#include "conformance/dtls13/vocabulary.h"
#include "record/header13.h"

namespace sluice::test {
namespace {

// What a client's Finished was, when it comes again: the server has it already.
Buffer repeated_finished(std::uint32_t offset) {
  return fragment_of(HandshakeType::finished, 3, 32, offset, counted(1));
}

// Beyond what any flight has: dropped.
Buffer far_ahead() { return fragment_of(HandshakeType::finished, 1000, 1, 0, counted(1)); }

// Everything of the client's last flight but its first datagram is lost.
void lose_most_of_the_last_flight(TimedPair& pair) {
  pair.carry(Role::client);
  pair.carry(Role::server);
  auto flight = pair.client.take_datagrams();
  ASSERT_GT(flight.size(), 1U);
  flight.resize(1);
  pair.deliver(std::move(flight), Role::server);
}

TEST(Rfc9147_7, AnAckFitsThePath) {
  TimedPair pair(small_options13());
  pair.connect_but_for_the_ack();
  for (std::uint32_t i = 0; i < 32; ++i) {
    pair.inject(Role::client, kHandshakeEpoch13, ContentType::handshake, repeated_finished(i));
  }
  const auto acks = pair.wait(Role::server, 1s);
  ASSERT_EQ(acks.size(), 1U);
  EXPECT_LE(acks.front().size(), dtls::kMinimumMtu);
  EXPECT_GT(acks.front().size(), dtls::kMinimumMtu - 16) << "as many numbers as fit";
}

TEST(Rfc9147_7, RepeatedRecordsAreAcknowledgedTogether) {
  TimedPair pair;
  pair.connect_but_for_the_ack();
  for (std::uint32_t i = 0; i < 3; ++i) {
    pair.inject(Role::client, kHandshakeEpoch13, ContentType::handshake, repeated_finished(i));
  }
  EXPECT_TRUE(pair.server.take_datagrams().empty()) << "not one by one";
  EXPECT_EQ(pair.wait(Role::server, 1s).size(), 1U);
}

TEST(Rfc9147_7, ARecordOfWhichAPartWasDroppedIsNotAcknowledged) {
  TimedPair pair;
  pair.connect_but_for_the_ack();
  const auto both = joined({far_ahead(), repeated_finished(0)});
  pair.inject(Role::client, kHandshakeEpoch13, ContentType::handshake, both);
  EXPECT_TRUE(pair.wait(Role::server, 1s).empty());
  pair.inject(Role::client, kHandshakeEpoch13, ContentType::handshake, repeated_finished(0));
  EXPECT_EQ(pair.wait(Role::server, 1s).size(), 1U);
}

TEST(Rfc9147_7, TheSameDuringTheHandshake) {
  for (const bool drop : {true, false}) {
    TimedPair pair;
    pair.carry(Role::client);
    pair.carry(Role::server);
    const Buffer begun = fragment_of(HandshakeType::certificate, 1, 100, 0, counted(1));
    pair.inject(Role::client, kHandshakeEpoch13, ContentType::handshake,
                drop ? joined({far_ahead(), begun}) : begun);
    EXPECT_EQ(pair.wait(Role::server, 5s).size(), drop ? 0U : 1U);
  }
}

// "Receipt of any record responding to a given flight MUST be taken as an implicit acknowledgement
// for the entire flight."
TEST(Rfc9147_7_2, APartOfTheAnswerEndsRetransmission) {
  TimedPair pair(small_options13());
  lose_most_of_the_last_flight(pair);
  EXPECT_EQ(pair.wait(Role::server, 60s).size(), 1U) << "one ACK for what has come";
  EXPECT_EQ(pair.server.connection().statistics().flights_retransmitted, 0U);
}

// Section 7.1 recommends an ACK when something is missing. One for each record behind the gap would
// have the peer repeat the rest as often.
TEST(Rfc9147_7_1, AGapIsReportedAtOnceAndOnlyOnce) {
  auto server = small_options13();
  server.identities = {rsa_identity()};  // longer
  TimedPair pair(options13(), server);
  pair.carry(Role::client);
  auto flight = pair.server.take_datagrams();
  ASSERT_GT(flight.size(), 4U);
  flight.erase(flight.begin() + 1);
  pair.deliver(std::move(flight), Role::client);
  auto ack = pair.client.take_datagrams();
  EXPECT_EQ(ack.size(), 1U);
  EXPECT_FALSE(pair.client.connected);
  // The lost part comes without a timer's help.
  pair.deliver(std::move(ack), Role::server);
  pair.connect();
}

TEST(Rfc9147_7_1, WithoutNewsThereIsNoAck) {
  TimedPair pair;
  const auto hello = pair.client.take_datagrams();
  // A message far from its turn, in plaintext: a gap that nobody will fill.
  const Buffer stray = fragment_of(HandshakeType::client_hello, 9, 100, 0, counted(100));
  pair.inject(Role::client, kPlaintextEpoch, ContentType::handshake, stray);
  pair.deliver(hello, Role::server);
  const auto flight = pair.server.take_datagrams();
  EXPECT_EQ(flight.size(), 1U) << "an ACK that names nothing";
  pair.deliver(flight, Role::client);
  pair.connect();
}

// A repetition of the server's flight may be many datagrams; the client's own flight answers it
// once.
TEST(Rfc9147_5_8_1, ARepeatedFlightIsAnsweredOnce) {
  TimedPair pair(small_options13());
  pair.carry(Role::client);
  pair.carry(Role::server);
  const std::size_t size = pair.client.take_datagrams().size();
  auto repeated = pair.wait(Role::server, 2s);
  ASSERT_GT(repeated.size(), 1U);
  std::size_t answers = 0;
  for (Buffer& datagram : repeated) {
    pair.deliver({std::move(datagram)}, Role::client);
    answers += pair.client.take_datagrams().size();
  }
  EXPECT_GE(answers, size);
  EXPECT_LE(answers, size + 1) << "fragments that are sent again have records of their own";
  EXPECT_EQ(pair.client.connection().statistics().flights_retransmitted, 1U);
}

// Section 5.5 lets messages of one flight share a record; each record costs 22 bytes.
TEST(Rfc9147_5_5, EncryptedMessagesOfAFlightShareARecord) {
  TimedPair pair;
  pair.carry(Role::client);
  const auto flight = pair.server.take_datagrams();
  ASSERT_EQ(flight.size(), 1U);
  Bytes rest(flight.front());
  const auto hello = dtls::record::Header12::decode(rest);
  ASSERT_TRUE(hello);
  rest = rest.subspan(dtls::record::kHeaderSize12 + hello->length);
  const auto record = dtls::record::Header13::decode(rest);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->size + record->length, rest.size());
}

}  // namespace
}  // namespace sluice::test
