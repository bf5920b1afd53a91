// The SDP attribute a=sctp-init (draft-hancke-tsvwg-snap), which replaces SCTP's handshake.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sluice/dtls/bytes.h>

namespace sluice::data_channel {

// The attribute's value for Association::local_init(): base64 (RFC 4648 section 4).
std::string write_sctp_init(dtls::Bytes init);
// The INIT chunk of a peer's a=sctp-init, for Association::start(). Empty: no base64, or not
// exactly one INIT chunk. Then answer as if the peer had not sent the attribute.
std::optional<dtls::Buffer> read_sctp_init(std::string_view value);

}  // namespace sluice::data_channel
