// Choices that both sides' lists lead to.
#pragma once

#include <algorithm>
#include <optional>

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

// What a DTLS 1.3 server chooses, whoever is to prove what how.
struct Choice13 {
  const schedule::CipherSuite13Parameters* suite = nullptr;
  NamedGroup group{};
  std::optional<Bytes> share = {};  // the client's of that group; empty: it has to be asked for
};
// Errors: as choose12(); missing_extension where RFC 8446 section 9.2 wants one.
Result<Choice13> choose13(const ConfigOptions& config, const crypto::Library& library,
                          const message::ClientHello& hello);
// The suite of both sides' that a PSK of this hash goes with; null when there is none.
const schedule::CipherSuite13Parameters* choose_suite13(
    const ConfigOptions& config, const message::ClientHello& hello,
    std::optional<HashAlgorithm> hash = std::nullopt);
// What the client says about the certificates that it takes. Errors: decode_error.
Result<message::CertificateCriteria> certificate_criteria(
    const message::ExtensionBlock& extensions);
// What a DTLS 1.3 server proves itself with. Errors: no_common_signature_scheme with
// handshake_failure, also when it has no certificate; missing_extension.
Result<OwnIdentity> choose_identity13(const Context& context,
                                      const message::CertificateCriteria& criteria);

// What a DTLS 1.2 server chooses.
struct Choice12 {
  schedule::CipherSuite12Parameters suite;
  std::optional<OwnIdentity> own;   // with a certificate
  std::optional<NamedGroup> group;  // with ECDHE
};
// Errors: no_common_group, no_common_signature_scheme, no_common_cipher_suite with
// handshake_failure; decode_error for malformed extensions.
Result<Choice12> choose12(const Context& context, const message::ClientHello& hello);

// The peer's certificate key must be of the kind that the suite names (RFC 8422 section 2).
bool authenticates(KeyExchange12 exchange, crypto::KeyType type);

// Whether `list` has `value`.
template <class Range, class Value>
bool contains(const Range& list, const Value& value) {
  return std::ranges::find(list, value) != std::ranges::end(list);
}

}  // namespace sluice::dtls::handshake
