// As much of CoAP as a client needs to be satisfied (RFC 7252).
#pragma once

#include <sluice/dtls/bytes.h>

#include <optional>

namespace sluice::interop::tools {

// What a message is answered with: a request with 2.05 Content and a word, an empty confirmable
// message with a Reset. Empty: with nothing, as it is neither.
std::optional<dtls::Buffer> answer_to_coap(dtls::Bytes message);

}  // namespace sluice::interop::tools
