// One input to a connection, and its result.
#pragma once

#include <cstddef>

#include <sluice/dtls/clock.h>
#include <sluice/dtls/path.h>

namespace sluice::dtls::connection {

struct Input {
  PathId path{};  // the path of its datagram
  Instant now{};
  bool record_opened = false;  // a protected record was authenticated
  // A record was the newest (record::Record::is_newest). Messages of a return routability check do
  // not count, because none of them shows that the peer sends from a new address (RFC 9853 section
  // 5).
  bool newest = false;
  std::size_t accepted = 0;  // bytes of the protected records that were not discarded
  std::size_t answered = 0;  // bytes that this side sends to an unvalidated path because of them
};

}  // namespace sluice::dtls::connection
