// RFC 6347 sections 4.2.4 and 4.1.1.1: when flights are sent again, and how.
#include <gtest/gtest.h>

#include <map>

#include "conformance/dtls12/vocabulary.h"

namespace sluice::test {
namespace {

// The engine has sent its flight number `flights` (a client's first is its ClientHello) and waits.
Duel waiting(Role role, int flights, dtls::ConfigOptions options = test::options()) {
  Duel duel(role, {}, std::move(options));
  const int exchanges = role == Role::server ? flights : flights - 1;
  for (int i = 0; i < exchanges; ++i) {
    duel.collect();
    for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
  }
  return duel;
}

struct GuardedFlight {
  Role role;
  int flights;
};
// The flights that a timer guards: ClientHello, the client's second, the server's first.
constexpr std::array kGuarded{GuardedFlight{Role::client, 1}, GuardedFlight{Role::client, 2},
                              GuardedFlight{Role::server, 1}};

std::size_t count(const Duel& duel, HandshakeType type) {
  return static_cast<std::size_t>(
      std::ranges::count_if(duel.peer.records, [&](const IncomingRecord& record) {
        return record.type == ContentType::handshake && type_of(record.contents) == type;
      }));
}

// How many flights the engine sends in answer to one datagram, by the last message of each.
std::size_t flights_sent(Duel& duel, HandshakeType last) {
  const std::size_t before = count(duel, last);
  duel.collect();
  return count(duel, last) - before;
}

// First flights: those behind them know the round-trip time.
TEST(Rfc6347_4_2_4_1, TheFirstTimeoutIsOneSecondAndDoublesToItsMaximum) {
  for (const auto& [role, flights] :
       {GuardedFlight{Role::client, 1}, GuardedFlight{Role::server, 1}}) {
    Duel duel = waiting(role, flights);
    for (const auto timeout : {1s, 2s, 4s, 4s, 4s}) {
      ASSERT_TRUE(duel.engine.connection().next_timeout());
      EXPECT_EQ(*duel.engine.connection().next_timeout() - duel.now, timeout);
      duel.expire();
    }
  }
}

// "Double the value at each retransmission, up to no less than the RFC 6298 maximum of 60 seconds."
TEST(Rfc6347_4_2_4_1, TheMaximumMayBe60Seconds) {
  dtls::ConfigOptions options = test::options();
  options.timers.maximum = 60s;
  options.timers.total = 1000s;
  for (const auto& [role, flights] :
       {GuardedFlight{Role::client, 1}, GuardedFlight{Role::server, 1}}) {
    Duel duel = waiting(role, flights, options);
    for (const auto timeout : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
      EXPECT_EQ(*duel.engine.connection().next_timeout() - duel.now, timeout);
      duel.expire();
    }
  }
}

TEST(Rfc6347_4_2_4, ALostFlightIsSentAgain) {
  for (const auto& [role, flights] : kGuarded) {
    for (const int losses : {1, 3}) {
      Duel duel = waiting(role, flights);
      for (int i = 0; i < losses; ++i) {
        duel.engine.take_datagrams();
        duel.expire();
      }
      EXPECT_TRUE(works(duel));
    }
  }
}

// Section 4.2.2: a retransmission has the same message_seq in a new record. CVE-2013-6450: each
// message goes out under the keys of its own epoch.
TEST(Rfc6347_4_2_2, ARetransmissionIsTheSameInNewRecords) {
  for (const auto& [role, flights] : kGuarded) {
    Duel duel = waiting(role, flights);
    duel.peer.script.replies = false;
    duel.peer.records.clear();
    duel.collect();
    const auto first = std::exchange(duel.peer.records, {});
    duel.expire();
    duel.collect();
    const auto second = duel.peer.records;
    ASSERT_EQ(second.size(), first.size());
    std::map<Epoch, std::uint64_t> highest;
    for (const IncomingRecord& record : first) {
      highest[record.epoch] = std::max(highest[record.epoch], record.sequence);
    }
    for (std::size_t i = 0; i < first.size(); ++i) {
      EXPECT_EQ(second[i].type, first[i].type);
      EXPECT_EQ(second[i].epoch, first[i].epoch);
      EXPECT_EQ(second[i].contents, first[i].contents);
      EXPECT_GT(second[i].sequence, highest[second[i].epoch]);
    }
  }
}

TEST(Rfc6347_4_2_4, TheHandshakeIsGivenUpInTheEnd) {
  for (const auto& [role, flights] : kGuarded) {
    Duel duel = waiting(role, flights);
    EXPECT_LT(duel.wait(1000s), 100U);
    EXPECT_TRUE(failed_silently(duel, Errc::handshake_timeout));
  }
}

TEST(Rfc6347_4_2_4_1, TheTimeoutFollowsAKnownRoundTripTime) {
  for (const auto& [role, flights] :
       {GuardedFlight{Role::client, 2}, GuardedFlight{Role::server, 1}}) {
    Duel duel(role);
    duel.engine.connection().set_path_rtt(100ms);
    for (int i = 0; i < (role == Role::server ? flights : flights - 1); ++i) {
      duel.collect();
      for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
    }
    EXPECT_EQ(*duel.engine.connection().next_timeout() - duel.now, 200ms);
  }
}

TEST(Rfc6347_4_2_4_1, TheTimeoutFollowsTheMeasuredRoundTripTime) {
  Duel duel(Role::client);
  duel.collect();
  duel.now += 80ms;
  for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
  EXPECT_EQ(duel.engine.connection().statistics().rtt, dtls::Duration(80ms));
  EXPECT_EQ(*duel.engine.connection().next_timeout() - duel.now, 160ms);
}

// Karn's rule: the answer to a flight that went out twice measures nothing.
TEST(Rfc6347_4_2_4_1, ARetransmittedFlightMeasuresNoRoundTripTime) {
  Duel duel(Role::client);
  duel.expire();
  duel.now += 10ms;
  duel.collect();
  for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
  EXPECT_FALSE(duel.engine.connection().statistics().rtt);
  EXPECT_EQ(*duel.engine.connection().next_timeout() - duel.now, 1s);
}

// "Partial reads do not cause state transitions or timer resets."
TEST(Rfc6347_4_2_4, APartOfAFlightResetsNoTimer) {
  for (const auto& [role, flights] : kGuarded) {
    Duel duel = waiting(role, flights);
    const auto deadline = *duel.engine.connection().next_timeout();
    duel.collect();
    auto answer = duel.peer.take_datagrams();
    answer.pop_back();
    for (Buffer& datagram : answer) {
      duel.now += 10ms;
      duel.deliver(std::move(datagram));
    }
    EXPECT_EQ(*duel.engine.connection().next_timeout(), deadline);
    duel.expire();
    EXPECT_EQ(duel.collect(), 1U);
    EXPECT_TRUE(still_waiting(duel));
    duel.peer.repeat_flight();
    EXPECT_TRUE(works(duel));
  }
}

// "The implementation reads a retransmitted flight from the peer: [...] retransmits the flight."
TEST(Rfc6347_4_2_4, ARepeatedFlightIsAnsweredAgain) {
  for (const auto& [role, flights, last] :
       {std::tuple{Role::client, 2, HandshakeType::finished},
        std::tuple{Role::server, 1, HandshakeType::server_hello_done}}) {
    Duel duel = waiting(role, flights);
    duel.peer.script.replies = false;
    duel.collect();
    const auto timeout = *duel.engine.connection().next_timeout() - duel.now;
    duel.now += timeout * 6 / 10;
    duel.peer.repeat_flight();
    for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
    EXPECT_EQ(flights_sent(duel, last), 1U);
    EXPECT_EQ(*duel.engine.connection().next_timeout() - duel.now, timeout)
        << "the timer starts anew";
  }
}

// Whatever number of duplicates comes, at most one retransmission in half a timeout.
TEST(Rfc6347_4_2_4, DuplicatesAreNoAmplifier) {
  for (const auto& [role, flights, last] :
       {std::tuple{Role::client, 2, HandshakeType::finished},
        std::tuple{Role::server, 1, HandshakeType::server_hello_done}}) {
    Duel duel = waiting(role, flights);
    duel.peer.script.replies = false;
    duel.collect();
    const auto timeout = *duel.engine.connection().next_timeout() - duel.now;
    std::size_t answers = 0;
    for (int i = 0; i < 1000; ++i) {
      duel.now += timeout / 100;
      duel.peer.repeat_flight();
      for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
      answers += flights_sent(duel, last);
    }
    EXPECT_GE(answers, 10U);
    EXPECT_LE(answers, 20U);
  }
}

// ---- the last flight

// The server is done; its last flight is lost.
Duel server_done() {
  Duel duel(Role::server);
  duel.engine.connection().set_path_rtt(500ms);
  for (int i = 0; i < 2; ++i) {
    for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
    if (i == 0) duel.collect();
  }
  duel.engine.take_datagrams();
  EXPECT_TRUE(duel.engine.connected);
  return duel;
}

// The client repeats its last flight; how often the server's comes back.
std::size_t answers_to_repetition(Duel& duel) {
  duel.peer.repeat_flight();
  for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
  return flights_sent(duel, HandshakeType::finished);
}

TEST(Rfc6347_4_2_4, TheLastFlightIsSentAgainWhenThePeerRepeatsItsOwn) {
  Duel duel = server_done();
  duel.now += 1s;
  EXPECT_EQ(answers_to_repetition(duel), 1U);
  EXPECT_TRUE(works(duel));
}

// "For at least twice the default MSL defined for TCP": four minutes.
TEST(Rfc6347_4_2_4, TheLastFlightIsKeptForFourMinutes) {
  Duel duel = server_done();
  for (int i = 0; i < 5; ++i) {
    duel.wait(47s);
    EXPECT_EQ(answers_to_repetition(duel), 1U) << i;
  }
  EXPECT_TRUE(duel.engine.connection().next_timeout());
  duel.wait(10s);
  EXPECT_EQ(answers_to_repetition(duel), 0U);
  EXPECT_FALSE(duel.engine.connection().next_timeout());
  EXPECT_TRUE(duel.engine.connected && !duel.engine.error);
}

// A client that sends data has our Finished.
TEST(Rfc6347_4_2_4, TheLastFlightGoesWhenTheClientSendsData) {
  Duel duel = server_done();
  duel.deliver(duel.peer.data(bytes_of("data")));
  EXPECT_FALSE(duel.engine.connection().next_timeout());
  EXPECT_EQ(answers_to_repetition(duel), 0U);
}

TEST(Rfc6347_4_2_4, TheLastFlightIsNoAmplifierEither) {
  Duel duel = server_done();
  std::size_t answers = 0;
  for (int i = 0; i < 100; ++i) {
    duel.now += 1ms;
    answers += answers_to_repetition(duel);
  }
  EXPECT_LE(answers, 1U);
}

TEST(Rfc6347_4_2_4, ARepeatedPlaintextFlightAfterTheEndDoesNothing) {
  Duel duel = server_done();
  duel.now += 1s;
  duel.peer.repeat_flight();
  for (Buffer& datagram : duel.peer.take_datagrams()) {
    if (datagram[4] == std::byte{0}) duel.deliver(std::move(datagram));
  }
  EXPECT_EQ(duel.collect(), 0U);
}

// It is the server that sends the last flight: the client answers its repetition with nothing.
TEST(Rfc6347_4_2_4, AClientDoesNotAnswerARepeatedLastFlight) {
  Duel duel(Role::client);
  ASSERT_TRUE(works(duel));
  EXPECT_FALSE(duel.engine.connection().next_timeout());
  duel.now += 2s;
  duel.peer.repeat_flight();
  for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
  EXPECT_EQ(duel.collect(), 0U);
  EXPECT_TRUE(works(duel));
}

// "Implementations MUST either discard or buffer all application data packets for the new epoch
// until they have received the Finished message for that epoch."
TEST(Rfc6347_4_2_4, DataBeforeFinishedWaitsForIt) {
  for (const Role role : kRoles) {
    Duel duel(role);
    duel.peer.script.edit = [](Flight& flight) {
      if (flight.back().epoch == kPlaintextEpoch) return;
      flight.insert(flight.end() - 1, {ContentType::application_data, kFirstEncryptedEpoch12,
                                       copy_of(bytes_of("early"))});
    };
    bool waited = false;
    for (int flight = 0; flight < 3; ++flight) {
      duel.collect();
      for (Buffer& datagram : duel.peer.take_datagrams()) {
        const bool is_data = datagram.front() == std::byte{23};
        duel.deliver(std::move(datagram));
        if (is_data) {
          EXPECT_TRUE(duel.engine.data.empty());
          EXPECT_FALSE(duel.engine.connected);
          waited = true;
        }
      }
    }
    EXPECT_TRUE(waited);
    ASSERT_EQ(duel.engine.data.size(), 1U);
    EXPECT_EQ(duel.engine.data.front(), copy_of(bytes_of("early")));
    EXPECT_TRUE(works(duel));
  }
}

// Section 4.1.1.1: after two or three retransmissions without an answer, smaller datagrams.
TEST(Rfc6347_4_1_1_1, RepeatedTimeoutsLeadToSmallerDatagrams) {
  for (const auto& [role, flights] :
       {GuardedFlight{Role::client, 2}, GuardedFlight{Role::server, 1}}) {
    dtls::ConfigOptions options = test::options();
    options.identities = {rsa_identity()};
    options.mtu = 1400;
    Script script;
    script.identity = rsa_identity();
    script.scheme = SignatureScheme::rsa_pss_rsae_sha256;
    script.server_hello.suite = CipherSuite::ecdhe_rsa_with_aes_128_gcm_sha256;
    Duel duel(role, script, options);
    for (int i = 0; i < (role == Role::server ? flights : flights - 1); ++i) {
      duel.collect();
      for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
    }
    const auto largest = [&] {
      std::size_t size = 0;
      for (const Buffer& datagram : duel.engine.take_datagrams()) {
        size = std::max(size, datagram.size());
      }
      return size;
    };
    EXPECT_GT(largest(), 1000U);
    for (int timeouts = 1; timeouts < 4; ++timeouts) {
      duel.expire();
      EXPECT_GT(largest(), 1000U) << "a lossy path, probably";
    }
    duel.expire();
    EXPECT_LE(largest(), 548U);
    duel.expire();
    EXPECT_TRUE(works(duel));
  }
}

}  // namespace
}  // namespace sluice::test
