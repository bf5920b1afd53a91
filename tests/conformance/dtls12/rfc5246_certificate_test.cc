// RFC 5246 sections 7.4.2 to 7.4.8: certificates and the proof that their key is at hand.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>

#include "conformance/dtls12/vocabulary.h"
#include "crypto/credentials.h"

namespace sluice::test {
namespace {

// The DER of a certificate for this key, which it takes over.
Buffer certificate_for(EVP_PKEY* raw_key) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(raw_key, EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  X509* x509 = certificate.get();
  X509_gmtime_adj(X509_getm_notBefore(x509), 0);
  X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
  X509_set_pubkey(x509, key.get());
  const bool hashes = EVP_PKEY_is_a(key.get(), "ED448") != 1;
  X509_sign(x509, key.get(), hashes ? EVP_sha256() : nullptr);
  unsigned char* encoding = nullptr;
  const int size = i2d_X509(x509, &encoding);
  const Buffer der = copy_of(std::as_bytes(std::span(encoding, static_cast<std::size_t>(size))));
  OPENSSL_free(encoding);
  return der;
}

Buffer own_certificate() { return copy_of(ecdsa_identity().certificate()); }

Script showing(std::vector<Buffer> chain) {
  Script script;
  script.chain = std::move(chain);
  return script;
}

std::size_t sent(const Duel& duel, HandshakeType type) {
  return static_cast<std::size_t>(std::ranges::count(
      duel.peer.messages, type, [](const Buffer& message) { return type_of(message); }));
}

// ---- section 7.4.2

TEST(Rfc5246_7_4_2, AServerMustHaveACertificate) {
  EXPECT_TRUE(refused(Role::client, showing({}), Errc::missing_certificate, Alert::decode_error));
}

TEST(Rfc5246_7_4_2, ACertificateThatCantBeReadIsBad) {
  Buffer cut = own_certificate();
  cut.resize(cut.size() - 1);
  Buffer longer = own_certificate();
  longer.push_back(std::byte{0});
  for (const Role role : kRoles) {
    for (const Buffer& certificate : {from_hex("00"), from_hex("3000"), from_hex("3080 0000"),
                                      from_hex("30 84 ffffffff"), counted(500), cut, longer}) {
      EXPECT_TRUE(
          refused(role, showing({certificate}), Errc::invalid_certificate, Alert::bad_certificate));
    }
  }
}

TEST(Rfc5246_7_4_2, AMalformedCertificateMessageIsRefused) {
  for (const Role role : kRoles) {
    // Cut short, an empty certificate, lengths that disagree, bytes behind the list.
    for (const char* body : {"", "0000", "000001", "000003 000000", "000004 000000 00",
                             "000005 000001 00", "000000 00", "000004 000002 00"}) {
      SCOPED_TRACE(body);
      Script script;
      script.alter =
          altering(HandshakeType::certificate, [&](Buffer& altered) { altered = from_hex(body); });
      EXPECT_TRUE(refused(role, script, Errc::decode_error, Alert::decode_error));
    }
  }
}

TEST(Rfc5246_7_4_2, IssuersMayFollow) {
  for (const Role role : kRoles) {
    Duel duel(role, showing({own_certificate(), copy_of(rsa_identity().certificate()),
                             from_hex("0102")}));  // which nobody reads
    EXPECT_TRUE(works(duel));
    EXPECT_EQ(duel.engine.peer_chain.size(), 3U);
  }
}

TEST(Rfc5246_7_4_2, KeysThatAreTooWeakOrUnknownAreUnsupported) {
  for (const Role role : kRoles) {
    for (EVP_PKEY* key : {EVP_RSA_gen(1024), EVP_EC_gen("P-521"), EVP_EC_gen("P-224"),
                          EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448")}) {
      EXPECT_TRUE(refused(role, showing({certificate_for(key)}), Errc::unsupported_certificate,
                          Alert::unsupported_certificate));
    }
  }
}

// RFC 8422 section 5.3: "the key type is appropriate for the negotiated key exchange algorithm".
TEST(Rfc8422_5_3, TheServersKeyMustFitTheSuite) {
  Script rsa_suite;
  rsa_suite.server_hello.suite = CipherSuite::ecdhe_rsa_with_aes_128_gcm_sha256;
  EXPECT_TRUE(
      refused(Role::client, rsa_suite, Errc::unsupported_certificate, Alert::illegal_parameter));
  Script rsa_key;
  rsa_key.identity = rsa_identity();
  rsa_key.scheme = SignatureScheme::rsa_pss_rsae_sha256;
  EXPECT_TRUE(
      refused(Role::client, rsa_key, Errc::unsupported_certificate, Alert::illegal_parameter));
}

// ---- section 7.4.4 and 7.4.6

Script requesting(const char* body) {
  Script script;
  script.alter = altering(HandshakeType::certificate_request,
                          [body](Buffer& altered) { altered = from_hex(body); });
  return script;
}

TEST(Rfc5246_7_4_4, AClientWithoutAnAcceptableCertificateSendsAnEmptyList) {
  // Types and schemes: RSA alone; nothing known; the right type without a scheme.
  for (const char* body : {"01 01 0002 0401 0000", "01 07 0002 0a0a 0000", "01 40 0002 0203 0000",
                           "01 01 0002 0403 0000"}) {
    SCOPED_TRACE(body);
    Duel duel(Role::client, requesting(body));
    ASSERT_TRUE(works(duel));
    ASSERT_EQ(sent(duel, HandshakeType::certificate), 1U);
    EXPECT_EQ(sent(duel, HandshakeType::certificate_verify), 0U);
    const auto shown = std::ranges::find(duel.peer.messages, HandshakeType::certificate,
                                         [](const Buffer& message) { return type_of(message); });
    EXPECT_EQ(copy_of(Bytes(*shown).subspan(12)), from_hex("000000"));
  }
}

TEST(Rfc5246_7_4_4, UnknownTypesSchemesAndAuthoritiesAreIgnored) {
  Duel duel(Role::client, requesting("03 07 40 ff 0006 0a0a 0403 ffff 0005 0003 300100"));
  ASSERT_TRUE(works(duel));
  EXPECT_EQ(sent(duel, HandshakeType::certificate_verify), 1U);
}

TEST(Rfc5246_7_4_4, AMalformedCertificateRequestIsRefused) {
  // Cut short; no types; no schemes; an odd list; authorities that end early; bytes behind it.
  for (const char* body : {"", "01", "01 40", "00 0002 0403 0000", "01 40 0000 0000",
                           "01 40 0003 040304 0000", "01 40 0002 0403", "01 40 0002 0403 0001 00",
                           "01 40 0002 0403 0003 0002 30", "01 40 0002 0403 0000 00"}) {
    SCOPED_TRACE(body);
    EXPECT_TRUE(refused(Role::client, requesting(body), Errc::decode_error, Alert::decode_error));
  }
}

TEST(Rfc5246_7_4_6, AClientSendsNoCertificateUnasked) {
  Script script;
  script.requests_certificate = false;
  Duel duel(Role::client, script);
  ASSERT_TRUE(works(duel));
  EXPECT_EQ(sent(duel, HandshakeType::certificate), 0U);
  EXPECT_EQ(sent(duel, HandshakeType::certificate_verify), 0U);
}

// "If [...] the certificate is required [...] a fatal handshake_failure alert."
TEST(Rfc5246_7_4_6, AnEmptyListDoesNotDoWhereACertificateIsRequired) {
  for (const bool verifies : {false, true}) {
    Script script = showing({});
    if (!verifies) script.omitted = {HandshakeType::certificate_verify};
    EXPECT_TRUE(refused(Role::server, script, Errc::missing_certificate, Alert::handshake_failure));
  }
}

TEST(Rfc5246_7_4_6, NorDoesItsAbsence) {
  Script script;
  script.omitted = {HandshakeType::certificate, HandshakeType::certificate_verify};
  EXPECT_TRUE(refused(Role::server, script, Errc::unexpected_message, Alert::unexpected_message));
}

TEST(Rfc5246_7_4_6, AServerThatAsksForNoneTakesNone) {
  dtls::ConfigOptions options = test::options();
  options.peer_authentication = dtls::PeerAuthentication::none;
  Duel duel(Role::server, {}, options);
  EXPECT_TRUE(works(duel));
  EXPECT_EQ(sent(duel, HandshakeType::certificate_request), 0U);
  EXPECT_TRUE(duel.engine.peer_chain.empty());

  Script unasked;
  unasked.replies = false;
  Duel other(Role::server, unasked, options);
  other.deliver(other.peer.message(HandshakeType::client_hello));
  other.collect();
  other.deliver(other.peer.message(HandshakeType::certificate));
  EXPECT_TRUE(failed(other, Errc::unexpected_message, Alert::unexpected_message));
}

// ---- section 7.4.8

// CVE-2022-29222, CVE-2021-34433, CVE-2020-2655: a certificate without the proof of its key.
TEST(Rfc5246_7_4_8, WithoutCertificateVerifyThereIsNoFinished) {
  Script script;
  script.omitted = {HandshakeType::certificate_verify};
  EXPECT_TRUE(refused(Role::server, script, Errc::unexpected_message, Alert::unexpected_message));
}

TEST(Rfc5246_7_4_8, CertificateVerifyAfterChangeCipherSpecAndFinishedIsTooLate) {
  Script script;
  script.edit = [](Flight& flight) {
    // Finished takes the number of CertificateVerify, which follows it.
    if (flight.back().epoch == kPlaintextEpoch) return;
    auto verify = find(flight, HandshakeType::certificate_verify);
    std::swap(verify->contents[5], flight.back().contents[5]);
    std::swap(*verify, flight.back());
  };
  EXPECT_TRUE(refused(Role::server, script, Errc::unexpected_message, Alert::unexpected_message));
}

TEST(Rfc5246_7_4_8, ACertificateOfAnotherKeyIsNoProof) {
  const auto other = must(dtls::Identity::self_signed(environment(), "other"));
  EXPECT_TRUE(refused(Role::server, showing({copy_of(other.certificate())}), Errc::bad_signature,
                      Alert::decrypt_error));
}

// digitally-signed: scheme, length, signature.
Buffer signed_element(unsigned scheme, Bytes signature) {
  Buffer element = {static_cast<std::byte>(scheme >> 8), static_cast<std::byte>(scheme & 0xff),
                    static_cast<std::byte>(signature.size() >> 8),
                    static_cast<std::byte>(signature.size() & 0xff)};
  return joined({element, signature});
}

TEST(Rfc5246_7_4_8, ASchemeThatWasNotOfferedIsRefused) {
  // SHA-1, unknown, of another kind of key; all with a signature that is right for SHA-256.
  for (const unsigned scheme : {0x0203U, 0x0201U, 0x0000U, 0xffffU, 0x0603U, 0x0804U, 0x0401U}) {
    SCOPED_TRACE(scheme);
    Script script;
    script.alter = altering(HandshakeType::certificate_verify, [&](Buffer& body) {
      body[0] = static_cast<std::byte>(scheme >> 8);
      body[1] = static_cast<std::byte>(scheme & 0xff);
    });
    EXPECT_TRUE(refused(Role::server, script, Errc::illegal_parameter, Alert::illegal_parameter));
  }
}

TEST(Rfc5246_7_4_8, ASchemeThatTheConfigLeavesOutIsRefused) {
  dtls::ConfigOptions options = test::options();
  options.signature_schemes = {SignatureScheme::ecdsa_secp256r1_sha256};
  Script script;
  script.scheme = SignatureScheme::ecdsa_secp384r1_sha384;
  EXPECT_TRUE(
      refused(Role::server, script, Errc::illegal_parameter, Alert::illegal_parameter, options));
}

TEST(Rfc5246_7_4_8, ASignatureOverOtherBytesIsRefused) {
  int variant = 0;
  const auto signed_by_variant = [&variant](const ScriptedPeer& peer) {
    Buffer covered = copy_of(peer.transcript());
    switch (variant) {
      case 0:
        covered.clear();
        break;
      case 1:
        covered.pop_back();
        break;
      case 2:
        covered.push_back(std::byte{0});
        break;
      default:
        covered[100] ^= std::byte{1};
        break;
    }
    return must(ecdsa_identity().credentials().sign(
        environment().library(), SignatureScheme::ecdsa_secp256r1_sha256, covered));
  };
  for (variant = 0; variant < 4; ++variant) {
    SCOPED_TRACE(variant);
    Duel attempt(Role::server);
    attempt.peer.script.alter = altering(HandshakeType::certificate_verify, [&](Buffer& body) {
      body = signed_element(0x0403, signed_by_variant(attempt.peer));
    });
    attempt.run();
    EXPECT_TRUE(failed(attempt, Errc::bad_signature, Alert::decrypt_error));
  }
}

TEST(Rfc5246_7_4_8, ABrokenSignatureIsRefused) {
  const auto with = [](std::function<void(Buffer&)> change) {
    Script script;
    script.alter = altering(HandshakeType::certificate_verify, std::move(change));
    return script;
  };
  // r and s both 0, both 1; no signature; no DER; one bit wrong.
  for (const char* signature : {"", "00", "3006 020100 020100", "3006 020101 020101", "3000"}) {
    SCOPED_TRACE(signature);
    EXPECT_TRUE(refused(Role::server, with([&](Buffer& body) {
                          body = signed_element(0x0403, from_hex(signature));
                        }),
                        Errc::bad_signature, Alert::decrypt_error));
  }
  EXPECT_TRUE(refused(Role::server,
                      with([](Buffer& body) { body[body.size() - 3] ^= std::byte{1}; }),
                      Errc::bad_signature, Alert::decrypt_error));
  for (const std::size_t size : {0U, 1U, 2U, 3U, 4U, 40U}) {
    EXPECT_TRUE(refused(Role::server, with([&](Buffer& body) { body.resize(size); }),
                        Errc::decode_error, Alert::decode_error));
  }
}

TEST(Rfc5246_7_4_8, EachKindOfKeyProvesItself) {
  for (const auto& [identity, scheme] :
       {std::pair{ecdsa_identity(), SignatureScheme::ecdsa_secp384r1_sha384},
        std::pair{p384_identity(), SignatureScheme::ecdsa_secp256r1_sha256},
        std::pair{p384_identity(), SignatureScheme::ecdsa_secp384r1_sha384},
        std::pair{rsa_identity(), SignatureScheme::rsa_pkcs1_sha256},
        std::pair{rsa_identity(), SignatureScheme::rsa_pss_rsae_sha512}}) {
    SCOPED_TRACE(to_string(scheme));
    Script script;
    script.identity = identity;
    script.scheme = scheme;
    Duel duel(Role::server, script);
    EXPECT_TRUE(works(duel));
  }
}

// ---- empty and long messages

TEST(Rfc5246_7_4_5, ServerHelloDoneIsEmpty) {
  Script script;
  script.alter = altering(HandshakeType::server_hello_done,
                          [](Buffer& body) { body.push_back(std::byte{0}); });
  EXPECT_TRUE(refused(Role::client, script, Errc::decode_error, Alert::decode_error));
}

}  // namespace
}  // namespace sluice::test
