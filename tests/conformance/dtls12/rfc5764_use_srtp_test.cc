// RFC 5764 section 4.1: use_srtp. RFC 8827 section 6.5: no MKI, no NULL.
#include <gtest/gtest.h>

#include "conformance/dtls12/vocabulary.h"
#include "message/client_hello.h"
#include "message/server_hello.h"

namespace sluice::test {
namespace {

Script offering_use_srtp(const char* use_srtp) {
  Script script;
  script.client_hello.extensions.set(ExtensionType::use_srtp, from_hex(use_srtp));
  return script;
}
Script answering_use_srtp(const char* use_srtp) {
  Script script;
  script.server_hello.extensions.set(ExtensionType::use_srtp, from_hex(use_srtp));
  return script;
}

// The data of the engine's own use_srtp.
std::optional<Buffer> sent_by(const Duel& duel) {
  const Bytes body = Bytes(duel.peer.messages.at(0)).subspan(12);
  std::optional<Bytes> data;
  if (type_of(duel.peer.messages.at(0)) == HandshakeType::client_hello) {
    data = dtls::message::ClientHello::decode(body)->extensions.find(ExtensionType::use_srtp);
  } else {
    data = dtls::message::ServerHello::decode(body)->extensions.find(ExtensionType::use_srtp);
  }
  return data ? std::optional(copy_of(*data)) : std::nullopt;
}

// "The server MUST return a single selected profile", and unknown ones are ignored. By its own
// order, though libwebrtc lists AES_CM first.
TEST(Rfc5764_4_1_1, TheServerChoosesExactlyOneProfile) {
  for (const auto& [offer, answer, profile] :
       {std::tuple{"0008 0001 0002 0007 0008 00", "0002 0008 00", SrtpProfile::aead_aes_256_gcm},
        std::tuple{"0004 0001 0007 00", "0002 0007 00", SrtpProfile::aead_aes_128_gcm},
        std::tuple{"0006 0002 0001 ffff 00", "0002 0001 00", SrtpProfile::aes128_cm_hmac_sha1_80},
        std::tuple{"0006 0005 0002 0006 00", "0002 0002 00",
                   SrtpProfile::aes128_cm_hmac_sha1_32}}) {
    SCOPED_TRACE(offer);
    Duel duel(Role::server, offering_use_srtp(offer));
    ASSERT_TRUE(works(duel));
    EXPECT_EQ(duel.engine.connected->srtp_profile, profile);
    EXPECT_EQ(sent_by(duel), from_hex(answer));
  }
}

// NULL profiles (5 and 6) and unknown ones: no answer, no keys, and the handshake goes on.
TEST(Rfc5764_4_1_1, WithoutACommonProfileThereIsNoAnswer) {
  for (const char* offer : {"0004 0005 0006 00", "0002 ffff 00", "0002 0000 00"}) {
    SCOPED_TRACE(offer);
    Duel duel(Role::server, offering_use_srtp(offer));
    ASSERT_TRUE(works(duel));
    EXPECT_FALSE(duel.engine.connected->srtp_profile);
    EXPECT_FALSE(sent_by(duel));
    const auto keys = duel.engine.connection().srtp_keys();
    ASSERT_FALSE(keys);
    EXPECT_EQ(keys.error().code, Errc::srtp_not_negotiated);
  }
}

TEST(Rfc5764_4_1_1, AServerWithoutProfilesDoesNotAnswer) {
  dtls::ConfigOptions options = test::options();
  options.srtp_profiles = {};
  Duel duel(Role::server, {}, options);
  ASSERT_TRUE(works(duel));
  EXPECT_FALSE(sent_by(duel));
}

TEST(Rfc5764_4_1_1, AMalformedExtensionIsRefused) {
  for (const Role role : kRoles) {
    // Cut short, no profiles, an odd list, an MKI that ends early, bytes behind it.
    for (const char* data : {"", "00", "0002 0007", "0000 00", "0001 00 00", "0003 000700 00",
                             "0002 0007 01", "0002 0007 00 00", "0004 0007 00"}) {
      SCOPED_TRACE(data);
      Duel duel(role, role == Role::server ? offering_use_srtp(data) : answering_use_srtp(data));
      duel.run();
      EXPECT_TRUE(failed(duel, Errc::decode_error, Alert::decode_error));
    }
  }
}

TEST(Rfc5764_4_1_1, AClientRefusesAProfileItDidNotOffer) {
  dtls::ConfigOptions options = test::options();
  options.srtp_profiles = {SrtpProfile::aead_aes_128_gcm};
  for (const char* answer : {"0002 0001 00", "0002 0008 00", "0002 0005 00", "0002 ffff 00"}) {
    SCOPED_TRACE(answer);
    Duel duel(Role::client, answering_use_srtp(answer), options);
    duel.run();
    EXPECT_TRUE(failed(duel, Errc::illegal_parameter, Alert::illegal_parameter));
  }
}

TEST(Rfc5764_4_1_1, AClientRefusesSeveralProfiles) {
  for (const char* answer : {"0004 0007 0001 00", "0004 0007 0007 00", "0004 ffff 0007 00"}) {
    SCOPED_TRACE(answer);
    Duel duel(Role::client, answering_use_srtp(answer));
    duel.run();
    EXPECT_TRUE(failed(duel, Errc::illegal_parameter, Alert::illegal_parameter));
  }
}

// Section 4.1.3: "If the client detects a nonzero-length MKI in the server's response that is
// different than the one the client offered, then the client MUST abort the handshake."
TEST(Rfc5764_4_1_3, AClientRefusesAnMki) {
  Duel duel(Role::client, answering_use_srtp("0002 0007 04 01020304"));
  duel.run();
  EXPECT_TRUE(failed(duel, Errc::illegal_parameter, Alert::illegal_parameter));
}

TEST(Rfc5764_4_1_3, AServerAnswersAnMkiWithNone) {
  Duel duel(Role::server, offering_use_srtp("0002 0007 04 01020304"));
  ASSERT_TRUE(works(duel));
  EXPECT_EQ(sent_by(duel), from_hex("0002 0007 00"));
}

dtls::ConfigOptions with_mki(const char* mki) {
  dtls::ConfigOptions options = test::options();
  options.srtp_mki = from_hex(mki);
  return options;
}

TEST(Rfc5764_4_1_3, AClientTakesItsOwnMkiOrNone) {
  for (const auto& [answer, agreed] :
       {std::pair{"0002 0007 04 01020304", "01020304"}, std::pair{"0002 0007 00", ""}}) {
    SCOPED_TRACE(answer);
    Duel duel(Role::client, answering_use_srtp(answer), with_mki("01020304"));
    ASSERT_TRUE(works(duel));
    EXPECT_EQ(sent_by(duel), from_hex("0008 0008 0007 0001 0002 04 01020304"));
    EXPECT_EQ(duel.engine.connected->srtp_mki, from_hex(agreed));
    EXPECT_EQ(must(duel.engine.connection().srtp_keys()).mki, from_hex(agreed));
  }
}

TEST(Rfc5764_4_1_3, AClientRefusesAnotherMki) {
  for (const char* answer : {"0002 0007 04 01020305", "0002 0007 03 010203",
                             "0002 0007 05 0102030400", "0002 0007 01 00"}) {
    SCOPED_TRACE(answer);
    Duel duel(Role::client, answering_use_srtp(answer), with_mki("01020304"));
    duel.run();
    EXPECT_TRUE(failed(duel, Errc::illegal_parameter, Alert::illegal_parameter));
  }
}

// "A matching srtp_mki value", or an empty one.
TEST(Rfc5764_4_1_3, AServerRepeatsAnMkiThatItCanBear) {
  dtls::ConfigOptions options = test::options();
  options.max_srtp_mki = 4;
  for (const auto& [offer, answer] :
       {std::pair{"0002 0007 04 01020304", "0002 0007 04 01020304"},
        std::pair{"0002 0007 01 00", "0002 0007 01 00"}, std::pair{"0002 0007 00", "0002 0007 00"},
        std::pair{"0002 0007 05 0102030405", "0002 0007 00"}}) {
    SCOPED_TRACE(offer);
    Duel duel(Role::server, offering_use_srtp(offer), options);
    ASSERT_TRUE(works(duel));
    EXPECT_EQ(sent_by(duel), from_hex(answer));
  }
}

TEST(Rfc8827_6_5, OurOfferHasAes80AndNoMki) {
  Duel duel(Role::client);
  duel.collect();
  EXPECT_EQ(sent_by(duel), from_hex("0008 0008 0007 0001 0002 00"));
}

// Section 4.2: client key, server key, client salt, server salt.
TEST(Rfc5764_4_2, TheKeysAreCutInTheRightOrder) {
  struct Lengths {
    unsigned profile;
    std::size_t key;
    std::size_t salt;
  };
  for (const auto& [profile, key, salt] :
       {Lengths{1, 16, 14}, Lengths{2, 16, 14}, Lengths{7, 16, 12}, Lengths{8, 32, 12}}) {
    for (const Role role : kRoles) {
      SCOPED_TRACE(testing::Message() << to_string(role) << profile);
      const Buffer only{std::byte{0}, std::byte{2}, std::byte{0}, static_cast<std::byte>(profile),
                        std::byte{0}};
      Script script;
      script.client_hello.extensions.set(ExtensionType::use_srtp, only);
      script.server_hello.extensions.set(ExtensionType::use_srtp, only);
      Duel duel(role, script);
      ASSERT_TRUE(works(duel));
      const auto keys = must(duel.engine.connection().srtp_keys());
      const Buffer all = duel.peer.exported("EXTRACTOR-dtls_srtp", 2 * (key + salt));
      const Bytes bytes = all;
      const Buffer client = joined({bytes.first(key), bytes.subspan(2 * key, salt)});
      const Buffer server = joined({bytes.subspan(key, key), bytes.subspan(2 * key + salt, salt)});
      const bool is_client = role == Role::client;
      EXPECT_EQ(copy_of(std::as_const(keys.local).bytes()), is_client ? client : server);
      EXPECT_EQ(copy_of(std::as_const(keys.remote).bytes()), is_client ? server : client);
      EXPECT_EQ(static_cast<unsigned>(keys.profile), profile);
    }
  }
}

}  // namespace
}  // namespace sluice::test
