// A client that has lost its state and begins anew at its old address (RFC 9147 section 5.11,
// RFC 6347 section 4.2.8), and those who only say that they are one.
#include <gtest/gtest.h>

#include "support/by_version.h"
#include "support/bytes.h"
#include "support/endpoint_host.h"
#include "support/hello_fields.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using dtls::Buffer;
using dtls::ConnectionHandle;
using dtls::EndReason;
using dtls::Instant;

const dtls::UdpPath kHere = path_of(1);

class BeginningAnew : public ByVersion {
 protected:
  static Peer client(Instant now = {}) { return make_client(make_config(options()), now); }

  Peer connect(Instant now = {}) {
    Peer peer = client(now);
    exchange(peer, kHere, host_, now);
    EXPECT_TRUE(works(peer, kHere, host_, now));
    return peer;
  }

  // All that `peer` has to send reaches the host; its answers.
  std::vector<Buffer> say(Peer& peer, Instant now = {}) {
    for (auto& datagram : peer.take_datagrams()) host_.receive(std::move(datagram), kHere, now);
    std::vector<Buffer> answers;
    for (auto& sent : host_.take_datagrams()) answers.push_back(std::move(sent.datagram));
    return answers;
  }

  // A handshake that has its cookie, and has been answered with the server's flight, which is lost.
  Peer begin(Instant now = {}) {
    Peer peer = client(now);
    for (auto& answer : say(peer, now)) peer.receive(std::move(answer), now);
    EXPECT_FALSE(say(peer, now).empty());
    return peer;
  }

  [[nodiscard]] std::uint64_t ended(EndReason reason) const {
    return host_.endpoint.statistics().count(reason);
  }

  EndpointHost host_{make_config(options())};
};

TEST_P(BeginningAnew, TheNewTakesTheOldsPlace) {
  const Peer old = connect();
  const ConnectionHandle first = *host_.endpoint.find(kHere);
  Peer anew = client();
  exchange(anew, kHere, host_);
  EXPECT_TRUE(works(anew, kHere, host_));
  EXPECT_NE(*host_.endpoint.find(kHere), first);
  EXPECT_EQ(host_.known[first].ended->reason, EndReason::replaced);
  EXPECT_EQ(host_.endpoint.size(), 1U);
  EXPECT_EQ(host_.endpoint.find(first), nullptr);
  // And so on.
  Peer third = client();
  exchange(third, kHere, host_);
  EXPECT_TRUE(works(third, kHere, host_));
  EXPECT_EQ(ended(EndReason::replaced), 2U);
}

TEST_P(BeginningAnew, InPieces) {
  auto small = options();
  small.mtu = dtls::kMinimumMtu;
  const Peer old = connect();
  Peer anew = make_client(make_config(small));
  exchange(anew, kHere, host_);
  EXPECT_TRUE(works(anew, kHere, host_));
  EXPECT_EQ(ended(EndReason::replaced), 1U);
}

TEST_P(BeginningAnew, TheOldGoesOnUntilTheNewIsConnected) {
  Peer old = connect();
  const ConnectionHandle first = *host_.endpoint.find(kHere);
  Peer anew = begin();
  EXPECT_EQ(host_.endpoint.size(), 2U);
  EXPECT_EQ(host_.endpoint.half_open(), 1U);
  EXPECT_TRUE(works(old, kHere, host_));
  EXPECT_EQ(*host_.endpoint.find(kHere), first);
  // Its flight comes a second time, and the handshake goes on where it was.
  host_.handle_timeout(*host_.endpoint.next_timeout());
  exchange(anew, kHere, host_, Instant{1s});
  EXPECT_TRUE(works(anew, kHere, host_, Instant{1s}));
  EXPECT_EQ(host_.known[first].ended->reason, EndReason::replaced);
}

TEST_P(BeginningAnew, OneThatComesToNothingLeavesTheOldAsItWas) {
  Peer old = connect();
  const Peer anew = begin();
  for (auto next = host_.endpoint.next_timeout(); next && host_.endpoint.size() > 1;
       next = host_.endpoint.next_timeout()) {
    host_.handle_timeout(*next);
    static_cast<void>(host_.take_datagrams());
    EXPECT_TRUE(works(old, kHere, host_, *next));
  }
  EXPECT_EQ(ended(EndReason::failed), 1U);
  EXPECT_EQ(host_.endpoint.half_open(), 0U);
  EXPECT_TRUE(works(old, kHere, host_, Instant{300s}));
}

TEST_P(BeginningAnew, WhenTheOldEndsTheNewGoesOn) {
  Peer old = connect();
  Peer anew = begin();
  must(old.connection().close({}).map([](dtls::Pending) {}));
  say(old);
  EXPECT_EQ(ended(EndReason::closed_by_peer), 1U);
  EXPECT_EQ(host_.endpoint.size(), 1U);
  host_.handle_timeout(*host_.endpoint.next_timeout());
  exchange(anew, kHere, host_, Instant{1s});
  EXPECT_TRUE(works(anew, kHere, host_, Instant{1s}));
}

TEST_P(BeginningAnew, AThirdTakesTheSecondsPlace) {
  Peer old = connect();
  const Peer second = begin();
  EXPECT_EQ(host_.endpoint.size(), 2U);
  Peer third = begin();
  EXPECT_EQ(host_.endpoint.size(), 2U);
  EXPECT_EQ(ended(EndReason::replaced), 1U);
  EXPECT_TRUE(works(old, kHere, host_));
  host_.handle_timeout(*host_.endpoint.next_timeout());
  exchange(third, kHere, host_, Instant{1s});
  EXPECT_TRUE(works(third, kHere, host_, Instant{1s}));
}

TEST_P(BeginningAnew, InTheMiddleOfAHandshake) {
  const Peer first = begin();
  Peer second = client();
  exchange(second, kHere, host_);
  EXPECT_TRUE(works(second, kHere, host_));
  EXPECT_EQ(host_.endpoint.size(), 1U);
  EXPECT_EQ(ended(EndReason::replaced), 1U);
}

TEST_P(BeginningAnew, ItsOldHelloDoesNot) {
  Peer peer = client();
  for (auto& answer : say(peer)) peer.receive(std::move(answer), {});
  const auto hellos = peer.take_datagrams();
  for (const auto& hello : hellos) host_.receive(hello, kHere);
  for (auto& sent : host_.take_datagrams()) peer.receive(std::move(sent.datagram), {});
  exchange(peer, kHere, host_);
  ASSERT_TRUE(works(peer, kHere, host_));
  for (const auto& hello : hellos) host_.receive(hello, kHere);
  EXPECT_EQ(host_.endpoint.size(), 1U);
  EXPECT_EQ(host_.endpoint.statistics().repeated_hellos, hellos.size());
  EXPECT_TRUE(works(peer, kHere, host_));
}

TEST_P(BeginningAnew, ARepeatedHelloIsAnsweredByItsHandshake) {
  Peer peer = begin();
  const auto answers = peer.connection().handle_timeout(Instant{1s});
  ASSERT_TRUE(answers);
  EXPECT_FALSE(say(peer, Instant{1s}).empty());
  EXPECT_EQ(host_.endpoint.size(), 1U);
  EXPECT_EQ(host_.endpoint.statistics().accepted, 1U);
}

// What the old has opened does not reach the new.
TEST_P(BeginningAnew, EachRecordReachesOneOfTheTwo) {
  Peer old = connect();
  Peer anew = client();
  for (auto& answer : say(anew)) anew.receive(std::move(answer), {});
  for (auto& datagram : anew.take_datagrams()) host_.receive(std::move(datagram), kHere);
  const auto flight = host_.take_datagrams();
  ASSERT_FALSE(flight.empty());
  const dtls::Connection& newer = *host_.endpoint.find(flight.front().connection.value());
  const auto before = newer.statistics().datagrams_received;
  EXPECT_TRUE(works(old, kHere, host_));
  EXPECT_EQ(newer.statistics().datagrams_received, before);
}

// The records of the new are forged ones to the old, which they may end: they still reach the new.
TEST_P(BeginningAnew, ARecordThatEndsTheOldReachesTheNew) {
  if (!is13()) return;  // only a client of DTLS 1.3 sends data before the server is connected
  auto limited = options();
  limited.max_forgeries_per_key = 1;
  EndpointHost host(make_config(limited));
  Peer old = client();
  exchange(old, kHere, host);
  ASSERT_TRUE(works(old, kHere, host));
  Peer anew = client();
  for (int turn = 0; turn < 2; ++turn) {
    for (auto& datagram : anew.take_datagrams()) host.receive(std::move(datagram), kHere);
    for (auto& sent : host.take_datagrams()) anew.receive(std::move(sent.datagram), {});
  }
  auto last_flight = anew.take_datagrams();
  ASSERT_TRUE(anew.connected);
  for (int i = 0; i < 2; ++i) host.receive(anew.seal(bytes_of("early")), kHere);
  EXPECT_EQ(host.endpoint.statistics().count(EndReason::failed), 1U);
  for (auto& datagram : last_flight) host.receive(std::move(datagram), kHere);
  static_cast<void>(host.take_datagrams());
  EXPECT_EQ(host.at(kHere)->data.size(), 2U);
}

// What anybody can send who knows the address.
std::vector<Buffer> forged() {
  std::vector<Buffer> all;
  all.push_back(datagram_of(hello_fields13()));
  all.push_back(datagram_of(ClientHelloFields{}));
  all.push_back(datagram_of(hello_fields13(), {.max_fragment = 100}));
  all.push_back(from_hex("15 fefd 0000 000000000001 0002 0228"));  // handshake_failure
  all.push_back(from_hex("15 fefd 0000 000000000002 0002 0100"));  // close_notify
  all.push_back(from_hex("14 fefd 0000 000000000003 0001 01"));    // ChangeCipherSpec
  all.push_back(from_hex("16 fefd 0000 000000000004 0001 01"));    // less than a hello
  all.push_back(from_hex("16 fefd 0000 000000000005 000c 14000000 0000 000000000000"));
  all.push_back(from_hex("15 fefd 0001 000000000001 0010 00112233445566778899aabbccddeeff"));
  all.push_back(from_hex("2e 0011223344556677 8899aabbccddeeff00112233445566778899"));
  all.emplace_back(0);
  return all;
}

TEST_P(BeginningAnew, ForgeriesChangeNothing) {
  Peer peer = connect();
  const ConnectionHandle handle = *host_.endpoint.find(kHere);
  for (int round = 0; round < 3; ++round) {
    for (const auto& datagram : forged()) {
      host_.receive(datagram, kHere);
      EXPECT_EQ(host_.endpoint.find(kHere), handle);
      EXPECT_EQ(host_.endpoint.size(), 1U);
      for (auto& sent : host_.take_datagrams()) peer.receive(std::move(sent.datagram), {});
      EXPECT_TRUE(works(peer, kHere, host_));
    }
  }
}

TEST_P(BeginningAnew, ForgeriesBesideAHandshakeChangeNothingOfTheOld) {
  Peer old = connect();
  const ConnectionHandle first = *host_.endpoint.find(kHere);
  const Peer anew = begin();
  for (const auto& datagram : forged()) {
    host_.receive(datagram, kHere);
    static_cast<void>(host_.take_datagrams());
    EXPECT_EQ(host_.endpoint.find(kHere), first);
    EXPECT_TRUE(works(old, kHere, host_));
  }
}

// Two that call each other at once: neither must take the other's hello for an answer.
TEST_P(BeginningAnew, WhereWeCallAHelloIsNotHeard) {
  ASSERT_TRUE(host_.endpoint.connect(make_config(options()), kHere, {}));
  static_cast<void>(host_.take_datagrams());
  for (const auto& datagram : forged()) {
    if (datagram.size() < 100) continue;
    host_.receive(datagram, kHere);
  }
  EXPECT_EQ(host_.endpoint.statistics().colliding_hellos, 3U);
  EXPECT_EQ(host_.endpoint.size(), 1U);
  EndpointHost server(make_config(options()));
  host_.handle_timeout(*host_.endpoint.next_timeout());
  exchange(host_, server, Instant{1s});
  EXPECT_TRUE(host_.at(kHere)->connected);
}

TEST_P(BeginningAnew, APeerThatWeCalledMayCallUs) {
  EndpointHost server(make_config(options()));
  ASSERT_TRUE(host_.endpoint.connect(make_config(options()), kHere, {}));
  exchange(host_, server);
  ASSERT_TRUE(host_.at(kHere)->connected);
  Peer anew = client();
  exchange(anew, kHere, host_);
  EXPECT_TRUE(works(anew, kHere, host_));
  EXPECT_EQ(ended(EndReason::replaced), 1U);
}

INSTANTIATE_TEST_SUITE_P(Versions, BeginningAnew, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
