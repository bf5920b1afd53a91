// The server's name that a client asks for, in both versions (RFC 6066 section 3).
#include "message/certificate_criteria.h"
#include "message/handshake_fragment.h"
#include "message/server_hello.h"
#include "message/server_name.h"
#include "negotiation/agreed_extensions.h"
#include "record/header12.h"
#include "support/authority.h"
#include "support/connections.h"
#include "support/duel.h"
#include "support/resumption.h"

namespace sluice::test {
namespace {

class Rfc6066Section3 : public ByVersion {};

// Puts these data into the client's server_name.
class NameHook : public dtls::HelloHook {
 public:
  explicit NameHook(dtls::Buffer data) : data_(std::move(data)) {}
  void on_sending(dtls::OutgoingHello& hello) const override {
    for (auto& [type, data] : hello.extensions) {
      if (type == 0) data = data_;
    }
  }

 private:
  dtls::Buffer data_;
};

TEST_P(Rfc6066Section3, TheServerIsToldWhoIsMeant) {
  for (const char* name : {"", "device-7.example.org"}) {
    dtls::ConfigOptions client = options();
    client.server_name = name;
    Pair pair(options());
    pair.client = make_client(make_config(client));
    pair.run();
    ASSERT_TRUE(works(pair));
    EXPECT_EQ(pair.client.connected->server_name, name);
    EXPECT_EQ(pair.server.connected->server_name, name);
  }
}

// "SHALL include an extension of type "server_name" in the (extended) server hello", empty, where
// it has used the name, but not when a session is resumed.
TEST(Rfc6066_3_Answer, SaysThatTheNameWasUsed) {
  for (const bool resumed : {false, true}) {
    for (const bool is_used : {false, true}) {
      dtls::Buffer bytes;
      dtls::wire::Writer out(bytes);
      dtls::handshake::AgreedExtensions agreed;
      agreed.names.edit().server_name = "a.example";
      agreed.names.edit().acknowledges_server_name = is_used;
      dtls::handshake::put_agreed_extensions(out, dtls::handshake::kServersAnswers,
                                             {agreed, {}, resumed});
      EXPECT_EQ(to_hex(bytes), is_used && !resumed ? "00000000" : "");
    }
  }
}

// The first flight of a DTLS 1.2 server, in which the answer can be seen.
bool acknowledges_name(const dtls::ConfigOptions& server, bool answers_question = false) {
  dtls::ConfigOptions client = options_for(dtls::ProtocolVersion::dtls12);
  client.server_name = "a.example";
  Pair pair(client, server);
  pair.flight(pair.client);
  if (answers_question) {
    answer(pair.server, pair.server.identity_request, dtls::UseIdentity{ecdsa_identity()});
  }
  const auto flight = pair.server.take_datagrams();
  constexpr std::size_t kBodyAt = dtls::record::kHeaderSize12 + dtls::message::kHandshakeHeaderSize;
  dtls::wire::Reader body(dtls::Bytes(flight.at(0)).subspan(kBodyAt));
  dtls::wire::Reader length(dtls::Bytes(flight.at(0)).subspan(dtls::record::kHeaderSize12 + 1));
  const auto hello = dtls::message::ServerHello::decode(body.bytes(length.u24()));
  return hello.value().extensions.has(dtls::wire::ExtensionType::server_name);
}

// "A server that receives a client hello containing the "server_name" extension MAY use the
// information [...]. In this event": one that has a single certificate has no use for the name.
// pion's clients before version 3.1.16 refuse the answer.
TEST(Rfc6066_3_Answer, IsGivenOnlyWhereTheNameChoseSomething) {
  static const Authority kAuthority("root");
  dtls::ConfigOptions server = options_for(dtls::ProtocolVersion::dtls12);
  EXPECT_FALSE(acknowledges_name(server)) << "one certificate";
  const auto of_name = kAuthority.issue({.alternative = "DNS:a.example"});
  const auto of_another = kAuthority.issue({.alternative = "DNS:b.example"});
  server.identities = {of_name};
  EXPECT_FALSE(acknowledges_name(server)) << "one certificate, though it has the name";
  server.identities = {of_another, of_name};
  EXPECT_TRUE(acknowledges_name(server)) << "chosen among two";
  server.identities = {of_another, ecdsa_identity()};
  EXPECT_FALSE(acknowledges_name(server)) << "none of two has the name";
  server.ask_for_identity = true;
  EXPECT_TRUE(acknowledges_name(server, true)) << "the caller knew the name";
}

// RFC 8446 section 4.6.1: a session is resumed with a server of the same name alone.
TEST(Rfc8446_4_6_1_Names, ASessionIsResumedUnderItsNameAlone) {
  dtls::ConfigOptions server = options_for(dtls::ProtocolVersion::dtls13);
  server.resumption = dtls::Resumption::tickets;
  server.ticket_keys = std::make_shared<dtls::TicketKeys>();
  dtls::ConfigOptions client = options_for(dtls::ProtocolVersion::dtls13);
  client.resumption = dtls::Resumption::tickets;
  client.server_name = "a.example";
  Pair first(server);
  first.client = make_client(make_config(client));
  first.run();
  ASSERT_EQ(first.client.sessions.size(), 1U);
  for (const char* name : {"a.example", "b.example", ""}) {
    client.server_name = name;
    Pair next(server);
    next.client = Peer(must(dtls::Connection::client(make_config(client), environment(), kPath, {},
                                                     first.client.sessions.front())));
    next.run();
    ASSERT_TRUE(works(next));
    EXPECT_EQ(next.client.connected->resumed, name == std::string("a.example"));
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, Rfc6066Section3, both_versions(),
                         [](const auto& version) { return version_name(version.param); });

// "The extension_data field of this extension SHALL be empty."
TEST(Rfc6066_3_Answer, IsEmpty) {
  dtls::ConfigOptions options = options_for(dtls::ProtocolVersion::dtls12);
  options.server_name = "a.example";
  Script script;
  script.server_hello.extensions.set(dtls::wire::ExtensionType::server_name, {});
  EXPECT_TRUE(accepted(dtls::Role::client, script, options));
  script.server_hello.extensions.set(dtls::wire::ExtensionType::server_name, from_hex("0000"));
  EXPECT_TRUE(refused(dtls::Role::client, script, dtls::Errc::decode_error,
                      dtls::Alert::decode_error, options));
}

TEST(Rfc6066_3_Syntax, MalformedNamesAreRefused) {
  for (const char* data : {"", "0000", "0003 00 0000", "0004 01 0001 61", "0004 00 0001 00",
                           "0004 00 0002 61", "0004 00 0001 61 00", "0008 00 0001 61 00 0001 62"}) {
    EXPECT_FALSE(dtls::message::decode_server_name(from_hex(data))) << data;
  }
  const auto bytes = from_hex("0004 00 0001 61");
  EXPECT_EQ(dtls::message::decode_server_name(bytes).value(), "a");
}

// A host's name has at most 255 bytes (RFC 1035 section 2.3.4). A longer one cannot be stored with
// a session either.
TEST_P(Rfc6066Section3, ANameOfMoreThan255BytesIsRefused) {
  for (const std::size_t size : {std::size_t{255}, std::size_t{256}, std::size_t{525}}) {
    const dtls::Buffer name(size, std::byte{'a'});
    dtls::Buffer data = from_hex("0000 00 0000");
    dtls::wire::store(dtls::MutableBytes(data).first(2), size + 3);
    dtls::wire::store(dtls::MutableBytes(data).last(2), size);
    data.insert(data.end(), name.begin(), name.end());
    EXPECT_EQ(dtls::message::decode_server_name(data).has_value(), size <= 255);

    dtls::ConfigOptions client = with_tickets(options());
    client.hello_hook = std::make_shared<const NameHook>(data);
    client.server_name = "a.example";
    Pair pair(client, with_tickets(options()));
    pair.run();
    if (size > 255) {
      EXPECT_TRUE(failed(pair.server, dtls::Errc::decode_error, dtls::Alert::decode_error));
      continue;
    }
    ASSERT_TRUE(pair.server.connected);
    EXPECT_EQ(pair.server.connected->server_name, std::string(size, 'a'));
    EXPECT_EQ(pair.client.sessions.size(), 1U);
  }
}

// RFC 8446 section 4.3.2: in a CertificateRequest "Clients MUST ignore unrecognized extensions"; a
// name belongs in a ClientHello alone (section 4.2).
TEST(Rfc8446_4_3_2_Names, ACertificateRequestNamesNobody) {
  const auto malformed = from_hex("0000 0001 ff");
  const auto extensions = dtls::message::ExtensionBlock::parse(malformed);
  ASSERT_TRUE(extensions);
  EXPECT_TRUE(dtls::message::criteria_of(*extensions));
}

}  // namespace
}  // namespace sluice::test
