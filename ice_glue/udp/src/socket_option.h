// Options of sockets.
#pragma once

#include <sys/socket.h>

namespace sluice::udp {

// False: errno says why.
inline bool set_option(int descriptor, int level, int option, int value) {
  return setsockopt(descriptor, level, option, &value, sizeof value) == 0;
}

}  // namespace sluice::udp
