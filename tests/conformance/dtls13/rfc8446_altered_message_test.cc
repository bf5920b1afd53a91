// Checks of authentic handshake messages of DTLS 1.3, one change at a time (RFC 8446 section 4).
#include "conformance/dtls13/altered_handshake.h"

namespace sluice::test {
namespace {

using dtls::SignatureScheme;

// The whole flight of a server fits into one datagram.
dtls::ConfigOptions one_datagram_options() {
  dtls::ConfigOptions options = options13();
  options.mtu = 8192;
  options.peer_authentication = dtls::PeerAuthentication::require;
  return options;
}

struct Alteration {
  std::string_view what;
  Role sender;
  HandshakeType type;
  Change change;
  Errc code;
  Alert alert;
};

testing::AssertionResult is_refused(const Alteration& alteration,
                                    const dtls::ConfigOptions& client = one_datagram_options(),
                                    const dtls::ConfigOptions& server = one_datagram_options()) {
  Pair pair(client, server);
  const std::size_t changed =
      AlteredHandshake(pair, alteration.sender, alteration.type, alteration.change).run();
  if (changed == 0) return testing::AssertionFailure() << "there was no such message";
  const Peer& receiver = alteration.sender == Role::client ? pair.server : pair.client;
  return failed(receiver, alteration.code, alteration.alert);
}

void insert(Buffer& body, std::ptrdiff_t at, std::initializer_list<int> bytes) {
  Buffer added;
  for (const int byte : bytes) added.push_back(static_cast<std::byte>(byte));
  body.insert(body.begin() + at, added.begin(), added.end());
}

// Adds to a length of two bytes at `at`.
void grow(Buffer& body, std::size_t at, std::size_t by) {
  const std::size_t length = std::to_integer<std::size_t>(body.at(at)) << 8 |
                             std::to_integer<std::size_t>(body.at(at + 1));
  body.at(at) = static_cast<std::byte>((length + by) >> 8);
  body.at(at + 1) = static_cast<std::byte>(length + by);
}

// A context of one byte at the beginning of the body.
void give_context(Buffer& body) {
  body.at(0) = std::byte{1};
  insert(body, 1, {7});
}

void set_scheme(Buffer& body, SignatureScheme scheme) {
  body.at(0) = static_cast<std::byte>(static_cast<unsigned>(scheme) >> 8);
  body.at(1) = static_cast<std::byte>(static_cast<unsigned>(scheme));
}

TEST(Rfc8446_Altered, NothingChangedConnects) {
  for (const Role sender : kRoles) {
    Pair pair(one_datagram_options());
    EXPECT_NE(AlteredHandshake(pair, sender, HandshakeType::finished, [](Buffer&) {}).run(), 0U);
    EXPECT_TRUE(works(pair));
  }
}

TEST(Rfc8446_4_4_4, AWrongFinishedIsFatal) {
  for (const Role sender : kRoles) {
    for (const std::size_t at : {std::size_t{0}, std::size_t{31}}) {
      EXPECT_TRUE(is_refused({"verify_data", sender, HandshakeType::finished,
                              [at](Buffer& body) { body.at(at) ^= std::byte{1}; },
                              Errc::bad_finished, Alert::decrypt_error}))
          << at;
    }
    EXPECT_TRUE(is_refused({"a shorter one", sender, HandshakeType::finished,
                            [](Buffer& body) { body.resize(12); }, Errc::bad_finished,
                            Alert::decrypt_error}));
  }
}

TEST(Rfc8446_4_4_3, AWrongCertificateVerifyIsFatal) {
  for (const Role sender : kRoles) {
    EXPECT_TRUE(is_refused({"signature", sender, HandshakeType::certificate_verify,
                            [](Buffer& body) { body.back() ^= std::byte{1}; }, Errc::bad_signature,
                            Alert::decrypt_error}));
    EXPECT_TRUE(
        is_refused({"a scheme of another key", sender, HandshakeType::certificate_verify,
                    [](Buffer& body) { set_scheme(body, SignatureScheme::ecdsa_secp384r1_sha384); },
                    Errc::illegal_parameter, Alert::illegal_parameter}));
    // RFC 8446 section 4.4.3: RSA signatures are PSS.
    dtls::ConfigOptions rsa = one_datagram_options();
    rsa.identities = {rsa_identity()};
    EXPECT_TRUE(
        is_refused({"PKCS #1", sender, HandshakeType::certificate_verify,
                    [](Buffer& body) { set_scheme(body, SignatureScheme::rsa_pkcs1_sha256); },
                    Errc::illegal_parameter, Alert::illegal_parameter},
                   rsa, rsa));
    dtls::ConfigOptions fewer = rsa;
    fewer.signature_schemes = {SignatureScheme::rsa_pss_rsae_sha256};
    EXPECT_TRUE(
        is_refused({"a scheme that was not offered", sender, HandshakeType::certificate_verify,
                    [](Buffer& body) { set_scheme(body, SignatureScheme::rsa_pss_rsae_sha384); },
                    Errc::illegal_parameter, Alert::illegal_parameter},
                   fewer, fewer));
  }
}

TEST(Rfc8446_4_4_2, ACertificateOfAnotherFormIsFatal) {
  for (const Role sender : kRoles) {
    EXPECT_TRUE(is_refused({"context", sender, HandshakeType::certificate, give_context,
                            Errc::illegal_parameter, Alert::illegal_parameter}));
    EXPECT_TRUE(is_refused({"an extension of its entry", sender, HandshakeType::certificate,
                            [](Buffer& body) {
                              const auto at = static_cast<std::ptrdiff_t>(body.size());
                              insert(body, at, {0, 5, 0, 0});
                              grow(body, static_cast<std::size_t>(at) - 2, 4);
                              grow(body, 2, 4);
                            },
                            Errc::unsupported_extension, Alert::unsupported_extension}));
  }
  EXPECT_TRUE(is_refused({"a server without", Role::server, HandshakeType::certificate,
                          [](Buffer& body) { body.assign(4, std::byte{0}); },
                          Errc::missing_certificate, Alert::decode_error}));
  EXPECT_TRUE(is_refused({"a client without", Role::client, HandshakeType::certificate,
                          [](Buffer& body) { body.assign(4, std::byte{0}); },
                          Errc::missing_certificate, Alert::certificate_required}));
}

TEST(Rfc8446_4_3_2, ACertificateRequestOfAnotherFormIsFatal) {
  EXPECT_TRUE(is_refused({"context", Role::server, HandshakeType::certificate_request, give_context,
                          Errc::illegal_parameter, Alert::illegal_parameter}));
  EXPECT_TRUE(
      is_refused({"no signature_algorithms", Role::server, HandshakeType::certificate_request,
                  [](Buffer& body) { body.at(3) = std::byte{0x77}; }, Errc::illegal_parameter,
                  Alert::missing_extension}));
}

TEST(Rfc8446_4_2, ExtensionsThatDoNotBelongInEncryptedExtensionsAreFatal) {
  const auto added = [](int high, int low) {
    return [high, low](Buffer& body) {
      insert(body, static_cast<std::ptrdiff_t>(body.size()), {high, low, 0, 0});
      grow(body, 0, 4);
    };
  };
  EXPECT_TRUE(
      is_refused({"unknown", Role::server, HandshakeType::encrypted_extensions, added(0x77, 0x77),
                  Errc::unsupported_extension, Alert::unsupported_extension}));
  EXPECT_TRUE(is_refused({"key_share", Role::server, HandshakeType::encrypted_extensions,
                          added(0, 51), Errc::illegal_parameter, Alert::illegal_parameter}));
}

// legacy_version, random, legacy_session_id_echo, cipher_suite, legacy_compression_method.
TEST(Rfc8446_4_1_3, AServerHelloThatWasNotAskedForIsFatal) {
  constexpr std::size_t kSessionId = 34;
  constexpr std::size_t kSuite = kSessionId + 1;
  constexpr std::size_t kCompression = kSuite + 2;
  constexpr std::size_t kExtensions = kCompression + 1;
  const auto refused = [](std::string_view what, const Change& change, Errc code, Alert alert) {
    return is_refused({what, Role::server, HandshakeType::server_hello, change, code, alert});
  };
  EXPECT_TRUE(refused(
      "session ID",
      [](Buffer& body) {
        body.at(kSessionId) = std::byte{1};
        insert(body, kSessionId + 1, {7});
      },
      Errc::illegal_parameter, Alert::illegal_parameter));
  EXPECT_TRUE(refused(
      "suite", [](Buffer& body) { body.at(kSuite + 1) = std::byte{0x05}; }, Errc::illegal_parameter,
      Alert::illegal_parameter));
  EXPECT_TRUE(refused(
      "compression", [](Buffer& body) { body.at(kCompression) = std::byte{1}; },
      Errc::illegal_parameter, Alert::illegal_parameter));
  EXPECT_TRUE(refused(
      "supported_groups",
      [](Buffer& body) {
        insert(body, static_cast<std::ptrdiff_t>(body.size()), {0, 10, 0, 0});
        grow(body, kExtensions, 4);
      },
      Errc::unsupported_extension, Alert::unsupported_extension));
  EXPECT_TRUE(refused(
      "a PSK that was not offered",
      [](Buffer& body) {
        insert(body, static_cast<std::ptrdiff_t>(body.size()), {0, 41, 0, 2, 0, 0});
        grow(body, kExtensions, 6);
      },
      Errc::unsupported_extension, Alert::unsupported_extension));
}

// The data of an extension in a list whose length of two bytes is at `list`; an iterator to it.
Buffer::iterator data_of_extension(Buffer& body, std::size_t list, unsigned wanted) {
  const auto number = [&](std::size_t at) {
    return std::to_integer<unsigned>(body.at(at)) << 8 | std::to_integer<unsigned>(body.at(at + 1));
  };
  for (std::size_t at = list + 2; at < body.size(); at += 4 + number(at + 2)) {
    if (number(at) == wanted) return body.begin() + static_cast<std::ptrdiff_t>(at) + 4;
  }
  throw std::runtime_error("no such extension");
}

TEST(Rfc8446_4_2_8, AServerHelloWithAShareOfAnotherGroupIsFatal) {
  constexpr std::size_t kExtensions = 38;
  EXPECT_TRUE(
      is_refused({"secp384r1", Role::server, HandshakeType::server_hello,
                  [](Buffer& body) { data_of_extension(body, kExtensions, 51)[1] = std::byte{24}; },
                  Errc::illegal_parameter, Alert::illegal_parameter}));
}

TEST(Rfc8446_4_2_11, AServerHelloWithAPskOfAnotherHashIsFatal) {
  using dtls::HashAlgorithm;
  constexpr std::size_t kExtensions = 38;
  const auto psk = [](std::string_view identity, HashAlgorithm hash) {
    return must(dtls::PreSharedKey::make(bytes_of(identity), Buffer(32, std::byte{1}), hash));
  };
  dtls::ConfigOptions client = one_datagram_options();
  client.pre_shared_keys = {psk("a", HashAlgorithm::sha256), psk("b", HashAlgorithm::sha384)};
  dtls::ConfigOptions server = one_datagram_options();
  server.pre_shared_keys = {client.pre_shared_keys.front()};
  for (const int selected : {1, 2}) {
    EXPECT_TRUE(is_refused({"selected_identity", Role::server, HandshakeType::server_hello,
                            [selected](Buffer& body) {
                              data_of_extension(body, kExtensions, 41)[1] =
                                  static_cast<std::byte>(selected);
                            },
                            Errc::illegal_parameter, Alert::illegal_parameter},
                           client, server))
        << selected;
  }
}

// legacy_version, random, legacy_session_id, legacy_cookie, cipher_suites,
// legacy_compression_methods.
TEST(Rfc8446_4_1_2, AClientHelloWithOtherLegacyFieldsIsFatal) {
  const auto refused = [](std::string_view what, const Change& change) {
    return is_refused({what, Role::client, HandshakeType::client_hello, change,
                       Errc::illegal_parameter, Alert::illegal_parameter});
  };
  const auto compression_of = [](const Buffer& body) {
    constexpr std::size_t kSuites = 36;
    const auto suites = std::to_integer<std::size_t>(body.at(kSuites)) << 8 |
                        std::to_integer<std::size_t>(body.at(kSuites + 1));
    return kSuites + 2 + suites;
  };
  EXPECT_TRUE(refused("legacy_version", [](Buffer& body) { body.at(1) = std::byte{0xff}; }));
  EXPECT_TRUE(refused("another compression",
                      [&](Buffer& body) { body.at(compression_of(body) + 1) = std::byte{1}; }));
  EXPECT_TRUE(refused("two compressions", [&](Buffer& body) {
    const std::size_t at = compression_of(body);
    body.at(at) = std::byte{2};
    insert(body, static_cast<std::ptrdiff_t>(at) + 1, {1});
  }));
  EXPECT_TRUE(refused("legacy_cookie", [](Buffer& body) {
    body.at(35) = std::byte{1};
    insert(body, 36, {7});
  }));
}

}  // namespace
}  // namespace sluice::test
