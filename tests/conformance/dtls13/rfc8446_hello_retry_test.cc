// The second ClientHello, as a server judges it: after a HelloRetryRequest of its own, and after
// that of a Listener, of which nothing was kept.
#include "conformance/dtls13/vocabulary.h"
#include "support/hello_fields.h"
#include "support/listening_server.h"

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

}  // namespace
}  // namespace sluice::test
