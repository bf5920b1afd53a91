// The SRTP keys of a DTLS-SRTP handshake (RFC 5764 section 4.2).
#pragma once

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/protocol.h>
#include <sluice/dtls/secret.h>

namespace sluice::dtls {

// Master key, then master salt, as libsrtp takes them: 16 + 14 bytes for AES128_CM, 16 + 12 for
// AEAD_AES_128_GCM, 32 + 12 for AEAD_AES_256_GCM.
using SrtpMasterKey = Secret<44>;

struct SrtpKeys {
  SrtpProfile profile;
  SrtpMasterKey local;   // protects what this side sends
  SrtpMasterKey remote;  // unprotects what the peer sent
  // The MKI of all packets (RFC 5764 section 4.1.3), up to 255 bytes; empty: none.
  Buffer mki = {};
};

}  // namespace sluice::dtls
