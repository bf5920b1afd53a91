// One input to a connection, and its result.
#pragma once

#include <sluice/dtls/clock.h>
#include <sluice/dtls/path.h>

namespace sluice::dtls::connection {

struct Input {
  PathId path{};  // the path of its datagram
  Instant now{};
  bool record_opened = false;  // a protected record was authenticated
  bool newest_record = false;  // Pending::newest_record
};

}  // namespace sluice::dtls::connection
