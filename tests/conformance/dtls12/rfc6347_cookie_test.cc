// RFC 6347 section 4.2.1: HelloVerifyRequest, as a server gives it that keeps nothing.
#include <gtest/gtest.h>

#include "conformance/dtls12/vocabulary.h"
#include "message/handshake_fragment.h"
#include "message/hello_verify_request.h"
#include "record/header12.h"
#include "support/listening_server.h"

namespace sluice::test {
namespace {

using dtls::Instant;
using dtls::message::HandshakeHeader;
using dtls::record::Header12;

const Buffer kClient = from_hex("7f000001 1234");
const Buffer kOtherClient = from_hex("7f000001 1235");

dtls::ConfigPtr config12() { return make_config(options_for(ProtocolVersion::dtls12)); }

// The first record of a datagram, and the first message in it.
struct HelloDatagram {
  explicit HelloDatagram(const Buffer& datagram) : record(Header12::decode(datagram).value()) {
    dtls::wire::Reader reader(Bytes(datagram).subspan(dtls::record::kHeaderSize12));
    const auto fragment = dtls::message::HandshakeFragment::take(reader);
    header = fragment.value().header;
    body = copy_of(fragment->body);
  }
  Header12 record;
  HandshakeHeader header;
  Buffer body;
};

Buffer cookie_in(const Buffer& datagram) {
  const HelloDatagram message(datagram);
  EXPECT_EQ(message.header.type, HandshakeType::hello_verify_request);
  const auto request = dtls::message::HelloVerifyRequest::decode(message.body);
  return copy_of(request.value().cookie);
}

class ServerCookie : public testing::Test {
 protected:
  Buffer answer(const ClientHelloFields& hello, const HelloTransport& transport = {},
                const Buffer& address = kClient, Instant now = {}) {
    auto replies = server_.receive(datagram_of(hello, transport), address, now);
    return replies.empty() ? Buffer{} : replies.front();
  }
  // The hello, with the cookie that it was answered with.
  ClientHelloFields with_cookie(ClientHelloFields hello = {}) {
    hello.cookie = cookie_in(answer(hello));
    return hello;
  }
  bool is_let_in(const ClientHelloFields& hello, const Buffer& address = kClient,
                 Instant now = {}) {
    answer(hello, {.message_seq = 1, .record = 1}, address, now);
    return server_.connections.erase(address) == 1;
  }

  ListeningServer server_{config12()};
};

TEST(Rfc6347_4_2_1_Server, AHandshakeGoesOnFromTheCookie) {
  for (const std::size_t mtu : {std::size_t{1200}, dtls::kMinimumMtu}) {
    dtls::ConfigOptions options = options_for(ProtocolVersion::dtls12);
    options.mtu = mtu;
    Peer client = make_client(make_config(options));
    ListeningServer server(make_config(options));
    exchange(client, kClient, server);
    EXPECT_TRUE(works(client, kClient, server)) << mtu;
    EXPECT_EQ(server.listener.statistics().hello_verify_requests, 1U);
  }
}

// A client that offers both versions to a server of the older one.
TEST(Rfc6347_4_2_1_Server, AlsoWithAClientThatOffersMore) {
  Peer client = make_client(make_config());
  ListeningServer server(config12());
  exchange(client, kClient, server);
  EXPECT_TRUE(works(client, kClient, server));
}

TEST(Rfc6347_4_2_1_Server, AServerOfBothVersionsAsksEachInItsOwnWay) {
  ListeningServer server(make_config());
  Peer client12 = make_client(config12());
  Peer client13 = make_client(make_config());
  exchange(client12, kClient, server);
  exchange(client13, kOtherClient, server);
  EXPECT_TRUE(works(client12, kClient, server));
  EXPECT_TRUE(works(client13, kOtherClient, server));
  EXPECT_EQ(client12.connected->version, ProtocolVersion::dtls12);
  EXPECT_EQ(client13.connected->version, ProtocolVersion::dtls13);
  EXPECT_EQ(server.listener.statistics().hello_verify_requests, 1U);
  EXPECT_EQ(server.listener.statistics().hello_retry_requests, 1U);
}

// "server implementations SHOULD use DTLS version 1.0"; "the server MUST use the record sequence
// number in the ClientHello as the record sequence number in the HelloVerifyRequest".
TEST_F(ServerCookie, TheRequestSaysVersion10AndTheHellosRecordNumber) {
  for (const std::uint64_t record :
       {std::uint64_t{0}, std::uint64_t{9}, dtls::wire::kMaxSequenceNumber}) {
    const Buffer reply = answer(ClientHelloFields(), {.record = record});
    const HelloDatagram request(reply);
    EXPECT_EQ(request.record.version, ProtocolVersion::dtls10);
    EXPECT_EQ(dtls::wire::value_of(request.record.sequence), record);
    EXPECT_EQ(request.header.message_seq, dtls::wire::MessageSeq{0});
    EXPECT_EQ(copy_of(Bytes(request.body).first(2)), from_hex("feff"));
    EXPECT_LE(cookie_in(reply).size(), 32U) << "what DTLS 1.0 takes";
  }
}

// "the server MUST use the record sequence number in the ClientHello as the record sequence number
// in its initial ServerHello. Subsequent ServerHellos ... MUST increment normally."
TEST_F(ServerCookie, TheServerHelloTakesTheSecondHellosNumbers) {
  const ClientHelloFields hello = with_cookie();
  const auto flight = server_.receive(datagram_of(hello, {.message_seq = 1, .record = 5}), kClient);
  ASSERT_FALSE(flight.empty());
  const HelloDatagram server_hello(flight.front());
  EXPECT_EQ(server_hello.header.type, HandshakeType::server_hello);
  EXPECT_EQ(server_hello.header.message_seq, dtls::wire::MessageSeq{1});
  EXPECT_EQ(server_hello.record.sequence, dtls::wire::SequenceNumber{5});
  EXPECT_EQ(server_hello.record.version, ProtocolVersion::dtls12);

  Peer& peer = *server_.connection(kClient);
  const Instant later = peer.connection().next_timeout().value();
  peer.settle(peer.connection().handle_timeout(later), later);
  const auto again = peer.take_datagrams();
  ASSERT_EQ(again.size(), flight.size());
  EXPECT_GT(HelloDatagram(again.front()).record.sequence, server_hello.record.sequence);
}

// "The server SHOULD use those values to generate its cookie and verify that they are correct".
TEST_F(ServerCookie, IsGoodForTheSameParametersAlone) {
  const ClientHelloFields good = with_cookie();
  const auto changed = [&](const std::function<void(ClientHelloFields&)>& change) {
    ClientHelloFields hello = good;
    change(hello);
    return hello;
  };
  EXPECT_FALSE(is_let_in(changed([](auto& hello) { hello.random[0] ^= std::byte{1}; })));
  EXPECT_FALSE(is_let_in(changed([](auto& hello) { hello.session_id = counted(1); })));
  EXPECT_FALSE(is_let_in(changed([](auto& hello) { hello.suites.pop_back(); })));
  EXPECT_FALSE(
      is_let_in(changed([](auto& hello) { hello.compression_methods.push_back(std::byte{1}); })));
  EXPECT_FALSE(is_let_in(changed([](auto& hello) { hello.version = ProtocolVersion{0xfefc}; })));
  EXPECT_FALSE(is_let_in(good, kOtherClient));
  EXPECT_TRUE(is_let_in(good));
}

TEST_F(ServerCookie, IsGoodForItsTime) {
  const ClientHelloFields hello = with_cookie();
  using namespace std::chrono_literals;
  EXPECT_TRUE(is_let_in(hello, kClient, Instant{119s}));
  EXPECT_FALSE(is_let_in(hello, kClient, Instant{120s}));
}

// "If a server receives a ClientHello with an invalid cookie, it SHOULD treat it the same as a
// ClientHello with no cookie": another request, and never an alert.
TEST_F(ServerCookie, ThatIsNoGoodGetsAnother) {
  ClientHelloFields hello;
  const Buffer good = cookie_in(answer(hello));
  std::uint64_t refused = 0;
  for (const Buffer& bad : {counted(1), counted(good.size()), counted(255)}) {
    hello.cookie = bad;
    const Buffer reply = answer(hello, {.message_seq = 1, .record = 3});
    EXPECT_EQ(server_.listener.statistics().refused_cookies, ++refused);
    // A cookie that had to be verified is answered with one that is none: the next is one.
    ClientHelloFields next = hello;
    next.cookie = cookie_in(reply);
    if (next.cookie.size() == 1) {
      next.cookie = cookie_in(answer(next, {.message_seq = 2, .record = 4}));
      EXPECT_EQ(server_.listener.statistics().refused_cookies, ++refused);
    }
    EXPECT_TRUE(is_let_in(next));
    // It goes on with the numbers that the client counts.
    EXPECT_EQ(HelloDatagram(reply).header.message_seq, dtls::wire::MessageSeq{1});
    EXPECT_EQ(HelloDatagram(reply).record.sequence, dtls::wire::SequenceNumber{3});
  }
  EXPECT_EQ(server_.listener.statistics().alerts, 0U);
}

// Else a forged cookie would cost two MACs.
TEST_F(ServerCookie, ThatHadToBeVerifiedGetsNoRealOne) {
  ClientHelloFields hello = with_cookie();
  hello.cookie.back() ^= std::byte{1};
  EXPECT_EQ(cookie_in(answer(hello, {.message_seq = 1, .record = 1})), Buffer(1));
}

// The server's secrets have changed between the hellos: the client says hello a third time.
TEST_F(ServerCookie, AClientWhoseCookieHasExpiredStillGetsThrough) {
  using namespace std::chrono_literals;
  Peer client = make_client(config12());
  auto first = client.take_datagrams();
  client.receive(server_.receive(first.front(), kClient).front(), {});
  auto second = client.take_datagrams();
  const auto another = server_.receive(second.front(), kClient, Instant{1h});
  ASSERT_EQ(another.size(), 1U);
  client.receive(another.front(), Instant{1h});
  exchange(client, kClient, server_, Instant{1h});
  EXPECT_TRUE(works(client, kClient, server_));
  EXPECT_EQ(server_.listener.statistics().hello_verify_requests, 2U);
}

// What the handshake can't do is the connection's to say, when the client is known to be there.
TEST_F(ServerCookie, AHelloThatCantSucceedIsRefusedByTheConnection) {
  ClientHelloFields hello;
  hello.suites = {CipherSuite::ecdhe_ecdsa_with_aes_128_ccm};
  hello.cookie = cookie_in(answer(hello));
  const auto replies = server_.receive(datagram_of(hello, {.message_seq = 1}), kClient);
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(replies.front().front(), static_cast<std::byte>(ContentType::alert));
  EXPECT_EQ(replies.front().back(), static_cast<std::byte>(Alert::handshake_failure));
  Peer& peer = *server_.connection(kClient);
  ASSERT_TRUE(peer.error);
  EXPECT_EQ(peer.error->code, Errc::no_common_cipher_suite);
  EXPECT_FALSE(peer.connection().next_timeout());
}

}  // namespace
}  // namespace sluice::test
