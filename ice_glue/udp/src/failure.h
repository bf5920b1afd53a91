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

// Whether a socket has no room for what was to be sent.
inline bool is_full(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
}

}  // namespace sluice::udp
