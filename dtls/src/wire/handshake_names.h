// The names of handshake messages, for the texts of errors.
#pragma once

#include <string_view>

#include "wire/types.h"

namespace sluice::dtls::wire {

// As RFC 5246 and RFC 8446 write them; "unknown message" for other codes.
std::string_view name_of(HandshakeType type);

}  // namespace sluice::dtls::wire
