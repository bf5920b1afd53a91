// Where DTLS 1.3 answers connection_id, and what its records may leave out (RFC 9147 sections 4
// and 9).
#include "conformance/dtls13/altered_handshake.h"

namespace sluice::test {
namespace {

dtls::ConfigOptions asking() {
  dtls::ConfigOptions options = options13();
  options.mtu = 8192;
  options.connection_id_size = 8;
  return options;
}

// connection_id of no bytes, at the end of a list of extensions whose length is at `at`.
void append_connection_id(Buffer& body, std::size_t at) {
  const Buffer extension = from_hex("0036 0001 00");
  body.insert(body.end(), extension.begin(), extension.end());
  const std::size_t length = body.size() - at - 2;
  body.at(at) = static_cast<std::byte>(length >> 8);
  body.at(at + 1) = static_cast<std::byte>(length);
}

// RFC 9147 section 9.1: the ServerHello answers it.
TEST(Rfc9147_9, EncryptedExtensionsAreTheWrongPlace) {
  Pair pair(asking());
  ASSERT_NE(AlteredHandshake(pair, Role::server, HandshakeType::encrypted_extensions,
                             [](Buffer& body) { append_connection_id(body, 0); })
                .run(),
            0U);
  EXPECT_TRUE(failed(pair.client, Errc::illegal_parameter, Alert::illegal_parameter));
}

// RFC 8446 section 4.1.4 has no place for it either.
TEST(Rfc9147_9, AHelloRetryRequestHasNone) {
  dtls::ConfigOptions server = asking();
  server.groups = {dtls::NamedGroup::secp384r1};
  Pair pair(asking(), server);
  ASSERT_NE(AlteredHandshake(pair, Role::server, HandshakeType::server_hello,
                             [](Buffer& body) { append_connection_id(body, 38); })
                .run(),
            0U);
  EXPECT_TRUE(failed(pair.client, Errc::unsupported_extension, Alert::unsupported_extension));
}

TEST(Rfc9147_9, IsAgreedOnAfterAHelloRetryRequest) {
  dtls::ConfigOptions server = asking();
  server.groups = {dtls::NamedGroup::secp384r1};
  Pair pair(asking(), server);
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_EQ(pair.client.connected->own_connection_id.size(), 8U);
  EXPECT_EQ(pair.client.connected->own_connection_id, pair.server.connected->peer_connection_id);
}

// Section 4: "it MUST be contained in all datagrams", not in all records.
TEST(Rfc9147_4, LaterRecordsOfADatagramMayLackTheId) {
  Pair pair = connected_pair(asking());
  auto& records = records_of(pair.client.connection());
  const Buffer first = pair.client.seal(bytes_of("first"));
  const Buffer own = copy_of(records.connection_ids().own());
  const Buffer peers = copy_of(records.connection_ids().peers());
  records.set_connection_ids(own, {});
  const Buffer second = pair.client.seal(bytes_of("second"));
  const Buffer third = pair.client.seal(bytes_of("third"));
  records.set_connection_ids(own, peers);
  Buffer datagram = first;
  datagram.insert(datagram.end(), second.begin(), second.end());
  pair.server.receive(datagram, {});
  EXPECT_EQ(pair.server.data.size(), 2U);
  pair.server.receive(third, {});
  EXPECT_EQ(pair.server.data.size(), 2U) << "a datagram of its own";
  EXPECT_EQ(discards(pair.server, Discard::wrong_connection_id), 1U);
  EXPECT_TRUE(works(pair));
}

// "If the second or later record has a connection ID which does not correspond to the same
// association used for previous records, the rest of the datagram MUST be discarded."
TEST(Rfc9147_4, AnotherIdEndsADatagram) {
  Pair pair = connected_pair(asking());
  auto& records = records_of(pair.client.connection());
  const Buffer own = copy_of(records.connection_ids().own());
  const Buffer peers = copy_of(records.connection_ids().peers());
  Buffer datagram = pair.client.seal(bytes_of("first"));
  for (const Buffer& id : {counted(8), peers}) {
    records.set_connection_ids(own, id);
    const Buffer record = pair.client.seal(bytes_of("later"));
    datagram.insert(datagram.end(), record.begin(), record.end());
  }
  pair.server.receive(datagram, {});
  EXPECT_EQ(pair.server.data.size(), 1U);
  EXPECT_EQ(discards(pair.server, Discard::wrong_connection_id), 1U);
  EXPECT_TRUE(works(pair));
}

// The IDs do not depend on the keys.
TEST(Rfc9147_9, NewKeysKeepTheIds) {
  Pair pair = connected_pair(asking());
  pair.client.settle(
      pair.client.connection().update_keys(dtls::KeyUpdateRequest::update_requested, {}), {});
  pair.run();
  EXPECT_TRUE(works(pair));
  EXPECT_EQ(pair.client.connection().info()->own_connection_id,
            pair.client.connected->own_connection_id);
}

}  // namespace
}  // namespace sluice::test
