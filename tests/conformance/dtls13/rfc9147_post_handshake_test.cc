// Messages after the handshake: each is reliable by itself (RFC 9147 sections 5.8.4, 7 and 8).
#include "conformance/dtls13/vocabulary.h"
#include "support/resumption.h"

namespace sluice::test {
namespace {

using dtls::KeyUpdateRequest;

constexpr Epoch kNextEpoch{dtls::wire::value_of(kFirstApplicationEpoch13) + 1};

Epoch write_epoch(Peer& peer) { return records_of(peer.connection()).write_epoch(); }

// A pair whose server has sent a ticket.
class OneInFlight : public testing::Test {
 protected:
  void SetUp() override {
    for (const Role from : {Role::client, Role::server, Role::client}) pair_.carry(from);
    auto sent = pair_.server.take_datagrams();
    ASSERT_EQ(sent.size(), 2U);
    pair_.deliver({sent[0]}, Role::client);  // the ACK of the client's last flight
    ticket_ = std::move(sent[1]);
  }
  void update_keys(Peer& peer) const {
    peer.settle(peer.connection().update_keys(KeyUpdateRequest::update_not_requested, pair_.now),
                pair_.now);
  }
  // What the client acknowledges by the test's hand: it says nothing of records before these.
  void acknowledge_as_client(std::uint64_t first, std::size_t count) {
    pair_.inject(Role::client, kFirstApplicationEpoch13, ContentType::ack,
                 ack_of(numbers_of(kFirstApplicationEpoch13, first, count)));
  }

  TimedPair pair_{with_tickets(options13())};
  Buffer ticket_;
};

// With RetransmissionTimers' defaults, on a path of no delay: 50 ms, doubled to 4 s, for 90 s.
constexpr std::size_t kMostRepetitions = 27;

TEST_F(OneInFlight, AClientThatIsGoneHearsABoundedNumberOfRepetitions) {
  EXPECT_EQ(pair_.wait(Role::server, 24h).size(), kMostRepetitions);
  EXPECT_FALSE(pair_.server.connection().next_timeout());
  EXPECT_FALSE(pair_.server.error);
  // Nor does data that nobody answers bring it back: no message waits for the ticket.
  pair_.server.seal(counted(1));
  EXPECT_FALSE(pair_.server.connection().next_timeout());
}

// Some stacks do not acknowledge tickets.
TEST_F(OneInFlight, APeerThatIsHeardButAcknowledgesNothingEndsItToo) {
  std::size_t repetitions = 0;
  for (int hour = 0; hour < 24; ++hour) {
    pair_.deliver({pair_.client.seal(counted(1))}, Role::server);
    repetitions += pair_.wait(Role::server, 1h).size();
  }
  EXPECT_LE(repetitions, 4 * kMostRepetitions + 4);
  EXPECT_GT(repetitions, kMostRepetitions);
  EXPECT_TRUE(pair_.wait(Role::server, 24h).empty());
}

// Such a peer acknowledges the KeyUpdate alone. The sender's keys change nevertheless, or it would
// have to stop at their limit.
TEST_F(OneInFlight, AKeyUpdateDoesNotWaitForEverForATicket) {
  update_keys(pair_.server);
  const auto update = pair_.server.take_datagrams();
  ASSERT_EQ(update.size(), 1U);
  pair_.deliver({ticket_, update[0]}, Role::client);
  pair_.client.take_datagrams();
  acknowledge_as_client(2, 1);
  EXPECT_EQ(write_epoch(pair_.server), kFirstApplicationEpoch13)
      << "the client may keep the KeyUpdate until the ticket has come";
  pair_.wait(Role::server, 100s);
  EXPECT_EQ(write_epoch(pair_.server), kNextEpoch);
  EXPECT_TRUE(works(pair_));
  EXPECT_TRUE(pair_.wait(Role::server, 24h).empty());
}

TEST_F(OneInFlight, TheNextFirstTimeoutFollowsTheRttOfThePath) {
  acknowledge_as_client(1, 1);
  EXPECT_TRUE(pair_.wait(Role::server, 10min).empty()) << "all is done and freed";
  pair_.server.connection().set_path_rtt(500ms);
  const Instant sent = pair_.now;
  update_keys(pair_.server);
  EXPECT_EQ(pair_.server.take_datagrams().size(), 1U);
  EXPECT_EQ(pair_.server.connection().next_timeout(), sent + 1s);
  pair_.server.connection().set_path_rtt(200ms);
  EXPECT_EQ(pair_.server.connection().next_timeout(), sent + 1s) << "it has left";
  acknowledge_as_client(2, 1);
  EXPECT_EQ(write_epoch(pair_.server), kNextEpoch);
  update_keys(pair_.server);
  EXPECT_EQ(pair_.server.take_datagrams().size(), 1U);
  EXPECT_EQ(pair_.server.connection().next_timeout(), pair_.now + 400ms);
}

// ... and, before that is acknowledged, a KeyUpdate.
class TwoInFlight : public OneInFlight {
 protected:
  void SetUp() override {
    OneInFlight::SetUp();
    update_keys(pair_.server);
    const auto sent = pair_.server.take_datagrams();
    ASSERT_EQ(sent.size(), 1U) << "it doesn't wait for the ticket's ACK";
    update_ = sent[0];
  }
  // The client's ACK of what it has.
  void acknowledge() {
    auto acks = pair_.wait(Role::client, 500ms);
    ASSERT_EQ(acks.size(), 1U);
    pair_.deliver(std::move(acks), Role::server);
  }
  // What the server sends when its next timer expires.
  std::vector<Buffer> after_timeout() {
    pair_.now = std::max(pair_.now, pair_.server.connection().next_timeout().value());
    pair_.server.settle(pair_.server.connection().handle_timeout(pair_.now), pair_.now);
    return pair_.server.take_datagrams();
  }
  // Both messages were sent again and arrive.
  void expect_both_in(std::vector<Buffer> repeated) {
    ASSERT_EQ(repeated.size(), 2U);
    pair_.deliver(std::move(repeated), Role::client);
    acknowledge();
    expect_new_keys();
  }
  void expect_new_keys() {
    EXPECT_EQ(write_epoch(pair_.server), kNextEpoch);
    EXPECT_EQ(pair_.client.sessions.size(), 1U);
    EXPECT_TRUE(works(pair_));
    EXPECT_TRUE(pair_.wait(Role::server, 60s).empty()) << "nothing is left to be repeated";
  }

  Buffer update_;
};

TEST_F(TwoInFlight, BothAreAcknowledgedTogether) {
  pair_.deliver({ticket_, update_}, Role::client);
  acknowledge();
  expect_new_keys();
}

// draft-ietf-tls-rfc9147bis: the ACK of a KeyUpdate says that it was processed, and all messages
// before it. Some senders use their new keys at once.
TEST_F(TwoInFlight, AKeyUpdateIsAcknowledgedWhenItIsProcessed) {
  pair_.deliver({update_, update_}, Role::client);
  EXPECT_TRUE(pair_.wait(Role::client, 60s).empty()) << "it waits for the ticket";
  EXPECT_TRUE(works(pair_));
  pair_.deliver({ticket_}, Role::client);
  const auto acks = pair_.wait(Role::client, 500ms);
  ASSERT_EQ(acks.size(), 1U);
  pair_.deliver(acks, Role::server);
  expect_new_keys();
}

TEST_F(TwoInFlight, ALostKeyUpdateIsRepeatedByItself) {
  pair_.deliver({ticket_}, Role::client);
  EXPECT_EQ(pair_.client.sessions.size(), 1U);
  acknowledge();
  EXPECT_EQ(write_epoch(pair_.server), kFirstApplicationEpoch13);
  auto repeated = after_timeout();
  ASSERT_EQ(repeated.size(), 1U);
  pair_.deliver(std::move(repeated), Role::client);
  acknowledge();
  expect_new_keys();
}

TEST_F(TwoInFlight, BothAreRepeatedWhenBothAreLost) { expect_both_in(after_timeout()); }

// A peer that has gone hears nothing more once RetransmissionTimers::total is over. One that comes
// back does, since it takes no later message without those before.
TEST_F(TwoInFlight, RepetitionEndsAndIsResumedWhenThePeerIsHeard) {
  const auto repeated = pair_.wait(Role::server, 90s);
  EXPECT_GT(repeated.size(), 20U);
  pair_.wait(Role::server, 10s);
  EXPECT_TRUE(pair_.wait(Role::server, 1h).empty());
  EXPECT_FALSE(pair_.server.error);

  pair_.deliver({pair_.client.seal(counted(1))}, Role::server);
  expect_both_in(pair_.server.take_datagrams());
}

// A peer that only receives sends nothing but ACKs. Without new keys the sender would have to stop
// at the limit of its key.
TEST_F(TwoInFlight, RepetitionIsResumedWhenThisSideSends) {
  pair_.wait(Role::server, 1h);
  EXPECT_FALSE(pair_.server.connection().next_timeout());
  pair_.deliver({pair_.server.seal(counted(1))}, Role::client);
  expect_both_in(after_timeout());
}

TEST_F(TwoInFlight, AnotherCallOfUpdateKeysResumesRepetition) {
  pair_.wait(Role::server, 1h);
  update_keys(pair_.server);
  expect_both_in(pair_.server.take_datagrams());
}

TEST_F(TwoInFlight, AForgeryResumesNothing) {
  pair_.wait(Role::server, 1h);
  Buffer forged = pair_.client.seal(counted(1));
  forged.back() ^= std::byte{1};
  pair_.deliver({forged}, Role::server);
  EXPECT_TRUE(pair_.server.take_datagrams().empty());
}

// Section 4.5.3: before they are used up. No timer is waited for where there is something to do.
TEST(Rfc9147_4_5_3, KeysAreUpdatedWhenADatagramComes) {
  dtls::ConfigOptions options = options13();
  options.max_records_per_key = 20;
  Pair pair = connected_pair(options);
  for (int i = 0; i < 10; ++i) pair.client.seal(bytes_of("data"));
  EXPECT_TRUE(pair.client.take_datagrams().empty());
  pair.client.receive(pair.server.seal(bytes_of("data")), {});
  EXPECT_EQ(pair.client.take_datagrams().size(), 1U);
  EXPECT_GT(pair.client.connection().next_timeout().value(), Instant{}) << "it is under way";
}

}  // namespace
}  // namespace sluice::test
