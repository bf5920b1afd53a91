// Handshake messages across keys, above bounds and out of place (RFC 9147 section 5).
#include "conformance/dtls13/vocabulary.h"
#include "message/client_hello.h"
#include "support/middlebox.h"

namespace sluice::test {
namespace {

// A hello whose bytes at `where` were changed on its way, by one bit.
using Where = std::function<Bytes(const dtls::message::ClientHello&)>;

testing::AssertionResult refuses_second_hello(const Where& where) {
  dtls::ConfigOptions other_group = options13();
  other_group.groups = {dtls::NamedGroup::secp384r1};
  Peer client = make_client(make_config(options13()));
  Peer server = make_server(make_config(other_group));
  constexpr std::size_t kBody = dtls::record::kHeaderSize12 + dtls::message::kHandshakeHeaderSize;
  int hellos = 0;
  exchange_through(
      [&](dtls::Role sender, Buffer datagram) {
        if (sender == dtls::Role::client && ++hellos == 2) {
          const auto hello = dtls::message::ClientHello::decode(Bytes(datagram).subspan(kBody));
          const Bytes target = where(hello.value());
          datagram.at(static_cast<std::size_t>(&target.back() - datagram.data())) ^= std::byte{1};
        }
        return std::vector<Buffer>{std::move(datagram)};
      },
      client, server);
  if (hellos != 2) return testing::AssertionFailure() << hellos << " hellos";
  return failed(server, Errc::illegal_parameter, Alert::illegal_parameter, client);
}

TEST(Rfc8446_4_1_2, TheSecondClientHelloMayNotChangeWhatItLikes) {
  using dtls::message::ClientHello;
  using dtls::wire::ExtensionType;
  // decode() copies the random: it stands two bytes before the session ID's length.
  EXPECT_TRUE(refuses_second_hello([](const ClientHello& hello) {
    return Bytes(hello.session_id.data() - 1 - hello.random.size(), hello.random.size());
  })) << "random";
  // The last suite, so that the choice doesn't change.
  EXPECT_TRUE(refuses_second_hello([](const ClientHello& hello) {
    return Bytes(hello.compression_methods.data() - 3, 2);
  })) << "cipher_suites";
  for (const ExtensionType type : {ExtensionType::signature_algorithms, ExtensionType::use_srtp}) {
    EXPECT_TRUE(refuses_second_hello([&](const ClientHello& hello) {
      const Bytes data = hello.extensions.find(type).value();
      // Of use_srtp the last profile; the MKI's length stands behind it.
      return type == ExtensionType::use_srtp ? data.first(data.size() - 1) : data;
    })) << static_cast<int>(type);
  }
}

// RFC 8446 section 5.1: a message must not span a change of keys. The half in plaintext, which
// anyone can have sent, does not count.
TEST(Rfc8446_5_1, AMessageThatSpansAChangeOfKeysIsNotCompleted) {
  Pair pair(options13());
  pair.flight(pair.client);
  pair.flight(pair.server);
  pair.client.take_datagrams();
  const auto half = [](std::uint32_t offset) {
    return fragment_of(HandshakeType::certificate, 1, 100, offset, counted(50));
  };
  pair.server.receive(sealed(pair.client, kPlaintextEpoch, ContentType::handshake, half(0)), {});
  EXPECT_EQ(discards(pair.server, Discard::unexpected_content), 1U);
  pair.server.receive(sealed(pair.client, kHandshakeEpoch13, ContentType::handshake, half(50)), {});
  EXPECT_FALSE(pair.server.error || pair.server.connected);
}

TEST(Rfc8446_5_1, NorMayOneAfterTheHandshake) {
  Pair pair(options13());
  pair.flight(pair.client);
  pair.flight(pair.server);
  pair.flight(pair.client);
  ASSERT_TRUE(pair.server.connected);
  // The client has the keys of both epochs until the ACK comes. Its Finished was message 3.
  const auto half = [](std::uint32_t offset) {
    return fragment_of(HandshakeType::key_update, 4, 2, offset, counted(1));
  };
  pair.server.receive(sealed(pair.client, kHandshakeEpoch13, ContentType::handshake, half(0)), {});
  EXPECT_FALSE(pair.server.error);
  pair.server.receive(
      sealed(pair.client, kFirstApplicationEpoch13, ContentType::handshake, half(1)), {});
  EXPECT_TRUE(
      failed(pair.server, Errc::unexpected_message, Alert::unexpected_message, pair.client));
}

TEST(Rfc9147_6_1, AMessageOfAnOldEpochIsFatal) {
  Pair pair(options13());
  pair.flight(pair.client);
  pair.flight(pair.server);
  pair.flight(pair.client);
  pair.server.receive(sealed(pair.client, kHandshakeEpoch13, ContentType::handshake,
                             message_of(HandshakeType::key_update, 4, std::array{std::byte{0}})),
                      {});
  EXPECT_TRUE(
      failed(pair.server, Errc::unexpected_message, Alert::unexpected_message, pair.client));
}

TEST(Rfc9147_5_5, AMessageAboveItsBoundIsRefusedByItsFirstFragment) {
  const auto claim = [](HandshakeType type, unsigned seq, std::size_t length) {
    return fragment_of(type, seq, static_cast<std::uint32_t>(length), 0, counted(10));
  };
  const std::size_t bound = options13().max_handshake_message;
  for (const std::size_t length : {bound + 1, (std::size_t{1} << 24) - 1}) {
    Pair in_the_midst(options13());
    in_the_midst.flight(in_the_midst.client);
    in_the_midst.flight(in_the_midst.server);
    in_the_midst.client.take_datagrams();
    in_the_midst.server.receive(
        sealed(in_the_midst.client, kHandshakeEpoch13, ContentType::handshake,
               claim(HandshakeType::certificate, 1, length)),
        {});
    EXPECT_TRUE(failed(in_the_midst.server, Errc::excessive_message, Alert::illegal_parameter,
                       in_the_midst.client));

    Pair after = connected_pair(options13());
    after.client.receive(sealed(after.server, kFirstApplicationEpoch13, ContentType::handshake,
                                claim(HandshakeType::new_session_ticket, 6, length)),
                         {});
    EXPECT_TRUE(
        failed(after.client, Errc::excessive_message, Alert::illegal_parameter, after.server));
  }
  Pair pair = connected_pair(options13());
  pair.client.receive(sealed(pair.server, kFirstApplicationEpoch13, ContentType::handshake,
                             claim(HandshakeType::new_session_ticket, 6, bound)),
                      {});
  EXPECT_FALSE(pair.client.error) << "the bound itself is within it";
}

// RFC 8446 section 4.6: what else might come after the handshake is fatal, from either side.
TEST(Rfc8446_4_6, OtherMessagesAfterTheHandshakeAreFatal) {
  for (const HandshakeType type :
       {HandshakeType::client_hello, HandshakeType::server_hello, HandshakeType::certificate,
        HandshakeType::certificate_request, HandshakeType::finished, HandshakeType::hello_request,
        HandshakeType{99}}) {
    Pair pair = connected_pair(options13());
    pair.client.receive(sealed(pair.server, kFirstApplicationEpoch13, ContentType::handshake,
                               message_of(type, 6, counted(60))),
                        {});
    EXPECT_TRUE(
        failed(pair.client, Errc::unexpected_message, Alert::unexpected_message, pair.server));
  }
  Pair pair = connected_pair(options13());
  pair.server.receive(sealed(pair.client, kFirstApplicationEpoch13, ContentType::handshake,
                             message_of(HandshakeType::new_session_ticket, 4, counted(60))),
                      {});
  EXPECT_TRUE(
      failed(pair.server, Errc::unexpected_message, Alert::unexpected_message, pair.client));
}

// RFC 8446 section 4.6.3.
TEST(Rfc8446_4_6_3, AKeyUpdateOfAnotherFormIsFatal) {
  const auto refused = [](Bytes body, Errc code, Alert alert) {
    Pair pair = connected_pair(options13());
    pair.server.receive(sealed(pair.client, kFirstApplicationEpoch13, ContentType::handshake,
                               message_of(HandshakeType::key_update, 4, body)),
                        {});
    return failed(pair.server, code, alert, pair.client);
  };
  EXPECT_TRUE(refused(std::array{std::byte{2}}, Errc::illegal_parameter, Alert::illegal_parameter));
  EXPECT_TRUE(refused({}, Errc::decode_error, Alert::decode_error));
  EXPECT_TRUE(
      refused(std::array{std::byte{0}, std::byte{0}}, Errc::decode_error, Alert::decode_error));
}

}  // namespace
}  // namespace sluice::test
