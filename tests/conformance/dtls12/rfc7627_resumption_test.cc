// No session is resumed across a change of the extended master secret, nor without it (RFC 7627
// section 5.3).
#include "conformance/dtls12/resumption.h"

namespace sluice::test {
namespace {

using dtls::ExtendedMasterSecret;

constexpr auto kExtension = ExtensionType::extended_master_secret;

// Hides the extension from the reader of a hello.
void rename_extension(Buffer& body) {
  const Buffer wanted = from_hex("0017 0000");
  const auto found = std::ranges::search(body, wanted);
  ASSERT_FALSE(found.empty());
  found[1] = std::byte{0xfe};
}

// Resumption is then possible in DTLS 1.3 only, which the other side does not have.
dtls::ConfigOptions where_only_13_resumes(dtls::ConfigOptions options) {
  options.extended_master_secret = ExtendedMasterSecret::disable;
  options.max_version = dtls::ProtocolVersion::dtls13;
  options.cipher_suites = dtls::ConfigOptions::default_cipher_suites();
  return options;
}

TEST(Rfc7627_5_3, AResumedSessionHasIt) {
  for (const auto setting : {ExtendedMasterSecret::request, ExtendedMasterSecret::require}) {
    auto options = ticket_options();
    options.extended_master_secret = setting;
    Pair first = first_pair(options);
    Pair pair = second_pair(options, options, first.client.sessions.at(0));
    const auto hello = pair.client.take_datagrams();
    EXPECT_TRUE(client_hello_of(hello.at(0)).extensions.has(kExtension));
    pair.server.receive(hello.at(0), {});
    pair.run();
    ASSERT_TRUE(works(pair));
    EXPECT_TRUE(is_resumed(pair));
    EXPECT_TRUE(pair.client.connected->extended_master_secret);
    EXPECT_TRUE(pair.server.connected->extended_master_secret);
  }
}

// "If the original session used the extension but the new ClientHello does not contain it, the
// server MUST abort".
TEST(Rfc7627_5_3, AServerAbortsWhenTheHelloHasItNoMore) {
  const auto options = ticket_options();
  Pair first = first_pair(options);
  Pair pair = second_pair(options, options, first.client.sessions.at(0));
  const auto hello = pair.client.take_datagrams();
  pair.server.receive(rewritten(hello.at(0), HandshakeType::client_hello, rename_extension), {});
  EXPECT_TRUE(failed(pair.server, Errc::missing_extended_master_secret, Alert::handshake_failure));
}

// The same of the ServerHello, for the client.
TEST(Rfc7627_5_3, AClientAbortsWhenTheServerHelloHasItNoMore) {
  const auto options = ticket_options();
  Pair first = first_pair(options);
  Pair pair = second_pair(options, options, first.client.sessions.at(0));
  pair.flight(pair.client);
  const auto flight = pair.server.take_datagrams();
  pair.client.receive(rewritten(flight.at(0), HandshakeType::server_hello,
                                [](Buffer& body) {
                                  // Taken out: an unknown extension would be refused for what it
                                  // is.
                                  const Buffer wanted = from_hex("0017 0000");
                                  const auto found = std::ranges::search(body, wanted);
                                  ASSERT_FALSE(found.empty());
                                  body.erase(found.begin(), found.end());
                                  const std::size_t length_at = 2 + 32 + 1 + 32 + 2 + 1;
                                  body.at(length_at + 1) = std::byte(
                                      std::to_integer<unsigned>(body.at(length_at + 1)) - 4U);
                                }),
                      {});
  EXPECT_TRUE(failed(pair.client, Errc::missing_extended_master_secret, Alert::handshake_failure));
}

// A client SHOULD NOT offer such a session, so that there is none.
TEST(Rfc7627_5_3, ASessionWithoutItIsNotKept) {
  for (const auto& server : {ticket_options(), store_options()}) {
    auto client = where_only_13_resumes(server);
    Pair pair(client, server);
    pair.run();
    ASSERT_TRUE(works(pair));
    EXPECT_FALSE(pair.client.connected->extended_master_secret);
    EXPECT_TRUE(pair.client.sessions.empty());
    EXPECT_TRUE(pair.server.stored.empty());
  }
}

TEST(Rfc7627_5_3, AClientThatNowDisablesItOffersNoSession) {
  auto options = ticket_options();
  Pair first = first_pair(options);
  options = where_only_13_resumes(options);
  Pair pair = second_pair(options, options, first.client.sessions.at(0));
  const auto hello = client_hello_of(pair.client.take_datagrams().at(0));
  EXPECT_TRUE(hello.session_id.empty());
  EXPECT_FALSE(hello.extensions.has(kExtension));
}

TEST(Rfc7627_5_3, AServerThatNowDisablesItHandshakesInFull) {
  const auto options = ticket_options();
  Pair first = first_pair(options);
  const auto server = where_only_13_resumes(options);
  const Pair pair = resumed_pair(options, server, first.client.sessions.at(0));
  EXPECT_FALSE(is_resumed(pair));
  EXPECT_FALSE(pair.client.connected->extended_master_secret);
}

}  // namespace
}  // namespace sluice::test
