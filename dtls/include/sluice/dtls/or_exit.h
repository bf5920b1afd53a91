// For programs that end when something fails that they cannot do without.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string_view>
#include <type_traits>
#include <utility>

#include <sluice/dtls/error.h>

namespace sluice::dtls {

// The value, or the end of the program: prints `doing`, if there is one, and the Error to
// std::cerr, then calls std::exit(1). For what a program makes at its start. Not for what depends
// on a peer: peers may fail at any time, and one of them must not end a server.
template <class T>
T or_exit(Result<T> result, std::string_view doing = {}) {
  if (!result) {
    std::cerr << doing << (doing.empty() ? "" : ": ") << to_string(result.error()) << '\n';
    std::exit(EXIT_FAILURE);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace sluice::dtls
