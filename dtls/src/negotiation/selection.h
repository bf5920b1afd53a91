// What a server selects from a ClientHello (RFC 8446 section 4.1.1).
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include <sluice/dtls/config.h>

#include "message/client_hello.h"
#include "negotiation/context.h"
#include "negotiation/fatal.h"
#include "negotiation/groups.h"
#include "negotiation/own_identity.h"
#include "schedule/cipher_suite.h"

namespace sluice::dtls::handshake {

// The highest version that the client supports and `config` allows. Errors: no_common_version with
// protocol_version.
Result<ProtocolVersion> choose_version(const ConfigOptions& config,
                                       const message::ClientHello& hello);

// What a DTLS 1.3 server chooses before it looks at credentials.
struct Choice13 {
  const schedule::CipherSuite13Parameters* suite = nullptr;
  // Empty: the client only offers PSKs without a Diffie-Hellman exchange (psk_ke).
  std::optional<NamedGroup> group = {};
  // The client's share of that group; empty: a HelloRetryRequest must ask for it.
  std::optional<Bytes> share = {};
};
// Errors: as choose12(); missing_extension (RFC 8446 section 9.2); psk_mismatch.
Result<Choice13> choose13(const ConfigOptions& config, const crypto::Library& library,
                          const message::ClientHello& hello);
// The first common suite with this hash, or with any; null when there is none.
const schedule::CipherSuite13Parameters* choose_suite13(
    const ConfigOptions& config, const message::ClientHello& hello,
    std::optional<HashAlgorithm> hash = std::nullopt);
// Which certificates the peer accepts, from a ClientHello or a CertificateRequest. Errors:
// decode_error.
Result<message::CertificateCriteria> certificate_criteria(
    const message::ExtensionBlock& extensions);
// The certificate of a DTLS 1.3 server. Errors: no_common_signature_scheme with handshake_failure,
// also when the server has no certificate; unsupported_certificate; missing_extension.
Result<OwnIdentity> choose_identity13(const Context& context,
                                      const message::CertificateCriteria& criteria);

// What a DTLS 1.2 server chooses.
struct Choice12 {
  schedule::CipherSuite12Parameters suite;
  std::optional<OwnIdentity> own;   // with a certificate
  std::optional<NamedGroup> group;  // with ECDHE
};
// Errors: no_common_group, no_common_signature_scheme, no_common_cipher_suite with
// handshake_failure; unsupported_certificate; decode_error for malformed extensions.
Result<Choice12> choose12(const Context& context, const message::ClientHello& hello);

// Of an Error: the client has no other mode.
inline constexpr std::string_view kPskKeOnly =
    "the client offers PSKs with psk_ke only, without forward secrecy; this server takes "
    "psk_dhe_ke";

// Whether a certificate with this type of key fits the suite (RFC 8422 section 2).
bool authenticates(KeyExchange12 exchange, crypto::KeyType type);

// Whether `list` has `value`.
template <class Range, class Value>
bool contains(const Range& list, const Value& value) {
  return std::ranges::find(list, value) != std::ranges::end(list);
}

}  // namespace sluice::dtls::handshake
