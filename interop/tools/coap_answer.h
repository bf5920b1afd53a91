// A minimal CoAP server (RFC 7252).
#pragma once

#include <sluice/dtls/bytes.h>

#include <optional>

namespace sluice::interop::tools {

// The answer to a CoAP message: 2.05 Content with the payload "sluice" for a request, a Reset for
// an empty confirmable message. Empty: no answer is due.
std::optional<dtls::Buffer> answer_to_coap(dtls::Bytes message);

}  // namespace sluice::interop::tools
