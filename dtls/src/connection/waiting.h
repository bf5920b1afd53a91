// What a connection waits for, in words.
#pragma once

#include <string_view>

#include <sluice/dtls/connection.h>

namespace sluice::dtls::connection {

// The detail of a handshake_timeout: what did not come in time.
std::string_view timeout_detail(WaitingFor what);

}  // namespace sluice::dtls::connection
