// What a Listener knows of a peer that it lets in.
#pragma once

#include <optional>

#include <sluice/dtls/listener.h>

#include "handshake13/server13.h"

namespace sluice::dtls {

struct Admission::Impl {
  ConfigPtr config;
  Buffer hello;                 // the second ClientHello, unfragmented, with its header
  wire::SequenceNumber record;  // that it came in
  std::optional<handshake::server13::StatelessRetry> retry;  // of DTLS 1.3
};

}  // namespace sluice::dtls
