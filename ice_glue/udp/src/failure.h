// The errors of system calls.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <tl/expected.hpp>

namespace sluice::udp {

// `what` has failed, for the reason in errno.
inline tl::unexpected<std::string> failure(const char* what) {
  return tl::unexpected(std::string(what) + ": " + std::strerror(errno));
}

}  // namespace sluice::udp
