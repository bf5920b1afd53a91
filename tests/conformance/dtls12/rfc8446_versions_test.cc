// RFC 8446 sections 4.1.3 and 4.2.1: how an engine of DTLS 1.2 alone meets peers that know 1.3.
#include <gtest/gtest.h>

#include "conformance/dtls12/vocabulary.h"
#include "message/server_hello.h"

namespace sluice::test {
namespace {

Script offering_versions(const char* versions, unsigned legacy = 0xfefd) {
  Script script;
  script.client_hello.version = static_cast<ProtocolVersion>(legacy);
  script.client_hello.extensions.set(ExtensionType::supported_versions, from_hex(versions));
  return script;
}

TEST(Rfc8446_4_2_1, OnlyDtls13IsRefused) {
  for (const char* versions : {"02 fefc", "04 0a0a fefc", "04 fefc feff", "02 0303", "02 fe00"}) {
    SCOPED_TRACE(versions);
    Duel duel(Role::server, offering_versions(versions));
    duel.run();
    EXPECT_TRUE(failed(duel, Errc::no_common_version, Alert::protocol_version));
  }
}

TEST(Rfc8446_4_2_1, Dtls12IsChosenFromTheList) {
  for (const char* versions :
       {"04 fefc fefd", "06 fefc fefd 0303", "06 0a0a fefd fefc", "02 fefd"}) {
    SCOPED_TRACE(versions);
    Duel duel(Role::server, offering_versions(versions));
    ASSERT_TRUE(works(duel));
    EXPECT_EQ(duel.engine.connected->version, ProtocolVersion::dtls12);
    const auto hello =
        dtls::message::ServerHello::decode(Bytes(duel.peer.messages.front()).subspan(12)).value();
    EXPECT_EQ(hello.version, ProtocolVersion::dtls12);
    // "A server which negotiates a version prior to TLS 1.3 MUST [...] NOT send
    // supported_versions."
    EXPECT_FALSE(hello.extensions.has(ExtensionType::supported_versions));
    // Section 4.1.3: the sentinel is a server's that could have chosen 1.3.
    EXPECT_NE(copy_of(Bytes(hello.random).last(8)), from_hex("444f574e47524401"));
  }
}

// "Servers MUST NOT use the ClientHello.legacy_version value for version negotiation."
TEST(Rfc8446_4_2_1, BesideTheListTheVersionFieldMeansNothing) {
  for (const unsigned legacy : {0xfeffU, 0xfefcU, 0x0303U, 0x0000U}) {
    SCOPED_TRACE(legacy);
    Duel chosen(Role::server, offering_versions("02 fefd", legacy));
    EXPECT_TRUE(works(chosen));
  }
  Duel duel(Role::server, offering_versions("02 fefc", 0xfefd));
  duel.run();
  EXPECT_TRUE(failed(duel, Errc::no_common_version, Alert::protocol_version));
}

TEST(Rfc8446_4_2_1, AMalformedListIsRefused) {
  for (const char* versions : {"", "00", "01 fe", "03 fefdfe", "02 fe", "02 fefd 00"}) {
    SCOPED_TRACE(versions);
    Duel duel(Role::server, offering_versions(versions));
    duel.run();
    EXPECT_TRUE(failed(duel, Errc::decode_error, Alert::decode_error));
  }
}

// A client that offered no list gets no answer to one.
TEST(Rfc8446_4_2_1, SupportedVersionsInAServerHelloWasNotAskedFor) {
  Script script;
  script.server_hello.extensions.set(ExtensionType::supported_versions, from_hex("fefc"));
  Duel duel(Role::client, script);
  duel.run();
  EXPECT_TRUE(failed(duel, Errc::unsupported_extension, Alert::unsupported_extension));
}

}  // namespace
}  // namespace sluice::test
