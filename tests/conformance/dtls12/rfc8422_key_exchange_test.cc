// RFC 8422: groups, the server's signed parameters and the points of both sides.
#include <gtest/gtest.h>

#include "conformance/dtls12/vocabulary.h"
#include "crypto/credentials.h"
#include "message/client_hello.h"
#include "message/server_key_exchange.h"

namespace sluice::test {
namespace {

// The script of a peer that plays this point: a server in parameters that it signs, a client in
// ClientKeyExchange. Both put a length before it.
Script playing(Role engine, NamedGroup group, std::function<void(Buffer& point)> change) {
  Script script;
  const auto change_tail = [change = std::move(change)](Buffer& bytes, std::size_t length_at) {
    Buffer point = copy_of(Bytes(bytes).subspan(length_at + 1));
    change(point);
    bytes.resize(length_at);
    bytes.push_back(static_cast<std::byte>(point.size()));
    bytes.insert(bytes.end(), point.begin(), point.end());
  };
  if (engine == Role::client) {
    script.group = group;
    script.alter_params = [=](Buffer& params) { change_tail(params, 3); };
  } else {
    const auto code = static_cast<unsigned>(group);
    script.client_hello.extensions.set(
        ExtensionType::supported_groups,
        {std::byte{0}, std::byte{4}, std::byte{0}, static_cast<std::byte>(code), std::byte{0},
         std::byte{23}});  // P-256 besides: the engine's certificate is on it
    script.alter =
        altering(HandshakeType::client_key_exchange, [=](Buffer& body) { change_tail(body, 0); });
  }
  return script;
}

// An engine server takes the group it likes best: here the only one it knows.
dtls::ConfigOptions only(NamedGroup group) {
  dtls::ConfigOptions options = test::options();
  options.groups = {group};
  return options;
}

std::optional<NamedGroup> chosen_group(const Duel& duel) {
  for (const Buffer& message : duel.peer.messages) {
    if (type_of(message) != HandshakeType::server_key_exchange) continue;
    return dtls::message::ServerKeyExchange::decode(Bytes(message).subspan(12)).value().group;
  }
  return std::nullopt;
}

// ---- section 5.1: negotiation

Script offering_groups(const char* groups) {
  Script script;
  script.client_hello.extensions.set(ExtensionType::supported_groups, from_hex(groups));
  return script;
}

TEST(Rfc8422_5_1_1, TheServerRespectsTheClientsGroups) {
  for (const auto& [offer, group] : {std::pair{"0002 0017", NamedGroup::secp256r1},
                                     std::pair{"0008 11ec 0a0a 0018 0017", NamedGroup::secp256r1},
                                     std::pair{"0006 0017 001d 0018", NamedGroup::x25519}}) {
    SCOPED_TRACE(offer);
    Duel duel(Role::server, offering_groups(offer));
    ASSERT_TRUE(works(duel));
    EXPECT_EQ(chosen_group(duel), group);
    EXPECT_EQ(duel.engine.connected->group, group);
  }
}

TEST(Rfc8422_5_1, WithoutACommonGroupTheHandshakeFails) {
  for (const char* offer : {"0002 0019", "0004 11ec 0a0a", "0002 0000", "0004 0100 0101"}) {
    SCOPED_TRACE(offer);
    EXPECT_TRUE(refused(Role::server, offering_groups(offer), Errc::no_common_group,
                        Alert::handshake_failure));
  }
}

// "The server is free to choose any one of the elliptic curves": P-256 is the one all have.
TEST(Rfc8422_4, WithoutTheExtensionP256IsChosen) {
  Script script;
  script.client_hello.extensions.remove(ExtensionType::supported_groups);
  Duel duel(Role::server, script);
  ASSERT_TRUE(works(duel));
  EXPECT_EQ(chosen_group(duel), NamedGroup::secp256r1);
}

// Section 5.3: the certificate's curve counts as well.
TEST(Rfc8422_5_3, ACertificateOnACurveThatTheClientDoesNotListIsNotUsed) {
  dtls::ConfigOptions options = test::options();
  options.identities = {p384_identity()};
  EXPECT_TRUE(refused(Role::server, offering_groups("0004 001d 0017"), Errc::no_common_cipher_suite,
                      Alert::handshake_failure, options));
  EXPECT_TRUE(refused(Role::server, offering_groups("0002 001d"), Errc::no_common_cipher_suite,
                      Alert::handshake_failure));
}

TEST(Rfc8422_5_1_1, AMalformedGroupListIsRefused) {
  for (const char* data : {"", "0000", "0001 00", "0003 001d00", "0004 001d", "0002 001d 00"}) {
    SCOPED_TRACE(data);
    EXPECT_TRUE(
        refused(Role::server, offering_groups(data), Errc::decode_error, Alert::decode_error));
  }
}

// "If [...] the extension does not contain the uncompressed point format [...] the server MUST
// abort the handshake and return an illegal_parameter alert."
TEST(Rfc8422_5_1_2, PointFormatsWithoutTheUncompressedOne) {
  for (const Role role : kRoles) {
    const auto with = [&](const char* data) {
      Script script;
      script.client_hello.extensions.set(ExtensionType::ec_point_formats, from_hex(data));
      script.server_hello.extensions.set(ExtensionType::ec_point_formats, from_hex(data));
      return script;
    };
    for (const char* data : {"01 01", "02 01 02", "01 ff"}) {
      EXPECT_TRUE(refused(role, with(data), Errc::illegal_parameter, Alert::illegal_parameter));
    }
    for (const char* data : {"", "00", "02 00", "01 00 00"}) {
      EXPECT_TRUE(refused(role, with(data), Errc::decode_error, Alert::decode_error));
    }
    Duel duel(role, with("03 02 01 00"));
    EXPECT_TRUE(works(duel));
  }
}

// ---- section 5.4: what the server signs

TEST(Rfc8422_5_4, AWrongSignatureIsRefused) {
  Script script;
  script.alter = altering(HandshakeType::server_key_exchange,
                          [](Buffer& body) { body[body.size() - 3] ^= std::byte{1}; });
  EXPECT_TRUE(refused(Role::client, script, Errc::bad_signature, Alert::decrypt_error));
}

// The parameters are changed behind the signature.
TEST(Rfc8422_5_4, ASignatureOfOtherParametersIsRefused) {
  Script script;
  script.alter =
      altering(HandshakeType::server_key_exchange, [](Buffer& body) { body[10] ^= std::byte{1}; });
  EXPECT_TRUE(refused(Role::client, script, Errc::bad_signature, Alert::decrypt_error));
}

// It covers both randoms, so one that was seen elsewhere can't be used again.
TEST(Rfc8422_5_4, ASignatureOfAnotherHandshakeIsRefused) {
  Duel before(Role::client);
  Buffer recorded;
  before.peer.script.alter =
      altering(HandshakeType::server_key_exchange, [&](Buffer& body) { recorded = body; });
  ASSERT_TRUE(works(before));
  Script replaying;
  replaying.alter =
      altering(HandshakeType::server_key_exchange, [&](Buffer& body) { body = recorded; });
  EXPECT_TRUE(refused(Role::client, replaying, Errc::bad_signature, Alert::decrypt_error));
}

TEST(Rfc8422_5_4, ACertificateOfAnotherKeyIsNoProof) {
  const auto other = must(dtls::Identity::self_signed(environment(), "other"));
  Script script;
  script.chain = {{copy_of(other.certificate())}};
  EXPECT_TRUE(refused(Role::client, script, Errc::bad_signature, Alert::decrypt_error));
}

// CVE-2026-25834: SHA-1 came back in by the server's choice.
TEST(Rfc5246_7_4_3, ASchemeThatWasNotOfferedIsRefused) {
  for (const unsigned scheme : {0x0203U, 0x0201U, 0x0101U, 0x0000U, 0x0603U, 0x0804U, 0x0401U}) {
    SCOPED_TRACE(scheme);
    Script script;
    // After one byte of type, two of group, the point with its length.
    script.alter = altering(HandshakeType::server_key_exchange, [&](Buffer& body) {
      body[36] = static_cast<std::byte>(scheme >> 8);
      body[37] = static_cast<std::byte>(scheme & 0xff);
    });
    EXPECT_TRUE(refused(Role::client, script, Errc::illegal_parameter, Alert::illegal_parameter));
  }
}

TEST(Rfc5246_7_4_3, ASchemeThatTheConfigLeavesOutIsRefused) {
  dtls::ConfigOptions options = test::options();
  options.signature_schemes = {SignatureScheme::ecdsa_secp384r1_sha384};
  EXPECT_TRUE(
      refused(Role::client, {}, Errc::illegal_parameter, Alert::illegal_parameter, options));
}

TEST(Rfc8422_5_4, AGroupThatWasNotOfferedIsRefused) {
  Script script;
  script.group = NamedGroup::secp256r1;
  EXPECT_TRUE(refused(Role::client, script, Errc::illegal_parameter, Alert::illegal_parameter,
                      only(NamedGroup::x25519)));
  for (const unsigned group : {0U, 19U, 25U, 30U, 0x11ecU, 0xff01U, 0xffffU}) {
    SCOPED_TRACE(group);
    Script unknown;
    unknown.alter_params = [&](Buffer& params) {
      params[1] = static_cast<std::byte>(group >> 8);
      params[2] = static_cast<std::byte>(group & 0xff);
    };
    EXPECT_TRUE(refused(Role::client, unknown, Errc::illegal_parameter, Alert::illegal_parameter));
  }
}

// Explicit curves are gone: "only one value remains".
TEST(Rfc8422_5_4, ExplicitCurvesAreRefused) {
  for (const unsigned type : {0U, 1U, 2U, 4U, 248U, 255U}) {
    SCOPED_TRACE(type);
    Script script;
    script.alter_params = [&](Buffer& params) { params[0] = static_cast<std::byte>(type); };
    EXPECT_TRUE(refused(Role::client, script, Errc::decode_error, Alert::decode_error));
  }
}

TEST(Rfc8422_5_4, AMalformedKeyExchangeIsRefused) {
  for (const std::size_t size : {0U, 1U, 3U, 4U, 10U, 36U, 38U, 40U, 60U}) {
    Script script;
    script.alter =
        altering(HandshakeType::server_key_exchange, [&](Buffer& body) { body.resize(size); });
    EXPECT_TRUE(refused(Role::client, script, Errc::decode_error, Alert::decode_error));
  }
  for (const char* body : {"", "00", "01", "20 00"}) {
    Script script;
    script.alter = altering(HandshakeType::client_key_exchange,
                            [&](Buffer& altered) { altered = from_hex(body); });
    EXPECT_TRUE(refused(Role::server, script, Errc::decode_error, Alert::decode_error));
  }
  Script trailing;
  trailing.alter = [](HandshakeType type, Buffer& body) {
    if (type == HandshakeType::server_key_exchange || type == HandshakeType::client_key_exchange) {
      body.push_back(std::byte{0});
    }
  };
  for (const Role role : kRoles) {
    EXPECT_TRUE(refused(role, trailing, Errc::decode_error, Alert::decode_error));
  }
}

// ---- section 5.11: points

struct BadPoint {
  const char* name;
  std::function<void(Buffer&)> apply;
};

std::vector<BadPoint> bad_points() {
  const auto half = [](const Buffer& point) { return (point.size() - 1) / 2; };
  const auto parity = [](const Buffer& point) { return point.back() & std::byte{1}; };
  return {
      {"infinity", [](Buffer& point) { point = {std::byte{0}}; }},
      {"compressed",
       [=](Buffer& point) {
         point[0] = std::byte{2} | parity(point);
         point.resize(1 + half(point));
       }},
      {"hybrid", [=](Buffer& point) { point[0] = std::byte{6} | parity(point); }},
      {"off the curve", [](Buffer& point) { point.back() ^= std::byte{1}; }},
      {"zero", [](Buffer& point) { std::fill(point.begin() + 1, point.end(), std::byte{0}); }},
      {"above the field",
       [](Buffer& point) { std::fill(point.begin() + 1, point.end(), std::byte{0xff}); }},
      {"no form", [](Buffer& point) { point[0] = std::byte{5}; }},
      {"too short", [](Buffer& point) { point.pop_back(); }},
      {"too long", [](Buffer& point) { point.push_back(std::byte{0}); }},
      {"of X25519's size", [](Buffer& point) { point.resize(32); }},
  };
}

TEST(Rfc8422_5_11, PointsThatAreNoneAreRefused) {
  for (const Role role : kRoles) {
    for (const auto group : {NamedGroup::secp256r1, NamedGroup::secp384r1}) {
      for (const BadPoint& change : bad_points()) {
        SCOPED_TRACE(testing::Message() << to_string(role) << to_string(group) << change.name);
        EXPECT_TRUE(refused(role, playing(role, group, change.apply), Errc::bad_key_share,
                            Alert::illegal_parameter, only(group)));
      }
    }
  }
}

TEST(Rfc8422_5_11, GoodPointsPass) {
  for (const Role role : kRoles) {
    for (const auto group : {NamedGroup::secp256r1, NamedGroup::secp384r1, NamedGroup::x25519}) {
      Duel duel(role, playing(role, group, [](Buffer&) {}), only(group));
      EXPECT_TRUE(works(duel));
    }
  }
}

// "MUST check whether the computed premaster secret is the all-zero value": the points of small
// order (RFC 7748 section 6.1) all lead to it.
TEST(Rfc8422_5_11, AnAllZeroX25519SecretIsRefused) {
  const std::string zeros(62, '0');
  const std::string ones(60, 'f');
  for (const std::string& point :
       {"00" + zeros, "01" + zeros,
        std::string("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        std::string("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        "ec" + ones + "7f", "ed" + ones + "7f", "ee" + ones + "7f"}) {
    for (const Role role : kRoles) {
      SCOPED_TRACE(point);
      EXPECT_TRUE(refused(
          role, playing(role, NamedGroup::x25519, [&](Buffer& share) { share = from_hex(point); }),
          Errc::bad_key_share, Alert::illegal_parameter));
    }
  }
}

TEST(Rfc8422_5_11, AnX25519ShareOfAnotherSizeIsRefused) {
  for (const std::size_t size : {1U, 31U, 33U, 65U}) {
    for (const Role role : kRoles) {
      EXPECT_TRUE(refused(
          role, playing(role, NamedGroup::x25519, [&](Buffer& share) { share.resize(size); }),
          Errc::bad_key_share, Alert::illegal_parameter));
    }
  }
}

// Ephemeral means that no two handshakes share a key.
TEST(Rfc8422_2, EachHandshakeHasKeysOfItsOwn) {
  std::set<Buffer> shares;
  for (int i = 0; i < 4; ++i) {
    for (const Role role : kRoles) {
      Duel duel(role);
      ASSERT_TRUE(works(duel));
      for (const Buffer& message : duel.peer.messages) {
        if (type_of(message) == HandshakeType::client_key_exchange) {
          shares.insert(copy_of(Bytes(message).subspan(13)));
        } else if (type_of(message) == HandshakeType::server_key_exchange) {
          shares.insert(copy_of(Bytes(message).subspan(16, 32)));
        }
      }
    }
  }
  EXPECT_EQ(shares.size(), 8U);
}

}  // namespace
}  // namespace sluice::test
