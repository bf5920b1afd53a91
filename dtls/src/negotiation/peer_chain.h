// The contents of the peer's Certificate message.
#pragma once

#include <span>

#include "crypto/public_key.h"
#include "negotiation/context.h"

namespace sluice::dtls::handshake {

// Takes the chain, or the raw public key, into Context::peer, and returns the peer's key. `chain`
// must not be empty. Errors: unsupported_certificate for a type that the Config does not accept;
// illegal_parameter for more than one raw public key; invalid_certificate.
Result<crypto::PublicKey> take_chain(Context& context, std::span<const Bytes> chain,
                                     CertificateType type);

}  // namespace sluice::dtls::handshake
