// The MAC of a STUN message.
#pragma once

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/environment.h>

#include "crypto/hash.h"

namespace sluice::stun {

// HMAC-SHA1 of the message up to where MESSAGE-INTEGRITY starts, with the length that the header
// has when the message ends with MESSAGE-INTEGRITY (RFC 8489 section 14.5). `before` has at least
// a header. The key stays in the Environment, because a check and its response have the same.
dtls::Result<dtls::crypto::Digest> message_mac(dtls::Environment& environment, dtls::Bytes key,
                                               dtls::Bytes before);

}  // namespace sluice::stun
