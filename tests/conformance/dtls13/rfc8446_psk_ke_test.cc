// PSKs without a Diffie-Hellman exchange (RFC 8446 section 4.2.9), which is off by default.
#include "conformance/dtls13/vocabulary.h"
#include "support/listening_server.h"
#include "support/resumption.h"

namespace sluice::test {
namespace {

using dtls::ConfigOptions;
using dtls::PreSharedKey;
using dtls::PskKeyExchangeMode;

using Modes = std::vector<PskKeyExchangeMode>;

constexpr auto kAlone = PskKeyExchangeMode::psk_ke;
constexpr auto kWithDhe = PskKeyExchangeMode::psk_dhe_ke;
constexpr std::uint16_t kSupportedGroups = 10;
constexpr std::uint16_t kKeyShare = 51;

ConfigOptions with_modes(Modes modes, unsigned seed = 1) {
  ConfigOptions options = options13();
  options.identities.clear();
  options.pre_shared_keys = {
      must(PreSharedKey::make(bytes_of("sensor"), Buffer(32, std::byte(seed))))};
  options.psk_key_exchange_modes = std::move(modes);
  return options;
}

Pair met(const ConfigOptions& client, const ConfigOptions& server) {
  Pair pair(client, server);
  pair.run();
  return pair;
}

// Whether the hellos that arrive have key_share or supported_groups.
class SharesHook : public dtls::HelloHook {
 public:
  void on_received(const dtls::IncomingHello& hello) const override {
    for (const auto& [type, data] : hello.extensions) {
      has_any = has_any || type == kKeyShare || type == kSupportedGroups;
    }
  }
  mutable bool has_any = false;
};

// "the server MUST NOT supply a "key_share" value".
TEST(Rfc8446_4_2_9, PskKeHasNoKeyShareOnEitherSide) {
  const auto hook = std::make_shared<SharesHook>();
  ConfigOptions client = with_modes({kAlone});
  ConfigOptions server = with_modes({kWithDhe, kAlone});
  client.hello_hook = server.hello_hook = hook;
  Pair pair = met(client, server);
  ASSERT_TRUE(works(pair));
  EXPECT_FALSE(hook->has_any);
  EXPECT_FALSE(pair.client.connected->group || pair.server.connected->group);
  EXPECT_TRUE(pair.client.connected->psk && pair.server.connected->psk);
  EXPECT_EQ(exported(pair.client), exported(pair.server));
}

TEST(Rfc8446_4_2_9, TheServersFirstModeIsUsed) {
  for (const bool alone_first : {false, true}) {
    const Modes modes = alone_first ? Modes{kAlone, kWithDhe} : Modes{kWithDhe, kAlone};
    Pair pair = met(with_modes({kAlone, kWithDhe}), with_modes(modes));
    ASSERT_TRUE(works(pair));
    EXPECT_EQ(pair.client.connected->group.has_value(), !alone_first);
    EXPECT_EQ(pair.server.connected->group, pair.client.connected->group);
  }
}

// "Servers MUST NOT select a key exchange mode that is not listed by the client."
TEST(Rfc8446_4_2_9, AModeThatOnlyOneSideHasIsNotUsed) {
  Pair dhe = met(with_modes({kWithDhe}), with_modes({kAlone, kWithDhe}));
  ASSERT_TRUE(works(dhe));
  EXPECT_TRUE(dhe.client.connected->group);
  for (const bool has_certificate : {false, true}) {
    ConfigOptions server = with_modes({kWithDhe});
    if (has_certificate) server.identities = {ecdsa_identity()};
    Pair pair(with_modes({kAlone}), server);
    pair.flight(pair.client);
    EXPECT_TRUE(failed(pair.server, Errc::psk_mismatch, Alert::handshake_failure, pair.client));
  }
}

// From outside the two look the same, whatever else the server has.
TEST(Rfc8446_4_2_9, AWrongKeyIsRefusedAndAnUnknownOne) {
  for (const bool has_certificate : {false, true}) {
    for (const bool is_known : {false, true}) {
      ConfigOptions server = with_modes({kAlone, kWithDhe}, 2);
      if (has_certificate) server.identities = {ecdsa_identity()};
      if (!is_known) {
        server.pre_shared_keys = {must(PreSharedKey::make(bytes_of("other"), counted(32)))};
      }
      Pair pair(with_modes({kAlone}), server);
      pair.flight(pair.client);
      EXPECT_TRUE(failed(pair.server, Errc::psk_mismatch, Alert::decrypt_error, pair.client));
    }
  }
}

// "This extension also restricts the modes for use with PSK resumption."
TEST(Rfc8446_4_2_9, ASessionIsResumedByPskKe) {
  const ConfigOptions client = with_tickets(with_modes({kAlone}));
  ConfigOptions server = with_modes({kAlone});
  server.resumption = client.resumption;
  server.ticket_keys = client.ticket_keys;
  Pair first = met(client, server);
  ASSERT_TRUE(works(first));
  ASSERT_EQ(first.client.sessions.size(), 1U);
  Pair again = resumed_pair(client, server, first.client.sessions.front());
  EXPECT_TRUE(is_resumed(again));
  EXPECT_FALSE(again.client.connected->group);
}

// A client that takes psk_dhe_ke only cannot be made to do without.
class WithoutShare : public dtls::HelloHook {
 public:
  void on_sending(dtls::OutgoingHello& hello) const override {
    std::erase_if(hello.extensions, [](const auto& other) { return other.type == kKeyShare; });
  }
};
TEST(Rfc8446_4_2_9, AServerHelloWithoutAShareIsRefusedUnlessPskKeWasOffered) {
  ConfigOptions server = with_modes({kWithDhe});
  server.hello_hook = std::make_shared<WithoutShare>();
  const Pair pair = met(with_modes({kWithDhe}), server);
  EXPECT_TRUE(failed(pair.client, Errc::illegal_parameter, Alert::missing_extension));
}

class WithShare : public dtls::HelloHook {
 public:
  void on_sending(dtls::OutgoingHello& hello) const override {
    hello.extensions.push_back({kKeyShare, from_hex("001d0002abcd")});
  }
};
TEST(Rfc8446_4_2_9, AShareThatNobodyAskedForIsRefused) {
  ConfigOptions server = with_modes({kAlone});
  server.hello_hook = std::make_shared<WithShare>();
  const Pair pair = met(with_modes({kAlone}), server);
  EXPECT_TRUE(failed(pair.client, Errc::unsupported_extension, Alert::unsupported_extension));
}

class WithoutGroups : public dtls::HelloHook {
 public:
  void on_sending(dtls::OutgoingHello& hello) const override {
    std::erase_if(hello.extensions, [](const auto& other) {
      return other.type == kKeyShare || other.type == kSupportedGroups;
    });
  }
};

// psk_dhe_ke: "the client and server MUST supply "key_share" values".
TEST(Rfc8446_4_2_9, PskDheKeNeedsAShare) {
  for (const Modes& modes : {Modes{kWithDhe}, Modes{kWithDhe, kAlone}}) {
    ConfigOptions client = with_modes({kWithDhe});
    client.hello_hook = std::make_shared<WithoutGroups>();
    Pair pair(client, with_modes(modes));
    pair.flight(pair.client);
    EXPECT_TRUE(
        failed(pair.server, Errc::illegal_parameter, Alert::missing_extension, pair.client));
  }
}

// Without a share psk_ke is the only mode that is left.
TEST(Rfc8446_4_2_9, AClientOfBothModesMayOmitItsShare) {
  for (const Modes& modes : {Modes{kWithDhe, kAlone}, Modes{kAlone, kWithDhe}}) {
    ConfigOptions client = with_modes({kWithDhe, kAlone});
    client.hello_hook = std::make_shared<WithoutGroups>();
    Pair pair = met(client, with_modes(modes));
    ASSERT_TRUE(works(pair));
    EXPECT_FALSE(pair.client.connected->group || pair.server.connected->group);
  }
}

// A cookie is asked for without a group.
TEST(Rfc8446_4_2_9, PskKeGoesThroughAListener) {
  ListeningServer server(make_config(with_modes({kAlone})));
  Peer client = make_client(make_config(with_modes({kAlone})));
  const Buffer address = from_hex("0a000001");
  exchange(client, address, server);
  EXPECT_TRUE(works(client, address, server));
}

}  // namespace
}  // namespace sluice::test
