#include "flight/reliable_flight.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::dtls::flight {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::kPlaintextEpoch;
using Expiry = ReliableFlight::Expiry;

const Instant kBegin{seconds{100}};
const RetransmissionTimers kTimers;  // 1 s, doubled, at most 4 s

// A flight of one message on a path that takes 300 bytes at once, and what has left of it.
class Flight {
 public:
  explicit Flight(std::size_t size = 100, std::uint16_t seq = 0,
                  wire::Epoch epoch = kPlaintextEpoch) {
    flight.add_message(wire::HandshakeType::certificate, wire::MessageSeq{seq}, epoch,
                       [&](wire::Writer& out) { out.bytes(test::counted(size)); });
  }

  // The sizes of the datagrams that wait to leave.
  std::vector<std::size_t> leave(record::RecordLayer& records, std::size_t mtu = 300) {
    std::vector<std::size_t> sizes;
    while (flight.has_more()) {
      Buffer out(2000);
      sizes.push_back(flight.write_datagram(records, out, mtu).bytes);
    }
    return sizes;
  }

  ReliableFlight flight{kTimers};
};

// Records of an epoch with these numbers.
std::vector<message::RecordNumber> records_of(std::initializer_list<std::uint64_t> numbers,
                                              wire::Epoch epoch = kPlaintextEpoch) {
  std::vector<message::RecordNumber> all;
  for (const std::uint64_t number : numbers) {
    all.push_back({epoch, wire::SequenceNumber{number}});
  }
  return all;
}

class ReliableFlightTest : public testing::Test {
 protected:
  // Begins, and all of it leaves.
  std::size_t send(Flight& one, Instant give_up = Instant::max()) {
    one.flight.begin(kBegin, give_up);
    return one.leave(records_).size();
  }

  record::RecordLayer records_;
};

TEST_F(ReliableFlightTest, HasNoTimerBeforeItBegins) {
  Flight one;
  EXPECT_FALSE(one.flight.deadline());
  EXPECT_EQ(one.flight.on_timeout(kBegin), Expiry::not_due);
  send(one);
  EXPECT_EQ(one.flight.deadline(), kBegin + seconds{1});
  EXPECT_FALSE(one.flight.has_more());
}

TEST_F(ReliableFlightTest, IsRepeatedAtEachTimeout) {
  Flight one;
  send(one);
  EXPECT_EQ(one.flight.on_timeout(kBegin + seconds{1} - Duration{1}), Expiry::not_due);
  for (const int due : {1, 3, 7, 11}) {
    EXPECT_EQ(one.flight.deadline(), kBegin + seconds{due});
    EXPECT_EQ(one.flight.on_timeout(kBegin + seconds{due}), Expiry::repeated);
    EXPECT_EQ(one.leave(records_).size(), 1U);
  }
}

TEST_F(ReliableFlightTest, IsGivenUpAtItsTime) {
  Flight one;
  send(one, kBegin + seconds{3});
  EXPECT_EQ(one.flight.on_timeout(kBegin + seconds{1}), Expiry::repeated);
  one.leave(records_);
  EXPECT_EQ(one.flight.on_timeout(kBegin + seconds{3}), Expiry::given_up);
  EXPECT_FALSE(one.flight.has_more());
  EXPECT_FALSE(one.flight.deadline()) << "no timer brings it back";
}

TEST_F(ReliableFlightTest, OneThatWasGivenUpCanBeResumed) {
  Flight one;
  send(one, kBegin);
  EXPECT_FALSE(one.flight.resume(kBegin, kBegin + seconds{5})) << "it is still under way";
  EXPECT_EQ(one.flight.on_timeout(kBegin + seconds{1}), Expiry::repeated) << "once at least";
  one.leave(records_);
  EXPECT_EQ(one.flight.on_timeout(one.flight.deadline().value()), Expiry::given_up);
  const Instant later = kBegin + seconds{1000};
  EXPECT_TRUE(one.flight.resume(later, later + seconds{2}));
  EXPECT_EQ(one.leave(records_).size(), 1U);
  EXPECT_EQ(one.flight.deadline(), later + seconds{1});
  EXPECT_FALSE(one.flight.measure_rtt(later)) << "it left more than once";
  EXPECT_EQ(one.flight.on_timeout(later + seconds{1}), Expiry::repeated);
  EXPECT_EQ(one.flight.on_timeout(later + seconds{3}), Expiry::given_up);
}

// Each answer restarts the timer, so the end needs a time of its own.
TEST_F(ReliableFlightTest, AnswersDoNotDelayItsEnd) {
  Flight one;
  send(one, kBegin + seconds{10});
  Instant now = kBegin;
  while (now < kBegin + seconds{9}) {
    now += milliseconds{600};
    EXPECT_EQ(one.flight.on_timeout(now), Expiry::not_due);
    EXPECT_TRUE(one.flight.on_repetition(now));
    one.flight.restart_timer(now);
  }
  EXPECT_EQ(one.flight.deadline(), kBegin + seconds{10});
  EXPECT_EQ(one.flight.on_timeout(kBegin + seconds{10}), Expiry::given_up);
  EXPECT_EQ(one.flight.deadline(), std::nullopt);
}

// A program that was suspended calls late.
TEST_F(ReliableFlightTest, ALateTimeoutRepeatsItBeforeItIsGivenUp) {
  Flight one;
  send(one, kBegin + seconds{10});
  const Instant late = kBegin + seconds{3600};
  EXPECT_EQ(one.flight.on_timeout(late), Expiry::repeated);
  EXPECT_EQ(one.leave(records_).size(), 1U);
  EXPECT_EQ(one.flight.on_timeout(late), Expiry::not_due);
  const auto deadline = one.flight.deadline();
  ASSERT_TRUE(deadline);
  EXPECT_GT(*deadline, late);
  EXPECT_EQ(one.flight.on_timeout(*deadline), Expiry::given_up);
}

TEST_F(ReliableFlightTest, WhileItIsHeldNothingLeaves) {
  Flight one;
  one.flight.begin(kBegin);
  one.flight.hold();
  EXPECT_FALSE(one.flight.has_more());
  EXPECT_EQ(one.flight.on_timeout(kBegin + seconds{1}), Expiry::held);
  EXPECT_FALSE(one.flight.on_repetition(kBegin + seconds{2}));
  one.flight.release();
  EXPECT_EQ(one.leave(records_).size(), 1U);
}

// RFC 6347 section 4.2.4. One repetition of the peer's may be many datagrams.
TEST_F(ReliableFlightTest, AnswersARepetitionOnceInHalfATimeout) {
  Flight one;
  send(one);
  EXPECT_FALSE(one.flight.on_repetition(kBegin + milliseconds{499})) << "it may have crossed it";
  const Instant repeated = kBegin + milliseconds{500};
  EXPECT_TRUE(one.flight.on_repetition(repeated));
  EXPECT_EQ(one.leave(records_).size(), 1U);
  EXPECT_EQ(one.flight.deadline(), kBegin + seconds{1}) << "the timer runs on";
  one.flight.restart_timer(repeated);
  EXPECT_EQ(one.flight.deadline(), repeated + seconds{1}) << "as long as before";
  EXPECT_FALSE(one.flight.on_repetition(repeated + milliseconds{499}));
  EXPECT_TRUE(one.flight.on_repetition(repeated + milliseconds{500}));
}

TEST_F(ReliableFlightTest, OneThatWasStoppedCanStillAnswer) {
  Flight one;
  send(one);
  one.flight.stop_but_answer();
  EXPECT_FALSE(one.flight.deadline());
  EXPECT_TRUE(one.flight.on_repetition(kBegin));
  EXPECT_FALSE(one.flight.deadline());
  EXPECT_FALSE(one.flight.on_repetition(kBegin));
  EXPECT_TRUE(one.flight.on_repetition(kBegin + milliseconds{500}));
}

TEST_F(ReliableFlightTest, WhatAnAckLeavesIsSentAgainOnceInAPause) {
  const Buffer key = test::counted(16);
  const Buffer iv = test::counted(12);
  records_.set_version(ProtocolVersion::dtls13);
  records_.add_writer(
      wire::kHandshakeEpoch13,
      test::must(record::Sealer13::make(test::environment().library(),
                                        {crypto::AeadAlgorithm::aes_128_gcm, key, iv, key})));
  Flight one(1000, 0, wire::kHandshakeEpoch13);
  const std::size_t count = send(one);
  ASSERT_GT(count, 3U);
  const auto ack = [&](std::uint64_t number, Instant now) {
    return one.flight.on_ack(records_of({number}, wire::kHandshakeEpoch13), wire::kHandshakeEpoch13,
                             now);
  };
  EXPECT_TRUE(ack(0, kBegin)) << "at once: it has not been repeated";
  EXPECT_EQ(one.leave(records_).size(), count - 1);
  EXPECT_FALSE(ack(0, kBegin + seconds{1})) << "no news";
  EXPECT_FALSE(ack(1, kBegin + milliseconds{249}));
  EXPECT_TRUE(ack(2, kBegin + milliseconds{250})) << "a quarter of the first timeout";
  EXPECT_EQ(one.leave(records_).size(), count - 3);
  EXPECT_FALSE(one.flight.fully_acknowledged());
}

// Anyone can send a plaintext ACK.
TEST_F(ReliableFlightTest, APlaintextAckRepeatsNothing) {
  Flight one(1000);
  const std::size_t count = send(one);
  EXPECT_FALSE(one.flight.on_ack(records_of({0}), kPlaintextEpoch, kBegin));
  EXPECT_TRUE(one.leave(records_).empty());
  EXPECT_EQ(one.flight.on_timeout(kBegin + seconds{1}), Expiry::repeated);
  EXPECT_EQ(one.leave(records_).size(), count - 1);
}

TEST_F(ReliableFlightTest, AFullAckLeavesNothing) {
  Flight one(1000);
  const std::size_t count = send(one);
  ASSERT_EQ(count, 4U);
  EXPECT_FALSE(one.flight.on_ack(records_of({3, 2, 1, 0}), kPlaintextEpoch, kBegin));
  EXPECT_TRUE(one.flight.fully_acknowledged());
  one.flight.on_timeout(kBegin + seconds{1});
  EXPECT_FALSE(one.flight.has_more());
  // In plaintext an ACK may be anybody's.
  one.flight.forget_acknowledged();
  one.flight.on_timeout(kBegin + seconds{3});
  EXPECT_EQ(one.leave(records_).size(), count);
}

// The ACK is under keys that this message has established.
TEST_F(ReliableFlightTest, AnEncryptedAckAcknowledgesThePlaintextMessages) {
  for (const bool is_encrypted : {false, true}) {
    Flight one;
    send(one);
    const auto epoch = is_encrypted ? wire::kHandshakeEpoch13 : kPlaintextEpoch;
    EXPECT_FALSE(one.flight.on_ack({}, epoch, kBegin));
    EXPECT_EQ(one.flight.fully_acknowledged(), is_encrypted);
  }
}

// A peer that acknowledged what it has dropped since can go on after three timeouts.
TEST_F(ReliableFlightTest, AcknowledgementsAreForgottenWhenNothingNewComes) {
  Flight one(1000);
  const std::size_t count = send(one);
  const auto ack = [&](std::uint64_t number, Instant now) {
    static_cast<void>(one.flight.on_ack(records_of({number}), kPlaintextEpoch, now));
    one.leave(records_);
  };
  const auto next_timeout = [&] {
    EXPECT_EQ(one.flight.on_timeout(one.flight.deadline().value()), Expiry::repeated);
    return one.leave(records_).size();
  };
  ack(0, kBegin);
  EXPECT_EQ(next_timeout(), count - 1);
  EXPECT_EQ(next_timeout(), count - 1);
  ack(1, kBegin + seconds{5});
  EXPECT_EQ(next_timeout(), count - 2) << "the ACK was news";
  EXPECT_EQ(next_timeout(), count - 2);
  EXPECT_EQ(next_timeout(), count);
  EXPECT_EQ(next_timeout(), count);
}

// RFC 9147 section 5.8.4: each has a state machine of its own.
TEST_F(ReliableFlightTest, TwoAreIndependent) {
  Flight one(100, 0);
  Flight other(100, 1);
  send(one);
  other.flight.begin(kBegin + milliseconds{400});
  other.leave(records_);
  EXPECT_FALSE(one.flight.on_ack(records_of({1}), kPlaintextEpoch, kBegin)) << "the other's record";
  EXPECT_FALSE(other.flight.on_ack(records_of({1}), kPlaintextEpoch, kBegin));
  EXPECT_FALSE(one.flight.fully_acknowledged());
  EXPECT_TRUE(other.flight.fully_acknowledged());
  EXPECT_EQ(one.flight.on_timeout(kBegin + seconds{1}), Expiry::repeated);
  EXPECT_EQ(other.flight.on_timeout(kBegin + seconds{1}), Expiry::not_due);
}

// Karn's rule: the answer to a flight that was sent twice may belong to either transmission.
TEST_F(ReliableFlightTest, MeasuresTheRttOfAFlightThatLeftOnce) {
  Flight one;
  send(one);
  EXPECT_EQ(one.flight.measure_rtt(kBegin + milliseconds{200}), milliseconds{200});
  EXPECT_EQ(one.flight.initial_timeout(), milliseconds{400});
  EXPECT_FALSE(one.flight.measure_rtt(kBegin + milliseconds{300})) << "not the first answer";
  Flight other;
  send(other);
  other.flight.on_timeout(kBegin + seconds{1});
  EXPECT_FALSE(other.flight.measure_rtt(kBegin + seconds{1}));
  EXPECT_EQ(other.flight.initial_timeout(), seconds{1});
}

TEST_F(ReliableFlightTest, TheCallersRttCounts) {
  Flight one;
  one.flight.begin(kBegin);
  one.flight.set_rtt(milliseconds{100});
  EXPECT_EQ(one.flight.deadline(), kBegin + milliseconds{200}) << "it has not left yet";
  one.leave(records_);
  EXPECT_TRUE(one.flight.measure_rtt(kBegin + milliseconds{900})) << "it is still reported";
  EXPECT_EQ(one.flight.initial_timeout(), milliseconds{200});
  one.flight.set_rtt(milliseconds{300});
  EXPECT_EQ(one.flight.deadline(), kBegin + milliseconds{200}) << "the next one's";
}

// RFC 6347 section 4.1.1.1.
TEST_F(ReliableFlightTest, TriesSmallerDatagramsAfterFourTimeouts) {
  Flight one(3000);
  one.flight.begin(kBegin);
  const auto largest = [&] {
    const auto sizes = one.leave(records_, 1200);
    return *std::max_element(sizes.begin(), sizes.end());
  };
  for (const int timeout : {1, 3, 7, 11}) {
    EXPECT_EQ(largest(), 1200U);
    one.flight.on_timeout(kBegin + seconds{timeout});
  }
  EXPECT_EQ(largest(), 548U);
}

TEST_F(ReliableFlightTest, NamesItsPath) {
  Flight one;
  EXPECT_FALSE(one.flight.path()) << "whichever the connection has then";
  one.flight.set_path(PathId{7});
  EXPECT_EQ(one.flight.path(), PathId{7});
}

}  // namespace
}  // namespace sluice::dtls::flight
