// The renegotiation_info extension (RFC 5746), in the form of an initial handshake only, because
// this engine does not renegotiate.
#pragma once

#include <sluice/dtls/protocol.h>

#include "message/extension_block.h"

namespace sluice::dtls::message {

// TLS_EMPTY_RENEGOTIATION_INFO_SCSV means the same as an empty extension (RFC 5746 section 3.3).
inline constexpr CipherSuite kEmptyRenegotiationInfoScsv{0x00ff};

// Whether `data` is an empty renegotiated_connection, as an initial handshake requires.
inline bool is_initial_renegotiation_info(Bytes data) {
  wire::Reader reader(data);
  return reader.vector8().empty() && reader.complete();
}

inline void put_renegotiation_info(wire::Writer& out) {
  put_extension(out, wire::ExtensionType::renegotiation_info,
                [](wire::Writer& data) { data.u8(0); });
}

}  // namespace sluice::dtls::message
