// Encryption of header extensions and CSRCs (RFC 9335), which libsrtp has from 2.8.0 on.
#pragma once

#include <srtp2/srtp.h>

#include <cstddef>

#include <sluice/srtp/session.h>

#include "packet.h"

namespace sluice::srtp {

// An extension without elements: "defined by profile" and a length of 0.
inline constexpr std::size_t kEmptyExtension = 4;

constexpr bool sends_encrypted(Cryptex mode) {
  return mode == Cryptex::on || mode == Cryptex::required;
}

// Whether libsrtp's streams of this direction are to encrypt or decrypt headers.
constexpr bool in_use(Cryptex mode, Direction direction) {
  return mode != Cryptex::off && (direction == Direction::inbound || sends_encrypted(mode));
}

// Has libsrtp encrypt or decrypt the headers of one SSRC, or of all that have no stream yet and of
// those that came from them. False: it can't.
bool set_cryptex(srtp_t context, const srtp_ssrc_t& ssrc, bool is_used);

// The following take RTP packets that have a clear_header_size().

// Section 5: no other extensions than those of RFC 8285, and of them none with appbits.
bool is_encryptable(Bytes packet);
// Section 5.1: CSRCs are encrypted only in a packet that has an extension.
bool lacks_extension(Bytes packet);
// Whether something of the header that this mechanism encrypts came in clear.
bool is_header_clear(Bytes packet);

// An empty extension behind the CSRCs, for which `buffer` has room behind the packet's `size`.
void add_empty_extension(MutableBytes buffer, std::size_t size);
// The packet as it was, `size` bytes of it.
void remove_empty_extension(MutableBytes buffer, std::size_t size);

}  // namespace sluice::srtp
