// RFC 5246 sections 7.4.1.2 to 7.4.1.4: the hellos.
#include <gtest/gtest.h>

#include "conformance/dtls12/vocabulary.h"
#include "message/client_hello.h"
#include "message/server_hello.h"
#include "message/server_key_exchange.h"

namespace sluice::test {
namespace {

Script saying(ClientHelloFields hello) {
  Script script;
  script.client_hello = std::move(hello);
  return script;
}
Script answering_with(ServerHelloFields hello) {
  Script script;
  script.server_hello = std::move(hello);
  return script;
}

// Replaces the body of the hello that the peer sends to this engine.
Script with_body(Role engine, std::function<void(Buffer&)> change) {
  Script script;
  script.alter =
      altering(engine == Role::server ? HandshakeType::client_hello : HandshakeType::server_hello,
               std::move(change));
  return script;
}

Bytes first(const Duel& duel, HandshakeType type) {
  const auto found = std::ranges::find(duel.peer.messages, type,
                                       [](const Buffer& message) { return type_of(message); });
  if (found == duel.peer.messages.end()) throw std::runtime_error("no such message");
  return Bytes(*found).subspan(dtls::message::kHandshakeHeaderSize);
}

dtls::message::ServerHello parsed_server_hello(const Duel& duel) {
  return dtls::message::ServerHello::decode(first(duel, HandshakeType::server_hello)).value();
}

// ---- ClientHello

TEST(Rfc5246_7_4_1_2, WithoutACommonSuiteTheHandshakeFails) {
  ClientHelloFields hello;
  // CBC, RSA key exchange, NULL and DTLS 1.3 suites among them (CVE-2011-4108, CVE-2013-0169).
  hello.suites = {};
  for (const unsigned suite :
       {0xc009U, 0xc013U, 0xc023U, 0x009cU, 0x002fU, 0x0001U, 0x0000U, 0x1301U, 0x0a0aU, 0x00ffU}) {
    hello.suites.push_back(static_cast<CipherSuite>(suite));
  }
  EXPECT_TRUE(
      refused(Role::server, saying(hello), Errc::no_common_cipher_suite, Alert::handshake_failure));
}

TEST(Rfc5246_7_4_1_2, UnknownSuitesAreIgnored) {
  ClientHelloFields hello;
  hello.suites.insert(hello.suites.begin(), static_cast<CipherSuite>(0x0a0a));
  hello.suites.push_back(static_cast<CipherSuite>(0xffff));
  EXPECT_TRUE(accepted(Role::server, saying(hello)));
}

// The suite must fit the server's key.
TEST(Rfc5246_7_4_1_2, SuitesForAnotherKindOfKeyAreNotChosen) {
  ClientHelloFields hello;
  hello.suites = {CipherSuite::ecdhe_rsa_with_aes_128_gcm_sha256};
  EXPECT_TRUE(
      refused(Role::server, saying(hello), Errc::no_common_cipher_suite, Alert::handshake_failure));
  dtls::ConfigOptions options = test::options();
  options.identities = {rsa_identity()};
  EXPECT_TRUE(accepted(Role::server, saying(hello), options));
}

TEST(Rfc5246_7_4_1_2, EmptyListsAreMalformed) {
  ClientHelloFields no_suites;
  no_suites.suites = {};
  EXPECT_TRUE(refused(Role::server, saying(no_suites), Errc::decode_error, Alert::decode_error));
  ClientHelloFields no_compression;
  no_compression.compression_methods = {};
  EXPECT_TRUE(
      refused(Role::server, saying(no_compression), Errc::decode_error, Alert::decode_error));
}

TEST(Rfc5246_7_4_1_2, CompressionListsMustHaveNull) {
  ClientHelloFields hello;
  hello.compression_methods = from_hex("01 40");
  EXPECT_TRUE(
      refused(Role::server, saying(hello), Errc::illegal_parameter, Alert::illegal_parameter));
  hello.compression_methods = from_hex("01 00 40");
  Duel duel(Role::server, saying(hello));
  EXPECT_TRUE(works(duel));
  EXPECT_EQ(parsed_server_hello(duel).compression_method, 0);
}

TEST(Rfc5246_7_4_1_2, ASessionIdHasAtMost32Bytes) {
  ClientHelloFields hello;
  hello.session_id = counted(32);
  EXPECT_TRUE(accepted(Role::server, saying(hello)));
  hello.session_id = counted(33);
  EXPECT_TRUE(refused(Role::server, saying(hello), Errc::decode_error, Alert::decode_error));
}

TEST(Rfc5246_E_1, TheHighestCommonVersionIsChosen) {
  // Numbers go down as versions go up, beyond 254.0 too.
  for (const unsigned version : {0xfefdU, 0xfefcU, 0xfefbU, 0xfe00U, 0xfdffU, 0x0303U}) {
    SCOPED_TRACE(version);
    ClientHelloFields hello;
    hello.version = static_cast<ProtocolVersion>(version);
    Duel duel(Role::server, saying(hello));
    EXPECT_TRUE(works(duel));
    EXPECT_EQ(parsed_server_hello(duel).version, ProtocolVersion::dtls12);
  }
  // DTLS 1.0, which must not be negotiated (RFC 8996 section 5), and below.
  for (const unsigned version : {0xfeffU, 0xfefeU, 0xff00U, 0xffffU}) {
    SCOPED_TRACE(version);
    ClientHelloFields hello;
    hello.version = static_cast<ProtocolVersion>(version);
    EXPECT_TRUE(
        refused(Role::server, saying(hello), Errc::no_common_version, Alert::protocol_version));
  }
}

// A hello that ends early at any byte, but for the one where a hello without extensions ends.
TEST(Rfc5246_7_4_1, AHelloCutShortIsMalformed) {
  for (const Role engine : kRoles) {
    ClientHelloFields client;
    client.extensions.clear();
    ServerHelloFields server;
    server.extensions.clear();
    const std::size_t bare =
        (engine == Role::server ? client.encode() : server.encode()).size() - 2;
    const std::size_t whole = engine == Role::server ? ClientHelloFields().encode().size()
                                                     : ServerHelloFields().encode().size();
    for (std::size_t size = 0; size < whole; ++size) {
      if (size == bare) continue;
      SCOPED_TRACE(size);
      EXPECT_TRUE(refused(engine, with_body(engine, [&](Buffer& body) { body.resize(size); }),
                          Errc::decode_error, Alert::decode_error));
    }
  }
}

TEST(Rfc5246_7_4_1, BytesBehindAHelloAreMalformed) {
  for (const Role engine : kRoles) {
    const auto change = [](Buffer& body) { body.push_back(std::byte{0}); };
    EXPECT_TRUE(
        refused(engine, with_body(engine, change), Errc::decode_error, Alert::decode_error));
  }
}

// ---- extensions

// "There MUST NOT be more than one extension of the same type."
TEST(Rfc5246_7_4_1_4, AnExtensionThatComesTwiceIsRefused) {
  for (const auto type : {ExtensionType::use_srtp, ExtensionType::extended_master_secret,
                          static_cast<ExtensionType>(0x0a0a)}) {
    ClientHelloFields client;
    client.extensions.set(type, {});
    client.extensions.push_back({type, {}});
    EXPECT_TRUE(refused(Role::server, saying(client), Errc::decode_error, Alert::decode_error));
    ServerHelloFields server;
    server.extensions.set(type, {});
    server.extensions.push_back({type, {}});
    EXPECT_TRUE(
        refused(Role::client, answering_with(server), Errc::decode_error, Alert::decode_error));
  }
}

// RFC 5746 section 3.6 repeats: "MUST ignore any unknown extensions offered by the client".
TEST(Rfc5246_7_4_1_4, UnknownExtensionsOfAClientAreIgnored) {
  ClientHelloFields hello;
  for (const unsigned type : {5U, 17U, 18U, 21U, 35U, 51U, 54U, 0x0a0aU, 0xffffU}) {
    hello.extensions.insert(hello.extensions.begin(),
                            {static_cast<ExtensionType>(type), counted(type % 7)});
  }
  EXPECT_TRUE(accepted(Role::server, saying(hello)));
}

TEST(Rfc5246_7_4_1_4, AServerAnswersOnlyWhatWasAsked) {
  ClientHelloFields hello;
  for (const auto type : {ExtensionType::renegotiation_info, ExtensionType::extended_master_secret,
                          ExtensionType::ec_point_formats, ExtensionType::use_srtp}) {
    hello.extensions.remove(type);
  }
  Duel duel(Role::server, saying(hello));
  ASSERT_TRUE(works(duel));
  EXPECT_TRUE(parsed_server_hello(duel).extensions.all_of([](const auto&) { return false; }));
}

TEST(Rfc5246_7_4_1_4, AClientRefusesWhatItDidNotAsk) {
  for (const unsigned type : {0U, 16U, 22U, 35U, 43U, 51U, 54U, 0x0a0aU, 0xffffU}) {
    SCOPED_TRACE(type);
    ServerHelloFields hello;
    hello.extensions.push_back({static_cast<ExtensionType>(type), {}});
    EXPECT_TRUE(refused(Role::client, answering_with(hello), Errc::unsupported_extension,
                        Alert::unsupported_extension));
  }
}

TEST(Rfc5246_7_4_1_4, AClientRefusesWhatItsConfigLeavesOut) {
  dtls::ConfigOptions no_srtp = test::options();
  no_srtp.srtp_profiles = {};
  EXPECT_TRUE(refused(Role::client, {}, Errc::unsupported_extension, Alert::unsupported_extension,
                      no_srtp));
  dtls::ConfigOptions no_ems = test::options();
  no_ems.extended_master_secret = dtls::ExtendedMasterSecret::disable;
  EXPECT_TRUE(
      refused(Role::client, {}, Errc::unsupported_extension, Alert::unsupported_extension, no_ems));
}

// ---- ServerHello

TEST(Rfc5246_7_4_1_3, ASuiteThatWasNotOfferedIsRefused) {
  // Unknown, signalling, DTLS 1.3, CBC, and one that the engine has but was told not to offer.
  for (const unsigned suite : {0x0000U, 0x00ffU, 0x1301U, 0xc009U, 0xffffU, 0xc02cU}) {
    SCOPED_TRACE(suite);
    dtls::ConfigOptions options = test::options();
    options.cipher_suites = {CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256};
    ServerHelloFields hello;
    hello.suite = static_cast<CipherSuite>(suite);
    EXPECT_TRUE(refused(Role::client, answering_with(hello), Errc::illegal_parameter,
                        Alert::illegal_parameter, options));
  }
}

TEST(Rfc5246_7_4_1_3, CompressionIsRefused) {
  for (const unsigned method : {1U, 64U, 255U}) {
    ServerHelloFields hello;
    hello.compression_method = static_cast<std::uint8_t>(method);
    EXPECT_TRUE(refused(Role::client, answering_with(hello), Errc::illegal_parameter,
                        Alert::illegal_parameter));
  }
}

TEST(Rfc5246_7_4_1_3, AVersionThatWasNotOfferedIsRefused) {
  for (const unsigned version : {0xfeffU, 0xfefeU, 0xfefcU, 0xfe00U, 0x0303U, 0x0000U}) {
    SCOPED_TRACE(version);
    ServerHelloFields hello;
    hello.version = static_cast<ProtocolVersion>(version);
    EXPECT_TRUE(refused(Role::client, answering_with(hello), Errc::no_common_version,
                        Alert::protocol_version));
  }
}

TEST(Rfc5246_7_4_1_3, AServerMayNameASession) {
  ServerHelloFields hello;
  hello.session_id = counted(32);
  EXPECT_TRUE(accepted(Role::client, answering_with(hello)));
  hello.session_id = counted(33);
  EXPECT_TRUE(
      refused(Role::client, answering_with(hello), Errc::decode_error, Alert::decode_error));
}

TEST(Rfc5246_7_4_1_3, AServerHelloWithoutExtensionsIsAccepted) {
  Script script;
  script.server_hello.extensions.clear();
  script.alter = altering(HandshakeType::server_hello,
                          [](Buffer& body) { body.resize(body.size() - 2); });  // no block at all
  Duel duel(Role::client, script);
  ASSERT_TRUE(works(duel));
  EXPECT_FALSE(duel.engine.connected->extended_master_secret);
  EXPECT_FALSE(duel.engine.connected->srtp_profile);
}

// ---- signature_algorithms

// Absent, they are SHA-1's, which RFC 9155 has put away.
TEST(Rfc5246_7_4_1_4_1, WithoutSignatureAlgorithmsThereIsNothingInCommon) {
  ClientHelloFields hello;
  hello.extensions.remove(ExtensionType::signature_algorithms);
  EXPECT_TRUE(refused(Role::server, saying(hello), Errc::no_common_signature_scheme,
                      Alert::handshake_failure));
}

TEST(Rfc5246_7_4_1_4_1, WithoutACommonSchemeTheHandshakeFails) {
  // SHA-1, MD5, DSA, unknown ones, and RSA for an ECDSA key.
  for (const char* schemes :
       {"0002 0203", "0004 0201 0101", "0002 0402", "0004 0a0a ffff", "0006 0401 0804 0805"}) {
    SCOPED_TRACE(schemes);
    ClientHelloFields hello;
    hello.extensions.set(ExtensionType::signature_algorithms, from_hex(schemes));
    EXPECT_TRUE(refused(Role::server, saying(hello), Errc::no_common_signature_scheme,
                        Alert::handshake_failure));
  }
}

TEST(Rfc5246_7_4_1_4_1, MalformedSignatureAlgorithms) {
  for (const char* data : {"", "0000", "0001 04", "0003 040304", "0004 0403", "0002 0403 00"}) {
    SCOPED_TRACE(data);
    ClientHelloFields hello;
    hello.extensions.set(ExtensionType::signature_algorithms, from_hex(data));
    EXPECT_TRUE(refused(Role::server, saying(hello), Errc::decode_error, Alert::decode_error));
  }
}

// "The server MUST sign with one of those pairs" (section 7.4.3).
TEST(Rfc5246_7_4_3, TheServerSignsWithASchemeOfTheClients) {
  dtls::ConfigOptions options = test::options();
  options.identities = {rsa_identity()};
  for (const auto& [offer, scheme] :
       {std::pair{"0002 0401", SignatureScheme::rsa_pkcs1_sha256},
        std::pair{"0004 0201 0601", SignatureScheme::rsa_pkcs1_sha512},
        std::pair{"0002 0806", SignatureScheme::rsa_pss_rsae_sha512}}) {
    SCOPED_TRACE(offer);
    ClientHelloFields hello;
    hello.extensions.set(ExtensionType::signature_algorithms, from_hex(offer));
    Duel duel(Role::server, saying(hello), options);
    ASSERT_TRUE(works(duel));
    const auto exchange =
        dtls::message::ServerKeyExchange::decode(first(duel, HandshakeType::server_key_exchange));
    EXPECT_EQ(exchange.value().scheme, scheme);
  }
}

// ---- our own ClientHello

TEST(Rfc5246_7_4_1_2, WhatOurClientSays) {
  Duel duel(Role::client);
  duel.collect();
  const auto hello =
      dtls::message::ClientHello::decode(first(duel, HandshakeType::client_hello)).value();
  EXPECT_EQ(hello.legacy_version, ProtocolVersion::dtls12);
  EXPECT_EQ(copy_of(hello.compression_methods), from_hex("00"));
  EXPECT_TRUE(hello.cookie.empty());
  // RFC 8827 section 6.5: this suite and P-256 must be there; RFC 5746 section 3.4; RFC 7627
  // section 5.2; RFC 5246 section 7.4.1.4.1.
  EXPECT_TRUE(hello.cipher_suites.contains(CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256));
  EXPECT_EQ(copy_of(hello.extensions.find(ExtensionType::renegotiation_info).value()),
            from_hex("00"));
  EXPECT_TRUE(hello.extensions.find(ExtensionType::extended_master_secret).value().empty());
  EXPECT_TRUE(hello.extensions.has(ExtensionType::signature_algorithms));
  EXPECT_TRUE(hello.extensions.has(ExtensionType::supported_groups));
}

}  // namespace
}  // namespace sluice::test
