// The names of the protocol's code points, and the texts of errors.
#include <string>

#include <sluice/dtls/error.h>
#include <sluice/dtls/protocol.h>
#include <sluice/dtls/record_header.h>
#include <sluice/dtls/statistics.h>

namespace sluice::dtls {

// These are switches, so that the compiler reports a code without a name. The long ones have one
// line per name, which clang-format would break.

std::string_view to_string(ProtocolVersion version) {
  switch (version) {
    case ProtocolVersion::dtls10:
      return "DTLS 1.0";
    case ProtocolVersion::dtls12:
      return "DTLS 1.2";
    case ProtocolVersion::dtls13:
      return "DTLS 1.3";
  }
  return "unknown";
}

std::string_view to_string(Role role) { return role == Role::client ? "client" : "server"; }

std::string_view to_string(ContentType type) {
  switch (type) {
    case ContentType::change_cipher_spec:
      return "change_cipher_spec";
    case ContentType::alert:
      return "alert";
    case ContentType::handshake:
      return "handshake";
    case ContentType::application_data:
      return "application_data";
    case ContentType::ack:
      return "ACK";
    case ContentType::return_routability_check:
      return "return_routability_check";
  }
  return "unknown";
}

std::string_view to_string(CipherSuite suite) {
  // clang-format off
  switch (suite) {
    case CipherSuite::aes_128_gcm_sha256: return "TLS_AES_128_GCM_SHA256";
    case CipherSuite::aes_256_gcm_sha384: return "TLS_AES_256_GCM_SHA384";
    case CipherSuite::chacha20_poly1305_sha256: return "TLS_CHACHA20_POLY1305_SHA256";
    case CipherSuite::aes_128_ccm_sha256: return "TLS_AES_128_CCM_SHA256";
    case CipherSuite::aes_128_ccm_8_sha256: return "TLS_AES_128_CCM_8_SHA256";
    case CipherSuite::psk_with_aes_128_gcm_sha256: return "TLS_PSK_WITH_AES_128_GCM_SHA256";
    case CipherSuite::psk_with_aes_256_gcm_sha384: return "TLS_PSK_WITH_AES_256_GCM_SHA384";
    case CipherSuite::psk_with_aes_128_cbc_sha256: return "TLS_PSK_WITH_AES_128_CBC_SHA256";
    case CipherSuite::ecdhe_psk_with_aes_128_cbc_sha256: return "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256";
    case CipherSuite::psk_with_aes_128_ccm: return "TLS_PSK_WITH_AES_128_CCM";
    case CipherSuite::psk_with_aes_256_ccm: return "TLS_PSK_WITH_AES_256_CCM";
    case CipherSuite::psk_with_aes_128_ccm_8: return "TLS_PSK_WITH_AES_128_CCM_8";
    case CipherSuite::psk_with_aes_256_ccm_8: return "TLS_PSK_WITH_AES_256_CCM_8";
    case CipherSuite::psk_with_chacha20_poly1305_sha256: return "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256";
    case CipherSuite::ecdhe_psk_with_chacha20_poly1305_sha256: return "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256";
    case CipherSuite::ecdhe_psk_with_aes_128_gcm_sha256: return "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256";
    case CipherSuite::ecdhe_psk_with_aes_256_gcm_sha384: return "TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384";
    case CipherSuite::ecdhe_psk_with_aes_128_ccm_8_sha256: return "TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256";
    case CipherSuite::ecdhe_psk_with_aes_128_ccm_sha256: return "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256";
    case CipherSuite::ecdhe_ecdsa_with_aes_128_ccm: return "TLS_ECDHE_ECDSA_WITH_AES_128_CCM";
    case CipherSuite::ecdhe_ecdsa_with_aes_256_ccm: return "TLS_ECDHE_ECDSA_WITH_AES_256_CCM";
    case CipherSuite::ecdhe_ecdsa_with_aes_128_ccm_8: return "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8";
    case CipherSuite::ecdhe_ecdsa_with_aes_256_ccm_8: return "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8";
    case CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256: return "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    case CipherSuite::ecdhe_ecdsa_with_aes_256_gcm_sha384: return "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
    case CipherSuite::ecdhe_rsa_with_aes_128_gcm_sha256: return "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    case CipherSuite::ecdhe_rsa_with_aes_256_gcm_sha384: return "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
    case CipherSuite::ecdhe_rsa_with_chacha20_poly1305_sha256: return "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256";
    case CipherSuite::ecdhe_ecdsa_with_chacha20_poly1305_sha256: return "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256";
  }
  // clang-format on
  return "unknown";
}

std::string_view to_string(NamedGroup group) {
  switch (group) {
    case NamedGroup::secp256r1:
      return "secp256r1";
    case NamedGroup::secp384r1:
      return "secp384r1";
    case NamedGroup::x25519:
      return "x25519";
    case NamedGroup::x25519_mlkem768:
      return "X25519MLKEM768";
  }
  return "unknown";
}

std::string_view to_string(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::rsa_pkcs1_sha256:
      return "rsa_pkcs1_sha256";
    case SignatureScheme::rsa_pkcs1_sha384:
      return "rsa_pkcs1_sha384";
    case SignatureScheme::rsa_pkcs1_sha512:
      return "rsa_pkcs1_sha512";
    case SignatureScheme::ecdsa_secp256r1_sha256:
      return "ecdsa_secp256r1_sha256";
    case SignatureScheme::ed25519:
      return "ed25519";
    case SignatureScheme::ecdsa_secp384r1_sha384:
      return "ecdsa_secp384r1_sha384";
    case SignatureScheme::rsa_pss_rsae_sha256:
      return "rsa_pss_rsae_sha256";
    case SignatureScheme::rsa_pss_rsae_sha384:
      return "rsa_pss_rsae_sha384";
    case SignatureScheme::rsa_pss_rsae_sha512:
      return "rsa_pss_rsae_sha512";
  }
  return "unknown";
}

std::string_view to_string(CertificateType type) {
  switch (type) {
    case CertificateType::x509:
      return "X509";
    case CertificateType::raw_public_key:
      return "Raw Public Key";
  }
  return "unknown";
}

std::string_view to_string(PskKeyExchangeMode mode) {
  switch (mode) {
    case PskKeyExchangeMode::psk_ke:
      return "psk_ke";
    case PskKeyExchangeMode::psk_dhe_ke:
      return "psk_dhe_ke";
  }
  return "unknown";
}

std::string_view to_string(SrtpProfile profile) {
  switch (profile) {
    case SrtpProfile::aes128_cm_hmac_sha1_80:
      return "SRTP_AES128_CM_HMAC_SHA1_80";
    case SrtpProfile::aes128_cm_hmac_sha1_32:
      return "SRTP_AES128_CM_HMAC_SHA1_32";
    case SrtpProfile::aead_aes_128_gcm:
      return "SRTP_AEAD_AES_128_GCM";
    case SrtpProfile::aead_aes_256_gcm:
      return "SRTP_AEAD_AES_256_GCM";
  }
  return "unknown";
}

std::string_view to_string(Alert alert) {
  // clang-format off
  switch (alert) {
    case Alert::close_notify: return "close_notify";
    case Alert::unexpected_message: return "unexpected_message";
    case Alert::bad_record_mac: return "bad_record_mac";
    case Alert::record_overflow: return "record_overflow";
    case Alert::handshake_failure: return "handshake_failure";
    case Alert::bad_certificate: return "bad_certificate";
    case Alert::unsupported_certificate: return "unsupported_certificate";
    case Alert::certificate_revoked: return "certificate_revoked";
    case Alert::certificate_expired: return "certificate_expired";
    case Alert::certificate_unknown: return "certificate_unknown";
    case Alert::illegal_parameter: return "illegal_parameter";
    case Alert::unknown_ca: return "unknown_ca";
    case Alert::access_denied: return "access_denied";
    case Alert::decode_error: return "decode_error";
    case Alert::decrypt_error: return "decrypt_error";
    case Alert::too_many_cids_requested: return "too_many_cids_requested";
    case Alert::protocol_version: return "protocol_version";
    case Alert::insufficient_security: return "insufficient_security";
    case Alert::internal_error: return "internal_error";
    case Alert::user_canceled: return "user_canceled";
    case Alert::no_renegotiation: return "no_renegotiation";
    case Alert::missing_extension: return "missing_extension";
    case Alert::unsupported_extension: return "unsupported_extension";
    case Alert::unrecognized_name: return "unrecognized_name";
    case Alert::unknown_psk_identity: return "unknown_psk_identity";
    case Alert::certificate_required: return "certificate_required";
    case Alert::no_application_protocol: return "no_application_protocol";
  }
  // clang-format on
  return "unknown";
}

std::string_view to_string(Errc code) {
  // clang-format off
  switch (code) {
    case Errc::invalid_config: return "invalid configuration";
    case Errc::invalid_certificate: return "invalid certificate or key";
    case Errc::invalid_argument: return "invalid argument";
    case Errc::not_connected: return "not connected";
    case Errc::closed: return "closed";
    case Errc::closed_by_peer: return "the peer closed during the handshake";
    case Errc::alert_received: return "the peer sent a fatal alert";
    case Errc::peer_rejected: return "peer rejected";
    case Errc::untrusted_certificate: return "untrusted certificate";
    case Errc::decode_error: return "malformed message";
    case Errc::illegal_parameter: return "illegal parameter";
    case Errc::unexpected_message: return "unexpected message";
    case Errc::unsupported_extension: return "unsolicited extension";
    case Errc::no_common_version: return "no common version";
    case Errc::no_common_cipher_suite: return "no common cipher suite";
    case Errc::no_common_group: return "no common group";
    case Errc::no_common_application_protocol: return "no common application protocol";
    case Errc::no_common_signature_scheme: return "no common signature scheme";
    case Errc::missing_certificate: return "the peer sent no certificate";
    case Errc::unsupported_certificate: return "unsupported certificate";
    case Errc::signing_failed: return "signing failed";
    case Errc::bad_signature: return "bad signature";
    case Errc::bad_finished: return "bad Finished";
    case Errc::psk_mismatch: return "psk_mismatch";
    case Errc::bad_key_share: return "bad key share";
    case Errc::missing_extended_master_secret: return "extended master secret missing";
    case Errc::excessive_message: return "handshake message too large";
    case Errc::integrity_limit_reached: return "too many forged records";
    case Errc::message_seq_exhausted: return "message_seq exhausted";
    case Errc::handshake_timeout: return "handshake timed out";
    case Errc::srtp_not_negotiated: return "no SRTP profile negotiated";
    case Errc::export_blocked: return "export blocked";
    case Errc::session_refused: return "session refused";
    case Errc::unknown_state_key: return "unknown state key";
    case Errc::state_not_authentic: return "state not authentic";
    case Errc::connection_ids_used_up: return "connection IDs used up";
    case Errc::too_many_connections: return "too many connections";
    case Errc::connection_id_in_use: return "connection ID in use";
    case Errc::not_wanted: return "the session is not waited for";
    case Errc::buffer_too_small: return "buffer too small";
    case Errc::libcrypto_failure: return "libcrypto failure";
  }
  // clang-format on
  return "unknown";
}

ErrorDetail::ErrorDetail(const ErrorDetail& other) = default;
ErrorDetail::ErrorDetail(ErrorDetail&& other) noexcept = default;
ErrorDetail& ErrorDetail::operator=(const ErrorDetail& other) = default;
ErrorDetail& ErrorDetail::operator=(ErrorDetail&& other) noexcept = default;
ErrorDetail::~ErrorDetail() = default;

std::string to_string(const Error& error, SourcePlace place) {
  std::string text(to_string(error.code));
  if (!error.detail.empty()) text.append(": ").append(error.detail.view());
  if (error.alert) text.append(" (alert ").append(to_string(*error.alert)).append(")");
  if (error.libcrypto != 0)
    text.append(" (libcrypto ").append(std::to_string(error.libcrypto)).append(")");
  if (place == SourcePlace::omit) return text;
  const std::string_view file(error.where.file_name());
  const auto slash = file.rfind('/');
  text.append(" at ").append(slash == std::string_view::npos ? file : file.substr(slash + 1));
  return text.append(":").append(std::to_string(error.where.line()));
}

std::string_view to_string(Discard reason) {
  switch (reason) {
    case Discard::malformed_record:
      return "malformed_record";
    case Discard::unknown_version:
      return "unknown_version";
    case Discard::unknown_epoch:
      return "unknown_epoch";
    case Discard::wrong_connection_id:
      return "wrong_connection_id";
    case Discard::replayed:
      return "replayed";
    case Discard::authentication_failed:
      return "authentication_failed";
    case Discard::unexpected_content:
      return "unexpected_content";
    case Discard::stale_message:
      return "stale_message";
    case Discard::reassembly_full:
      return "reassembly_full";
    case Discard::unaccepted_data_full:
      return "unaccepted_data_full";
    case Discard::after_close:
      return "after_close";
  }
  return "unknown";
}

}  // namespace sluice::dtls
