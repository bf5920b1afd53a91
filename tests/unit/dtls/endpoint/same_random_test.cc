// Devices that make the same random each time they start, for lack of entropy, and so say the same
// first ClientHello (RFC 6347 section 4.2.8, RFC 9147 section 5.11).
#include <gtest/gtest.h>

#include "support/by_version.h"
#include "support/bytes.h"
#include "support/endpoint_host.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using dtls::Buffer;
using dtls::ConnectionHandle;
using dtls::EndReason;
using dtls::Instant;

const dtls::UdpPath kPort = path_of(1);

class SameRandom : public ByVersion {
 protected:
  Peer start(Instant now = {}) {
    random_.restart(7);
    return Peer(must(dtls::Connection::client(make_config(options()), device_, kPath, now)));
  }

  // All that `peer` has to send reaches the host; its answers.
  std::vector<EndpointHost::Sent> say(Peer& peer, Instant now = {}) {
    for (auto& datagram : peer.take_datagrams()) host_.receive(std::move(datagram), kPort, now);
    return host_.take_datagrams();
  }

  // The ClientHello with the cookie.
  Buffer second_hello(Peer& peer, Instant now = {}) {
    for (auto& answer : say(peer, now)) peer.receive(std::move(answer.datagram), now);
    auto hello = peer.take_datagrams();
    EXPECT_EQ(hello.size(), 1U);
    return hello.at(0);
  }

  // The handshake from there on.
  void go_on(Peer& peer, const Buffer& hello, Instant now = {}) {
    host_.receive(hello, kPort, now);
    for (auto& answer : host_.take_datagrams()) peer.receive(std::move(answer.datagram), now);
    exchange(peer, kPort, host_, now);
  }

  SeededRandom random_{7};
  dtls::Environment device_ = must(dtls::Environment::make({.random = &random_}));
  EndpointHost host_{make_config(options())};
};

// Without a timer of either side: two flights of the client.
TEST_P(SameRandom, AConnectedDeviceStartsAgainAtOnce) {
  Peer first = start();
  exchange(first, kPort, host_);
  ASSERT_TRUE(works(first, kPort, host_));
  for (int i = 1; i <= 5; ++i) {
    Peer again = start();
    exchange(again, kPort, host_);
    EXPECT_TRUE(works(again, kPort, host_));
    EXPECT_EQ(host_.endpoint.size(), 1U);
    EXPECT_EQ(host_.endpoint.statistics().count(EndReason::replaced), static_cast<unsigned>(i));
  }
  EXPECT_EQ(host_.endpoint.statistics().repeated_hellos, 0U);
}

TEST_P(SameRandom, ItIsAskedForACookieWithoutState) {
  Peer old = start();
  exchange(old, kPort, host_);
  ASSERT_TRUE(works(old, kPort, host_));
  Peer again = start();
  const auto answers = say(again);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].connection, std::nullopt);
  EXPECT_EQ(host_.endpoint.size(), 1U);
  EXPECT_EQ(host_.endpoint.half_open(), 0U);
  EXPECT_TRUE(works(old, kPort, host_));
}

TEST_P(SameRandom, ADeviceStartsAgainInTheMiddleOfItsHandshake) {
  Peer first = start();
  const Buffer hello = second_hello(first);
  host_.receive(hello, kPort);
  static_cast<void>(host_.take_datagrams());  // the server's flight is lost
  ASSERT_EQ(host_.endpoint.half_open(), 1U);
  Peer again = start();
  exchange(again, kPort, host_);
  EXPECT_TRUE(works(again, kPort, host_));
  EXPECT_EQ(host_.endpoint.size(), 1U);
  EXPECT_EQ(host_.endpoint.half_open(), 0U);
}

TEST_P(SameRandom, ADeviceThatWasSilentForLongStartsAgain) {
  Peer first = start();
  exchange(first, kPort, host_);
  // Longer than the numbers of cookies can be compared.
  for (const auto pause : {std::chrono::hours{1}, std::chrono::hours{24 * 30}}) {
    const Instant later{pause};
    Peer again = start(later);
    exchange(again, kPort, host_, later);
    EXPECT_TRUE(works(again, kPort, host_, later));
  }
}

// The client's whole ClientHello comes again, from the network or from an attacker.
TEST_P(SameRandom, ARepetitionBeginsNothing) {
  Peer peer = start();
  const auto first_hello = peer.take_datagrams().at(0);
  host_.receive(first_hello, kPort);
  for (auto& answer : host_.take_datagrams()) peer.receive(std::move(answer.datagram), {});
  const Buffer hello = peer.take_datagrams().at(0);
  go_on(peer, hello);
  ASSERT_TRUE(works(peer, kPort, host_));
  const ConnectionHandle handle = *host_.endpoint.find(kPort);
  for (const auto& late : {hello, first_hello, hello}) {
    host_.receive(late, kPort, Instant{100s});
    EXPECT_EQ(host_.endpoint.size(), 1U);
    EXPECT_EQ(host_.endpoint.find(kPort), handle);
    for (auto& sent : host_.take_datagrams()) peer.receive(std::move(sent.datagram), {});
    EXPECT_TRUE(works(peer, kPort, host_, Instant{100s}));
  }
  EXPECT_EQ(host_.endpoint.statistics().repeated_hellos, 2U);
}

// The hello of the association before is older than that which has taken its place. It must neither
// begin one nor end one that is under way.
TEST_P(SameRandom, AnOlderHelloEndsNothing) {
  Peer first = start();
  const Buffer old_hello = second_hello(first);
  go_on(first, old_hello);
  ASSERT_TRUE(works(first, kPort, host_));
  Peer again = start(Instant{1s});
  const Buffer hello = second_hello(again, Instant{1s});
  host_.receive(hello, kPort, Instant{1s});
  auto flight = host_.take_datagrams();
  ASSERT_FALSE(flight.empty());
  host_.receive(old_hello, kPort, Instant{1s});
  EXPECT_EQ(host_.endpoint.half_open(), 1U);
  EXPECT_EQ(host_.endpoint.statistics().count(EndReason::replaced), 0U);
  host_.receive(old_hello, kPort, Instant{1900ms});
  EXPECT_TRUE(host_.take_datagrams().empty()) << "it is no repetition of the newer one";
  for (auto& sent : flight) again.receive(std::move(sent.datagram), Instant{1s});
  exchange(again, kPort, host_, Instant{1s});
  EXPECT_TRUE(works(again, kPort, host_, Instant{1s}));
  host_.receive(old_hello, kPort, Instant{2s});
  EXPECT_EQ(host_.endpoint.size(), 1U);
  EXPECT_TRUE(works(again, kPort, host_, Instant{2s}));
}

// The server's flight was lost: its client repeats the hello, and gets the flight again.
TEST_P(SameRandom, ARepetitionIsAnsweredByItsHandshake) {
  Peer peer = start();
  const Buffer hello = second_hello(peer);
  host_.receive(hello, kPort);
  static_cast<void>(host_.take_datagrams());
  host_.receive(hello, kPort, Instant{500ms});
  EXPECT_EQ(host_.endpoint.statistics().accepted, 1U);
  EXPECT_EQ(host_.endpoint.statistics().repeated_hellos, 1U);
  for (auto& sent : host_.take_datagrams()) {
    EXPECT_EQ(sent.connection, host_.endpoint.find(kPort));
    peer.receive(std::move(sent.datagram), Instant{500ms});
  }
  exchange(peer, kPort, host_, Instant{500ms});
  EXPECT_TRUE(works(peer, kPort, host_, Instant{500ms}));
}

TEST_P(SameRandom, ARepetitionBesideAConnectionIsAnsweredByItsHandshake) {
  Peer first = start();
  exchange(first, kPort, host_);
  ASSERT_TRUE(works(first, kPort, host_));
  Peer again = start(Instant{1s});
  const Buffer hello = second_hello(again, Instant{1s});
  host_.receive(hello, kPort, Instant{1s});
  static_cast<void>(host_.take_datagrams());
  host_.receive(hello, kPort, Instant{1900ms});
  EXPECT_EQ(host_.endpoint.statistics().accepted, 2U);
  EXPECT_EQ(host_.endpoint.statistics().repeated_hellos, 1U);
  EXPECT_EQ(host_.endpoint.statistics().count(EndReason::replaced), 0U);
  EXPECT_FALSE(host_.take_datagrams().empty());
}

INSTANTIATE_TEST_SUITE_P(Versions, SameRandom, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
