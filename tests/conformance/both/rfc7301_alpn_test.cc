// Application-layer protocol negotiation, in both versions (RFC 7301).
#include "message/application_protocols.h"
#include "support/connections.h"
#include "support/duel.h"

namespace sluice::test {
namespace {

using dtls::Alert;
using dtls::Errc;
using Names = std::vector<std::string>;

class Rfc7301 : public ByVersion {
 protected:
  static Pair pair_of(const Names& clients, const Names& servers) {
    dtls::ConfigOptions client = options();
    client.application_protocols = clients;
    dtls::ConfigOptions server = options();
    server.application_protocols = servers;
    Pair pair(options());
    pair.client = make_client(make_config(client));
    pair.server = make_server(make_config(server));
    pair.run();
    return pair;
  }
  static void expect_protocol(const Pair& pair, std::string_view name) {
    ASSERT_TRUE(pair.client.connected && pair.server.connected);
    EXPECT_EQ(pair.client.connected->application_protocol, name);
    EXPECT_EQ(pair.server.connected->application_protocol, name);
  }
};

// Section 3.2: the server's own order decides.
TEST_P(Rfc7301, TheServersOrderDecides) {
  expect_protocol(pair_of({"webrtc", "c-webrtc"}, {"other", "c-webrtc", "webrtc"}), "c-webrtc");
}

TEST_P(Rfc7301, WhoeverSpeaksOfNoneGetsNone) {
  expect_protocol(pair_of({"coap"}, {}), "");
  expect_protocol(pair_of({}, {"coap"}), "");
}

// Section 3.2: "a fatal alert of type no_application_protocol".
TEST_P(Rfc7301, NothingInCommonIsFatal) {
  Pair pair = pair_of({"coap"}, {"webrtc"});
  expire_until_error(pair.client);
  ASSERT_TRUE(pair.server.error && pair.client.error);
  EXPECT_EQ(pair.server.error->code, Errc::no_common_application_protocol);
  EXPECT_EQ(pair.client.error->alert, Alert::no_application_protocol);
}

TEST_P(Rfc7301, NamesOf255BytesPass) {
  const std::string name(255, 'n');
  expect_protocol(pair_of({name}, {name}), name);
}

INSTANTIATE_TEST_SUITE_P(Versions, Rfc7301, both_versions(),
                         [](const auto& version) { return version_name(version.param); });

// Section 3.1: no list of none, no name of no bytes.
// "MUST contain exactly one", which the client has offered.
TEST(Rfc7301_3_1, AServerAnswersWithOneOfTheClientsNames) {
  dtls::ConfigOptions options = options_for(dtls::ProtocolVersion::dtls12);
  options.application_protocols = {"coap"};
  const auto script = [](const char* names) {
    Script answer;
    answer.server_hello.extensions.set(
        dtls::wire::ExtensionType::application_layer_protocol_negotiation, from_hex(names));
    return answer;
  };
  EXPECT_TRUE(accepted(dtls::Role::client, script("0005 04 636f6170"), options));
  for (const char* names : {"0005 04 68747470", "000a 04 636f6170 04 68747470"}) {
    EXPECT_TRUE(refused(dtls::Role::client, script(names), Errc::illegal_parameter,
                        Alert::illegal_parameter, options));
  }
}

TEST(Rfc7301_3_1, MalformedListsAreRefused) {
  for (const char* data : {"", "0000", "0001 00", "0002 02 61", "0003 01 61", "0002 01 61 00"}) {
    EXPECT_FALSE(dtls::message::decode_application_protocols(from_hex(data))) << data;
  }
  const auto bytes = from_hex("0004 01 61 01 62");
  EXPECT_EQ(dtls::message::decode_application_protocols(bytes).value(),
            (std::vector<std::string_view>{"a", "b"}));
}

}  // namespace
}  // namespace sluice::test
