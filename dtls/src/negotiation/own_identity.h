// What this side proves itself with: which of its identities, and its signatures.
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

// The one that was chosen, and what it signs with.
struct OwnIdentity {
  Identity identity;
  SignatureScheme scheme;
};

// Whether a key of this type makes signatures of the scheme: crypto::fits12 or crypto::fits13.
using SchemeFits = bool (*)(SignatureScheme, crypto::KeyType);

// The best of the context's whose key `takes_key` allows, as ConfigOptions::identities says; empty
// when none will do. `host` is whom a client asks for.
std::optional<OwnIdentity> choose_identity(const Context& context, std::string_view host,
                                           const message::CertificateCriteria& criteria,
                                           SchemeFits fits,
                                           const std::function<bool(crypto::KeyType)>& takes_key);
// The same for whom any key will do.
std::optional<OwnIdentity> choose_identity(const Context& context, std::string_view host,
                                           const message::CertificateCriteria& criteria,
                                           SchemeFits fits);
// Of the one that was chosen; empty without.
const std::vector<Buffer>& own_chain(const Context& context);

// Asks for the identity to use.
void ask_for_identity(Context& context, const message::CertificateCriteria& criteria);
// Keeps what the answer says for Context::identities().
void take_identity(Context& context, const Answer& answer);

// Signs with the chosen identity. Where its key is elsewhere it asks for the signature and returns
// none; the flight then waits for signature_of().
Result<std::optional<Buffer>> sign(Context& context, Bytes content);
// What the answer says; the flight may leave now. Errors: internal_error.
Result<Buffer> signature_of(Context& context, const Answer& answer);

}  // namespace sluice::dtls::handshake
