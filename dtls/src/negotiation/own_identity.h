// How this side proves its identity: which certificate it chooses, and its signatures.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include <sluice/dtls/event.h>

#include "crypto/credentials.h"
#include "message/certificate_criteria.h"

namespace sluice::dtls::handshake {

class Context;

// The identity that was chosen, and the scheme that it signs with.
struct OwnIdentity {
  Identity identity;
  SignatureScheme scheme;
  CertificateType type = CertificateType::x509;  // of what this side sends
  // The name in the client's server_name had a part in the choice (RFC 6066 section 3).
  bool is_by_name = false;
};

struct OwnIdentityState {
  std::optional<OwnIdentity> chosen = {};  // empty: none yet, or none at all
  // IdentityRequested has been answered, and with which identity.
  bool asked = false;
  std::optional<Identity> given = {};
};

// Whether a key of this type makes signatures of the scheme: crypto::can_sign12 or
// crypto::can_sign13.
using SchemeFits = bool (*)(SignatureScheme, crypto::KeyType);

// Chooses the type of certificate in the order of ConfigOptions::own_certificate_types, then from
// Context::identities() in the order that ConfigOptions::identities describes, among those whose
// key `takes_key` allows; empty when none fits. `host` is the name in the client's server_name; a
// client passes an empty one.
std::optional<OwnIdentity> choose_identity(const Context& context, std::string_view host,
                                           const message::CertificateCriteria& criteria,
                                           SchemeFits fits,
                                           const std::function<bool(crypto::KeyType)>& takes_key);
// The same for any type of key.
std::optional<OwnIdentity> choose_identity(const Context& context, std::string_view host,
                                           const message::CertificateCriteria& criteria,
                                           SchemeFits fits);
// What the Certificate message has of the identity that was chosen; empty when none was.
const std::vector<Buffer>& own_chain(const Context& context);

// Asks the caller for the identity to use.
void ask_for_identity(Context& context, const message::CertificateCriteria& criteria);
// Takes the caller's answer into Context::identities().
void take_identity(Context& context, const Answer& answer);

// Signs `content` with the chosen identity. If the caller holds the key, asks for the signature,
// returns none and holds the flight until signature_of() is called.
Result<std::optional<Buffer>> sign(Context& context, Bytes content);
// The signature in the caller's answer; releases the flight. Errors: internal_error.
Result<Buffer> signature_of(Context& context, const Answer& answer);

}  // namespace sluice::dtls::handshake
