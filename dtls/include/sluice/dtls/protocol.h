// Code points of the protocol, named as in IANA's registries.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::dtls {

// The version field of records and hellos (RFC 6347 section 4.1).
enum class ProtocolVersion : std::uint16_t {
  dtls10 = 0xfeff,  // only in the record header of first flights; never negotiated (RFC 8996)
  dtls12 = 0xfefd,
  dtls13 = 0xfefc,
};

enum class Role : std::uint8_t { client, server };

// Hash functions of PRFs, PSKs and fingerprints.
enum class HashAlgorithm : std::uint8_t { sha1, sha256, sha384, sha512 };

std::string_view to_string(HashAlgorithm hash);  // RFC 8122's names: "sha-256"

// Cipher suites of DTLS 1.3 (RFC 8446 appendix B.4), which leave key exchange and authentication
// open, and of DTLS 1.2 (RFC 5289, 7251, 7905; with a PSK RFC 5487, 5489, 6655, 7905, 8442).
// ConfigOptions::default_cipher_suites() says which are on.
enum class CipherSuite : std::uint16_t {
  aes_128_gcm_sha256 = 0x1301,
  aes_256_gcm_sha384 = 0x1302,
  chacha20_poly1305_sha256 = 0x1303,
  aes_128_ccm_sha256 = 0x1304,
  aes_128_ccm_8_sha256 = 0x1305,
  ecdhe_ecdsa_with_aes_128_ccm = 0xc0ac,
  ecdhe_ecdsa_with_aes_256_ccm = 0xc0ad,
  psk_with_aes_128_gcm_sha256 = 0x00a8,
  psk_with_aes_256_gcm_sha384 = 0x00a9,
  psk_with_aes_128_cbc_sha256 = 0x00ae,
  ecdhe_psk_with_aes_128_cbc_sha256 = 0xc037,
  psk_with_aes_128_ccm = 0xc0a4,
  psk_with_aes_256_ccm = 0xc0a5,
  psk_with_aes_128_ccm_8 = 0xc0a8,
  psk_with_aes_256_ccm_8 = 0xc0a9,
  psk_with_chacha20_poly1305_sha256 = 0xccab,
  ecdhe_psk_with_chacha20_poly1305_sha256 = 0xccac,
  ecdhe_psk_with_aes_128_gcm_sha256 = 0xd001,
  ecdhe_psk_with_aes_256_gcm_sha384 = 0xd002,
  ecdhe_psk_with_aes_128_ccm_8_sha256 = 0xd003,
  ecdhe_psk_with_aes_128_ccm_sha256 = 0xd005,
  ecdhe_ecdsa_with_aes_128_ccm_8 = 0xc0ae,
  ecdhe_ecdsa_with_aes_256_ccm_8 = 0xc0af,
  ecdhe_ecdsa_with_aes_128_gcm_sha256 = 0xc02b,
  ecdhe_ecdsa_with_aes_256_gcm_sha384 = 0xc02c,
  ecdhe_rsa_with_aes_128_gcm_sha256 = 0xc02f,
  ecdhe_rsa_with_aes_256_gcm_sha384 = 0xc030,
  ecdhe_rsa_with_chacha20_poly1305_sha256 = 0xcca8,
  ecdhe_ecdsa_with_chacha20_poly1305_sha256 = 0xcca9,
};

// Groups (RFC 8422 section 5.1.1), and X25519 with ML-KEM-768 against quantum computers, for DTLS
// 1.3 only (draft-ietf-tls-ecdhe-mlkem).
enum class NamedGroup : std::uint16_t {
  secp256r1 = 23,
  secp384r1 = 24,
  x25519 = 29,
  x25519_mlkem768 = 0x11ec,
};

// RFC 8446 section 4.2.3; in DTLS 1.2 the same numbers are a hash and a signature algorithm.
enum class SignatureScheme : std::uint16_t {
  rsa_pkcs1_sha256 = 0x0401,
  rsa_pkcs1_sha384 = 0x0501,
  rsa_pkcs1_sha512 = 0x0601,
  ecdsa_secp256r1_sha256 = 0x0403,
  ecdsa_secp384r1_sha384 = 0x0503,
  rsa_pss_rsae_sha256 = 0x0804,
  rsa_pss_rsae_sha384 = 0x0805,
  rsa_pss_rsae_sha512 = 0x0806,
  ed25519 = 0x0807,
};

// What a Certificate message has (RFC 7250 section 7): a chain of X.509 certificates, or only the
// SubjectPublicKeyInfo of one key, in DER.
enum class CertificateType : std::uint8_t { x509 = 0, raw_public_key = 2 };

// RFC 5764 section 4.1.2 and RFC 7714 section 14.2.
enum class SrtpProfile : std::uint16_t {
  aes128_cm_hmac_sha1_80 = 0x0001,
  aes128_cm_hmac_sha1_32 = 0x0002,
  aead_aes_128_gcm = 0x0007,
  aead_aes_256_gcm = 0x0008,
};

// How a PSK is used in DTLS 1.3 (RFC 8446 section 4.2.9): alone, or with a Diffie-Hellman exchange.
enum class PskKeyExchangeMode : std::uint8_t { psk_ke = 0, psk_dhe_ke = 1 };

// RFC 8446 section 4.6.3: whether the peer must update its keys, too.
enum class KeyUpdateRequest : std::uint8_t {
  update_not_requested = 0,
  update_requested = 1,
};

// RFC 5246 section 7.2 and RFC 8446 section 6.
enum class Alert : std::uint8_t {
  close_notify = 0,
  unexpected_message = 10,
  bad_record_mac = 20,
  record_overflow = 22,
  handshake_failure = 40,
  bad_certificate = 42,
  unsupported_certificate = 43,
  certificate_revoked = 44,
  certificate_expired = 45,
  certificate_unknown = 46,
  illegal_parameter = 47,
  unknown_ca = 48,
  access_denied = 49,
  decode_error = 50,
  decrypt_error = 51,
  too_many_cids_requested = 52,  // RFC 9147 section 9
  protocol_version = 70,
  insufficient_security = 71,
  internal_error = 80,
  user_canceled = 90,
  no_renegotiation = 100,
  missing_extension = 109,
  unsupported_extension = 110,
  unrecognized_name = 112,
  unknown_psk_identity = 115,
  certificate_required = 116,
  no_application_protocol = 120,
};

// IANA's names, such as "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"; "unknown" for other
// numbers.
std::string_view to_string(ProtocolVersion version);
std::string_view to_string(Role role);
std::string_view to_string(CipherSuite suite);
std::string_view to_string(NamedGroup group);
std::string_view to_string(SignatureScheme scheme);
std::string_view to_string(CertificateType type);
std::string_view to_string(PskKeyExchangeMode mode);
std::string_view to_string(SrtpProfile profile);
std::string_view to_string(Alert alert);

}  // namespace sluice::dtls
