// The sessions of a server as JSON.
#pragma once

#include <optional>
#include <string>

#include "sfu/operations/sessions_snapshot.h"

namespace sluice::interop::sfu {

// Without what is secret: of the sessions' IDs only the first eight digits.
// `dropped`: between workers, where there are several.
std::string sessions_json(const SessionsSnapshot& snapshot,
                          const std::optional<Exchange::Dropped>& dropped = {});

}  // namespace sluice::interop::sfu
