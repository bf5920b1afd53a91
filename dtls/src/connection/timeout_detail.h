// Why a handshake has timed out, in words.
#pragma once

#include <optional>

#include <sluice/dtls/error.h>
#include <sluice/dtls/statistics.h>

#include "wire/types.h"

namespace sluice::dtls::connection {

struct Silence {
  // The last message of the peer that the handshake has taken; empty: none.
  std::optional<wire::HandshakeType> last_message;
  // This side has keys to read what the peer encrypts, but nothing has come that they open.
  bool lacks_encrypted = false;
  Statistics statistics;
};

// What was seen of a peer that this side waits for, and what to look at.
ErrorDetail timeout_detail(const Silence& silence);

}  // namespace sluice::dtls::connection
