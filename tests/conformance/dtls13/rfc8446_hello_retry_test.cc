// The second ClientHello, as a server judges it: after a HelloRetryRequest of its own, and after
// that of a Listener, of which nothing was kept.
#include "conformance/dtls13/vocabulary.h"
#include "flight/reassembler.h"
#include "message/pre_shared_key.h"
#include "negotiation/hello_retry.h"
#include "support/hello_fields.h"
#include "support/listening_server.h"
#include "support/resumption.h"

namespace sluice::test {
namespace {

using dtls::wire::ExtensionType;

constexpr std::size_t kHelloBodyAt =
    dtls::record::kHeaderSize12 + dtls::message::kHandshakeHeaderSize;

// What somebody on the path makes of the second hello.
using Edit = std::function<void(ClientHelloFields&)>;

// A client whose first share the server doesn't take.
dtls::ConfigOptions share_asking_options() {
  dtls::ConfigOptions options = options13();
  options.groups = {dtls::NamedGroup::secp384r1};
  return options;
}

struct SecondHello {
  explicit SecondHello(const dtls::ConfigOptions& server_options)
      : client(make_client(make_config(options13()))), config(make_config(server_options)) {}

  // The second hello with the edit, after the client's first was answered by `answer`.
  template <class Answer>
  Buffer edited(const Edit& edit, Answer&& answer) {
    for (auto& datagram : client.take_datagrams()) answer(std::move(datagram));
    auto second = client.take_datagrams();
    EXPECT_EQ(second.size(), 1U);
    auto hello = ClientHelloFields::decode(Bytes(second.at(0)).subspan(kHelloBodyAt));
    edit(hello);
    return datagram_of(hello, {.message_seq = 1, .record = 1});
  }

  Peer client;
  dtls::ConfigPtr config;
};

// The alert that a server with a state of its own ends with; empty when it goes on.
std::optional<Alert> alert_of_server(const Edit& edit) {
  SecondHello hello(share_asking_options());
  Peer server = make_server(hello.config);
  server.receive(hello.edited(edit,
                              [&](Buffer datagram) {
                                server.receive(std::move(datagram), {});
                                for (auto& reply : server.take_datagrams()) {
                                  hello.client.receive(std::move(reply), {});
                                }
                              }),
                 {});
  return server.error ? server.error->alert : std::nullopt;
}

// The same of a Listener and the connection that it lets in.
std::optional<Alert> alert_of_listener(const Edit& edit, const dtls::ConfigOptions& options) {
  SecondHello hello(options);
  ListeningServer server(hello.config);
  const Buffer address = from_hex("7f000001 1234");
  const Buffer second = hello.edited(edit, [&](Buffer datagram) {
    for (auto& reply : server.receive(std::move(datagram), address)) {
      hello.client.receive(std::move(reply), {});
    }
  });
  const auto replies = server.receive(second, address);
  if (Peer* peer = server.connection(address)) {
    return peer->error ? peer->error->alert : std::nullopt;
  }
  EXPECT_EQ(replies.size(), 1U);
  EXPECT_EQ(replies.at(0).at(0), static_cast<std::byte>(ContentType::alert));
  return static_cast<Alert>(replies.at(0).back());
}

void change_last_byte(ClientHelloFields& hello, ExtensionType type) {
  for (auto& extension : hello.extensions) {
    if (extension.type == type) extension.data.back() ^= std::byte{1};
  }
}

const std::pair<const char*, Edit> kChanges[] = {
    {"random", [](ClientHelloFields& hello) { hello.random[31] ^= std::byte{1}; }},
    {"session_id", [](ClientHelloFields& hello) { hello.session_id = counted(32); }},
    {"a suite less", [](ClientHelloFields& hello) { hello.suites.pop_back(); }},
    {"suites in another order",
     [](ClientHelloFields& hello) { std::swap(hello.suites[1], hello.suites[2]); }},
    {"supported_groups",
     [](ClientHelloFields& hello) {
       hello.extensions.set(ExtensionType::supported_groups, from_hex("0004 001d 0018"));
     }},
    {"signature_algorithms",
     [](ClientHelloFields& hello) {
       change_last_byte(hello, ExtensionType::signature_algorithms);
     }},
    {"no use_srtp",
     [](ClientHelloFields& hello) { hello.extensions.remove(ExtensionType::use_srtp); }},
    {"another extension", [](ClientHelloFields& hello) {
       hello.extensions.set(ExtensionType{0x1234}, from_hex("00"));
     }}};

// RFC 8446 section 4.1.2: "the client MUST send the same ClientHello without modification".
TEST(Rfc8446_4_1_2, AChangedSecondClientHelloIsRefused) {
  for (const auto& [name, edit] : kChanges) {
    SCOPED_TRACE(name);
    EXPECT_EQ(alert_of_server(edit), Alert::illegal_parameter);
    EXPECT_EQ(alert_of_listener(edit, share_asking_options()), Alert::illegal_parameter);
    EXPECT_EQ(alert_of_listener(edit, options13()), Alert::illegal_parameter);
  }
}

// "except as follows": what may change may.
TEST(Rfc8446_4_1_2, WhatMayChangeMay) {
  const auto change = [](ClientHelloFields& hello) {
    hello.extensions.set(ExtensionType{21}, Buffer(100));      // padding, RFC 7685
    hello.extensions.set(ExtensionType{0xfe0d}, counted(50));  // an encrypted hello, RFC 9849
  };
  EXPECT_EQ(alert_of_server(change), std::nullopt);
  EXPECT_EQ(alert_of_listener(change, share_asking_options()), std::nullopt);
  EXPECT_EQ(alert_of_listener(change, options13()), std::nullopt);
}

// Section 4.2: "the extensions MAY appear in any order". wolfSSL moves supported_versions to the
// front of its second hello.
TEST(Rfc8446_4_1_2, TheOrderOfExtensionsMayChange) {
  const Edit to_front = [](ClientHelloFields& hello) {
    const auto at =
        std::ranges::find(hello.extensions, ExtensionType::supported_versions, &Extension::type);
    ASSERT_NE(at, hello.extensions.end());
    std::rotate(hello.extensions.begin(), at, at + 1);
  };
  const Edit reversed = [](ClientHelloFields& hello) { std::ranges::reverse(hello.extensions); };
  for (const Edit& edit : {to_front, reversed}) {
    EXPECT_EQ(alert_of_server(edit), std::nullopt);
    EXPECT_EQ(alert_of_listener(edit, share_asking_options()), std::nullopt);
    EXPECT_EQ(alert_of_listener(edit, options13()), std::nullopt);
  }
}

// Neither hides the order that an extension's data has moved to another.
TEST(Rfc8446_4_1_2, TheDataOfTwoExtensionsMayNotBeSwapped) {
  const Edit swapped = [](ClientHelloFields& hello) {
    auto& extensions = hello.extensions;
    const auto find = [&](ExtensionType type) {
      return std::ranges::find(extensions, type, &Extension::type);
    };
    std::swap(find(ExtensionType::supported_groups)->data,
              find(ExtensionType::signature_algorithms)->data);
  };
  EXPECT_EQ(alert_of_listener(swapped, options13()), Alert::illegal_parameter);
}

// Section 4.2.8: "containing only a new KeyShareEntry for the group indicated".
TEST(Rfc8446_4_2_8, OneShareFollowsARequestForOne) {
  const auto with_another_share = [](ClientHelloFields& hello) {
    for (auto& extension : hello.extensions) {
      if (extension.type != ExtensionType::key_share) continue;
      Buffer list(extension.data.begin() + 2, extension.data.end());
      const Buffer another = from_hex("0017 0001 aa");
      list.insert(list.end(), another.begin(), another.end());
      extension.data = {std::byte(list.size() >> 8), std::byte(list.size() & 0xff)};
      extension.data.insert(extension.data.end(), list.begin(), list.end());
    }
  };
  const auto of_another_group = [](ClientHelloFields& hello) {
    for (const auto& extension : hello_fields13().extensions) {
      if (extension.type == ExtensionType::key_share) {
        hello.extensions.set(extension.type, extension.data);
      }
    }
  };
  EXPECT_EQ(alert_of_server(of_another_group), Alert::illegal_parameter);
  EXPECT_EQ(alert_of_listener(of_another_group, share_asking_options()), Alert::illegal_parameter);
  EXPECT_EQ(alert_of_server(with_another_share), Alert::illegal_parameter);
  EXPECT_EQ(alert_of_listener(with_another_share, share_asking_options()),
            Alert::illegal_parameter);
  // Nobody asked for a share: those of the first hello stay.
  EXPECT_EQ(alert_of_listener(with_another_share, options13()), Alert::illegal_parameter);
}

// ---- what a HelloRetryRequest asks of our second ClientHello

// A HelloRetryRequest for nothing but a cookie of this size, in as many records as it needs.
std::vector<Buffer> cookie_request(std::size_t cookie_size) {
  const auto* suite = dtls::schedule::find13(dtls::CipherSuite::aes_128_gcm_sha256);
  const Buffer cookie = counted(cookie_size);
  const Buffer body = dtls::wire::encoded([&](dtls::wire::Writer& out) {
                        dtls::handshake::put_retry_request(out, {suite, std::nullopt, cookie});
                      }).value();
  constexpr std::size_t kPiece = 16000;
  std::vector<Buffer> records;
  for (std::size_t at = 0; at < body.size(); at += kPiece) {
    const Bytes piece = Bytes(body).subspan(at, std::min(kPiece, body.size() - at));
    records.push_back(plaintext_record(
        ContentType::handshake,
        fragment_of(HandshakeType::server_hello, 0, static_cast<std::uint32_t>(body.size()),
                    static_cast<std::uint32_t>(at), piece),
        at));
  }
  return records;
}

// The body of the ClientHello with this number, in any number of datagrams.
Buffer hello_in(const std::vector<Buffer>& datagrams, std::uint16_t message_seq) {
  dtls::flight::Reassembler reassembler({.max_message = 1U << 17, .max_bytes = 1U << 18});
  reassembler.start_at(MessageSeq{message_seq});
  for (const Buffer& datagram : datagrams) {
    Bytes rest = datagram;
    while (const auto header = dtls::record::Header12::decode(rest)) {
      dtls::wire::Reader record(rest.subspan(dtls::record::kHeaderSize12, header->length));
      while (const auto fragment = dtls::message::HandshakeFragment::take(record)) {
        must(reassembler.add(*fragment, kPlaintextEpoch));
      }
      rest = rest.subspan(dtls::record::kHeaderSize12 + header->length);
    }
  }
  return copy_of(reassembler.front().value().body());
}

// Changes nothing, but has the hello encoded anew.
class IdleHook : public dtls::HelloHook {};

// Section 4.2.2: the second hello has the cookie "in the new ClientHello". All lengths are right,
// or no hello is sent.
TEST(Rfc8446_4_2_2, ACookieComesBackWholeOrIsRefused) {
  const auto session = first_pair(with_tickets(options13())).client.sessions.at(0);
  std::vector<std::size_t> sizes{1, 255, 256, 16000, 32768, 60000, 65460};
  for (std::size_t size = 64000; size < 65460; size += 61) sizes.push_back(size);
  std::size_t sent = 0;
  std::size_t refused = 0;
  for (const bool with_hook : {false, true}) {
    auto options = with_tickets(options13());
    if (with_hook) options.hello_hook = std::make_shared<const IdleHook>();
    for (const std::size_t size : sizes) {
      SCOPED_TRACE(size);
      Peer client = make_client(make_config(options), {}, session);
      client.take_datagrams();
      for (Buffer& record : cookie_request(size)) client.receive(std::move(record), {});
      const auto datagrams = client.take_datagrams();
      if (client.error) {
        ++refused;
        EXPECT_GT(size, 60000U);
        EXPECT_TRUE(failed(client, Errc::illegal_parameter, Alert::illegal_parameter));
        EXPECT_EQ(client.error->detail.view(), "cookie: no room for it in a ClientHello");
        EXPECT_EQ(datagrams.size(), 1U) << "the alert";
        continue;
      }
      ++sent;
      EXPECT_LT(size, 65460U);
      const auto hello = ClientHelloFields::decode(hello_in(datagrams, 1));
      const auto cookie =
          std::ranges::find(hello.extensions, ExtensionType::cookie, &Extension::type);
      ASSERT_NE(cookie, hello.extensions.end());
      const Buffer contents = counted(size);
      EXPECT_TRUE(std::ranges::equal(Bytes(cookie->data).subspan(2), contents));
      EXPECT_EQ(hello.extensions.back().type, ExtensionType::pre_shared_key);
    }
  }
  EXPECT_GT(sent, 0U);
  EXPECT_GT(refused, 0U);
}

std::uint32_t ticket_age_in(const std::vector<Buffer>& datagrams, std::uint16_t message_seq) {
  const auto hello = ClientHelloFields::decode(hello_in(datagrams, message_seq));
  EXPECT_EQ(hello.extensions.back().type, ExtensionType::pre_shared_key);
  const auto offered = dtls::message::OfferedPsks::decode(hello.extensions.back().data);
  return offered.value().identities.at(0).obfuscated_ticket_age;
}

// Section 4.1.2: "recomputing the "obfuscated_ticket_age" and binder values".
// Section 4.2.11: each PSK has a hash, which the suites must have, too.
TEST(Rfc8446_4_2_11, APskIsOfferedWithASuiteOfItsHash) {
  auto options = with_tickets(options13());
  options.cipher_suites = {dtls::CipherSuite::aes_256_gcm_sha384};
  const auto session = first_pair(options).client.sessions.at(0);
  for (const auto suite :
       {dtls::CipherSuite::aes_256_gcm_sha384, dtls::CipherSuite::aes_128_gcm_sha256}) {
    options.cipher_suites = {suite};
    Peer client = make_client(make_config(options), {}, session);
    const Buffer datagram = client.take_datagrams().at(0);
    const auto hello = ClientHelloFields::decode(Bytes(datagram).subspan(kHelloBodyAt));
    EXPECT_EQ(hello.extensions.has(ExtensionType::pre_shared_key),
              suite == dtls::CipherSuite::aes_256_gcm_sha384);
  }
}

// Section 9.2: a server with a certificate cannot do without.
TEST(Rfc8446_9_2, WithoutSignatureAlgorithmsAHelloIsRefused) {
  Peer server = make_server(make_config(options13()));
  auto hello = hello_fields13();
  hello.extensions.remove(ExtensionType::signature_algorithms);
  server.receive(datagram_of(hello), {});
  ASSERT_TRUE(server.error);
  EXPECT_EQ(server.error->alert, Alert::missing_extension);
}

// Section 4.1.4: the suite of the HelloRetryRequest stays, and the server's key has another hash.
TEST(Rfc8446_4_1_4, AfterARetryRequestAPskOfAnotherHashIsNone) {
  const auto with_psk = [](dtls::ConfigOptions options, dtls::HashAlgorithm hash) {
    options.pre_shared_keys = {
        must(dtls::PreSharedKey::make(bytes_of("device 1"), counted(48), hash))};
    return options;
  };
  Pair pair(with_psk(options13(), dtls::HashAlgorithm::sha256),
            with_psk(share_asking_options(), dtls::HashAlgorithm::sha384));
  pair.run();
  EXPECT_TRUE(works(pair));
  EXPECT_FALSE(pair.client.connected->psk_kind) << "the certificate has served";
}

TEST(Rfc8446_4_1_2, TheSecondHelloHasTheAgeThatTheTicketHasThen) {
  const auto client_options = with_tickets(options13());
  const auto session = first_pair(client_options).client.sessions.at(0);
  auto server_options = client_options;
  server_options.groups = {dtls::NamedGroup::secp384r1};
  TimedPair pair(client_options, server_options);
  pair.client = make_client(make_config(client_options), Instant{} + 10s, session);
  const auto first = pair.client.take_datagrams();
  pair.now = Instant{} + 17s;
  pair.deliver(first, Role::server);
  pair.carry(Role::server);
  const auto second = pair.client.take_datagrams();
  EXPECT_EQ(ticket_age_in(second, 1) - ticket_age_in(first, 0), 7000U);
  pair.deliver(second, Role::server);
  pair.run(pair.now);
  ASSERT_TRUE(works(pair));
  EXPECT_TRUE(is_resumed(pair)) << "the binders fit";
}

}  // namespace
}  // namespace sluice::test
