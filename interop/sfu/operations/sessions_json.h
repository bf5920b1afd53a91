// The sessions of a server as JSON.
#pragma once

#include <string>

#include "sfu/sfu.h"

namespace sluice::interop::sfu {

// Without what is secret: of the sessions' IDs only the first eight digits.
std::string sessions_json(const Sfu& sfu, dtls::Instant now);

}  // namespace sluice::interop::sfu
