// Connections of an Endpoint that check their peers' new addresses before they follow (RFC 9853).
#include <gtest/gtest.h>

#include <variant>

#include "support/by_version.h"
#include "support/bytes.h"
#include "support/endpoint_peers.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using dtls::Buffer;
using dtls::ConnectionHandle;
using dtls::Instant;
using dtls::PeerMove;
using dtls::ReturnRoutability;
using dtls::UdpPath;

const UdpPath kOldAddress = path_of(1);
const UdpPath kNewAddress = path_of(2, 99);
const UdpPath kStrangersAddress = path_of(3, 7);

class EndpointChecks : public ByVersion {
 protected:
  static dtls::ConfigPtr asking_for(std::size_t size, ReturnRoutability kind) {
    dtls::ConfigOptions asking = options();
    asking.connection_id_size = size;
    asking.return_routability = kind;
    return make_config(asking);
  }
  static EndpointHost host(ReturnRoutability kind = ReturnRoutability::basic,
                           dtls::EndpointOptions limits = {}) {
    return EndpointHost(asking_for(8, kind), std::move(limits));
  }
  static Peer connect(EndpointHost& host, const UdpPath& path = kOldAddress) {
    return connected(make_client(asking_for(0, ReturnRoutability::basic)), path, host);
  }
  // What the host sends because of a record of the peer that comes from there.
  static std::vector<EndpointHost::Sent> challenge(Peer& peer, const UdpPath& path,
                                                   EndpointHost& host, Instant now = {}) {
    host.receive(peer.seal(bytes_of("data")), path, now);
    return host.take_datagrams();
  }
  // The peer receives that and answers from `path`.
  static void answer(Peer& peer, std::vector<EndpointHost::Sent> sent, const UdpPath& path,
                     EndpointHost& host) {
    for (auto& one : sent) peer.receive(std::move(one.datagram), {});
    for (Buffer& datagram : peer.take_datagrams()) host.receive(std::move(datagram), path);
  }
};

TEST_P(EndpointChecks, ThePeerIsAskedAtItsNewAddress) {
  EndpointHost host = this->host();
  Peer peer = connect(host);
  const ConnectionHandle handle = *host.endpoint.find(kOldAddress);
  auto sent = challenge(peer, kNewAddress, host);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].path, kNewAddress);
  EXPECT_EQ(sent[0].connection, handle);
  EXPECT_EQ(host.known[handle].data.size(), 2U) << "what the record brought is delivered";
  EXPECT_EQ(host.endpoint.path_of(handle), kOldAddress);
  EXPECT_EQ(host.endpoint.find(kNewAddress), std::nullopt);
  answer(peer, std::move(sent), kNewAddress, host);
  EXPECT_EQ(host.endpoint.path_of(handle), kNewAddress);
  EXPECT_EQ(host.endpoint.find(kNewAddress), handle);
  EXPECT_EQ(host.endpoint.find(kOldAddress), std::nullopt);
  EXPECT_EQ(host.endpoint.statistics().moves, 1U);
  ASSERT_EQ(host.known[handle].moves.size(), 1U);
  EXPECT_EQ(host.known[handle].moves[0].from, kOldAddress);
  EXPECT_EQ(host.known[handle].moves[0].to, kNewAddress);
  EXPECT_TRUE(works(peer, kNewAddress, host));
}

TEST_P(EndpointChecks, PeerMovedTakesThePlaceOfPathChanged) {
  EndpointHost host = this->host();
  Peer peer = connect(host);
  auto sent = challenge(peer, kNewAddress, host);
  for (auto& one : sent) peer.receive(std::move(one.datagram), {});
  for (Buffer& datagram : peer.take_datagrams()) {
    host.endpoint.handle_datagram(datagram, kNewAddress, {});
  }
  const auto event = host.endpoint.poll_event();
  ASSERT_TRUE(event);
  EXPECT_TRUE(std::holds_alternative<dtls::PeerMoved>(event->what));
  EXPECT_FALSE(host.endpoint.poll_event());
}

TEST_P(EndpointChecks, AnAnswerFromElsewhereMovesNothing) {
  EndpointHost host = this->host();
  Peer peer = connect(host);
  const ConnectionHandle handle = *host.endpoint.find(kOldAddress);
  answer(peer, challenge(peer, kNewAddress, host), kStrangersAddress, host);
  EXPECT_EQ(host.endpoint.path_of(handle), kOldAddress);
  EXPECT_EQ(host.endpoint.statistics().moves, 0U);
}

// The one that was faster with a copy does not answer.
TEST_P(EndpointChecks, WhoDoesNotAnswerDrawsNothing) {
  for (const auto kind : {ReturnRoutability::basic, ReturnRoutability::enhanced}) {
    EndpointHost host = this->host(kind);
    Peer peer = connect(host);
    const ConnectionHandle handle = *host.endpoint.find(kOldAddress);
    const Buffer datagram = peer.seal(bytes_of("data"));
    host.receive(datagram, kStrangersAddress);
    host.receive(datagram, kOldAddress);
    std::size_t to_stranger = 0;
    Instant now{};
    for (auto next = host.endpoint.next_timeout(); next && *next < Instant{30s};
         next = host.endpoint.next_timeout()) {
      for (const auto& sent : host.take_datagrams()) {
        if (sent.path == kStrangersAddress) to_stranger += sent.datagram.size();
      }
      now = *next;
      host.handle_timeout(now);
    }
    EXPECT_LE(to_stranger, 3 * datagram.size()) << "RFC 9853 section 2";
    EXPECT_EQ(host.endpoint.path_of(handle), kOldAddress);
    EXPECT_EQ(host.endpoint.statistics().moves, 0U);
    EXPECT_TRUE(works(peer, kOldAddress, host, now));
  }
}

TEST_P(EndpointChecks, TheEnhancedCheckAsksAtTheOldAddressFirst) {
  EndpointHost host = this->host(ReturnRoutability::enhanced);
  Peer peer = connect(host);
  const ConnectionHandle handle = *host.endpoint.find(kOldAddress);
  auto sent = challenge(peer, kNewAddress, host);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].path, kOldAddress);
  // The old address is dead.
  Instant now{};
  std::vector<EndpointHost::Sent> to_new;
  while (to_new.empty()) {
    const auto next = host.endpoint.next_timeout();
    ASSERT_TRUE(next && *next < Instant{30s});
    now = *next;
    host.handle_timeout(now);
    for (auto& one : host.take_datagrams()) {
      if (one.path == kNewAddress) to_new.push_back(std::move(one));
    }
  }
  answer(peer, std::move(to_new), kNewAddress, host);
  EXPECT_EQ(host.endpoint.path_of(handle), kNewAddress);
  EXPECT_TRUE(works(peer, kNewAddress, host, now));
}

TEST_P(EndpointChecks, ADeviceThatIsNotToMoveIsNotAsked) {
  EndpointHost host = this->host(ReturnRoutability::basic, {.peer_move = PeerMove::never});
  Peer peer = connect(host);
  const ConnectionHandle handle = *host.endpoint.find(kOldAddress);
  EXPECT_TRUE(challenge(peer, kNewAddress, host).empty());
  EXPECT_EQ(host.known[handle].data.size(), 2U);
  EXPECT_EQ(host.endpoint.path_of(handle), kOldAddress);
}

// newer_record is for peers without the check.
TEST_P(EndpointChecks, WhereItIsAgreedOnANewerRecordDoesNotSuffice) {
  EndpointHost host = this->host(ReturnRoutability::basic, {.peer_move = PeerMove::newer_record});
  Peer peer = connect(host);
  const ConnectionHandle handle = *host.endpoint.find(kOldAddress);
  auto sent = challenge(peer, kNewAddress, host);
  EXPECT_EQ(host.endpoint.path_of(handle), kOldAddress);
  answer(peer, std::move(sent), kNewAddress, host);
  EXPECT_EQ(host.endpoint.path_of(handle), kNewAddress);
}

TEST_P(EndpointChecks, WithoutTheCheckNothingMovesByItself) {
  EndpointHost host = this->host(ReturnRoutability::none);
  Peer peer = connect(host);
  const ConnectionHandle handle = *host.endpoint.find(kOldAddress);
  EXPECT_TRUE(challenge(peer, kNewAddress, host).empty());
  EXPECT_EQ(host.endpoint.path_of(handle), kOldAddress);
}

// A connection may move to the path of another, and both are found there by their IDs.
TEST_P(EndpointChecks, ThePathOfAnotherIsCheckedToo) {
  EndpointHost host = this->host();
  Peer sleeping = connect(host, kNewAddress);
  Peer moving = connect(host, kOldAddress);
  const ConnectionHandle first = *host.endpoint.find(kNewAddress);
  const ConnectionHandle second = *host.endpoint.find(kOldAddress);
  answer(moving, challenge(moving, kNewAddress, host), kNewAddress, host);
  EXPECT_EQ(host.endpoint.path_of(second), kNewAddress);
  EXPECT_EQ(host.endpoint.find(kNewAddress), second);
  EXPECT_TRUE(challenge(sleeping, kNewAddress, host).empty()) << "it is there";
  EXPECT_EQ(host.known[first].data.size(), 2U);
}

// The connection treats the path that its caller has left as one where the peer still may be. The
// number of that path is not given to another.
TEST_P(EndpointChecks, AfterSetPathThePeerIsFollowedToo) {
  EndpointHost host = this->host();
  Peer peer = connect(host);
  const ConnectionHandle handle = *host.endpoint.find(kOldAddress);
  ASSERT_TRUE(host.endpoint.set_path(handle, kStrangersAddress));
  ASSERT_TRUE(host.endpoint.set_path(handle, kOldAddress));
  ASSERT_TRUE(host.endpoint.apply(
      handle, [](dtls::Connection& connection) { return connection.handle_timeout({}); }));
  answer(peer, challenge(peer, kNewAddress, host), kNewAddress, host);
  EXPECT_EQ(host.endpoint.path_of(handle), kNewAddress);
}

INSTANTIATE_TEST_SUITE_P(Versions, EndpointChecks, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
