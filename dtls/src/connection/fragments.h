// The handshake fragments of one record.
#pragma once

#include "message/handshake_fragment.h"
#include "negotiation/fatal.h"

namespace sluice::dtls::connection {

// Whether the contents of a handshake record are one or more complete fragments.
inline bool are_fragments(Bytes contents) {
  wire::Reader reader(contents);
  do {
    if (!message::HandshakeFragment::take(reader)) return false;
  } while (reader.more());
  return true;
}

// Calls `take(fragment)`, which returns a Result<bool>, for each fragment of a record's contents.
// Whether all calls returned true. Errors: decode_error; those of `take`, which end the loop.
template <class Take>
Result<bool> for_each_fragment(Bytes contents, Take&& take) {
  wire::Reader reader(contents);
  bool is_all_true = true;
  do {
    const auto fragment = message::HandshakeFragment::take(reader);
    if (!fragment) {
      return handshake::fatal(Errc::decode_error, Alert::decode_error, "handshake fragment");
    }
    Result<bool> taken = take(*fragment);
    if (!taken) return taken;
    is_all_true = is_all_true && *taken;
  } while (reader.more());
  return is_all_true;
}

}  // namespace sluice::dtls::connection
