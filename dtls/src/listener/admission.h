// The data of a peer whose cookie a Listener has verified.
#pragma once

#include <optional>

#include <sluice/dtls/listener.h>

#include "handshake13/server13.h"

namespace sluice::dtls {

struct Admission::Impl {
  ConfigPtr config;
  CookieNumber cookie;
  Buffer hello;                 // the second ClientHello, unfragmented, with its header
  wire::SequenceNumber record;  // the record that contained `hello`
  std::optional<handshake::server13::StatelessRetry> retry;  // in DTLS 1.3
};

}  // namespace sluice::dtls
