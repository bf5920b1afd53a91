// One input to a connection, and what became of it.
#pragma once

#include <sluice/dtls/clock.h>
#include <sluice/dtls/path.h>

namespace sluice::dtls::connection {

struct Input {
  PathId path;  // that its datagram came on
  Instant now;
  bool record_opened = false;  // a protected record has authenticated
};

}  // namespace sluice::dtls::connection
