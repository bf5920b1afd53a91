// What the workers of a server leave for the next process, as one, and how its workers take it.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "sfu/restart/moved_sfu.h"
#include "sfu/sfu.h"

namespace sluice::interop::sfu {

// `parts`: of each worker; their seats name publishers by MovedPublisher::number.
MovedSfu join_moves(std::vector<MovedSfu> parts);

// Before the workers run: each session goes on at the one that `place_for` says, at once.
void move_in(const MovedSfu& moved, dtls::Duration away, std::span<Sfu* const> workers,
             const std::function<std::size_t(const MovedSession&)>& place_for, dtls::Instant now);

}  // namespace sluice::interop::sfu
