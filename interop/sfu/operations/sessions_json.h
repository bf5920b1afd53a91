// The sessions of a server as JSON.
#pragma once

#include <string>

#include "sfu/operations/sessions_snapshot.h"

namespace sluice::interop::sfu {

// Without what is secret: of the sessions' IDs only the first eight digits.
std::string sessions_json(const SessionsSnapshot& snapshot);

}  // namespace sluice::interop::sfu
