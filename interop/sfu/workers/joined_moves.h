// What the workers of a server leave for the next process, as one.
#pragma once

#include <vector>

#include "sfu/restart/moved_sfu.h"

namespace sluice::interop::sfu {

// `parts`: of each worker; their seats name publishers by MovedPublisher::number.
MovedSfu join_moves(std::vector<MovedSfu> parts);

}  // namespace sluice::interop::sfu
