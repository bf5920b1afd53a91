// What a connection waits for, in words.
#pragma once

#include <string_view>

#include <sluice/dtls/connection.h>

namespace sluice::dtls::connection {

// The detail of a handshake_timeout: what the application did not answer. Empty where it was not
// asked; see timeout_detail().
std::string_view unanswered_detail(WaitingFor what);

}  // namespace sluice::dtls::connection
