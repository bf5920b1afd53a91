// What a session keeps of the external PSK that authenticated its peer.
#pragma once

#include <array>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

namespace sluice::dtls::crypto {
class Library;
}

namespace sluice::dtls::handshake {

// Distinguishes the keys that one identity has had. Derived for this purpose alone, so nothing else
// that is computed from the key follows from it. Like a binder (RFC 8446 section 4.2.11.2) it lets
// its holder test guesses of a weak key.
using PskDigest = std::array<std::byte, 16>;

// HKDF (RFC 5869) of the key with a label as salt, and the identity as info.
Result<PskDigest> psk_digest(crypto::Library& library, Bytes identity, Bytes key);

}  // namespace sluice::dtls::handshake
