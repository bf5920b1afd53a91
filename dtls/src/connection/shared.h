// The objects that all phases of a connection share.
#pragma once

#include <sluice/dtls/config.h>

#include "connection/counters.h"
#include "connection/outputs.h"
#include "crypto/library.h"
#include "record/record_layer.h"

namespace sluice::dtls::connection {

// All members belong to the connection, which outlives its phases.
struct Shared {
  const ConfigOptions& config;
  crypto::Library& library;
  record::RecordLayer& records;
  Counters& counters;
  Outputs& outputs;
  Role role;
};

// Counts a record, or a part of one, as dropped.
void discard(const Shared& shared, Discard reason);

}  // namespace sluice::dtls::connection
