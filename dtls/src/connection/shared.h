// What the phases of one connection share.
#pragma once

#include <sluice/dtls/config.h>

#include "connection/counters.h"
#include "connection/outputs.h"
#include "crypto/library.h"
#include "record/record_layer.h"

namespace sluice::dtls::connection {

// All of it is the connection's, and outlives each of its phases.
struct Shared {
  const ConfigOptions& config;
  crypto::Library& library;
  record::RecordLayer& records;
  Counters& counters;
  Outputs& outputs;
  Role role;
};

// A record, or a part of one, is dropped.
void discard(const Shared& shared, Discard reason);

}  // namespace sluice::dtls::connection
