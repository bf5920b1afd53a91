// The tables that hold the connections of an Endpoint.
#pragma once

#include "table/address_encoding.h"
#include "table/host_counts.h"
#include "table/own_ends.h"
#include "table/slot_index.h"
#include "table/timer_queue.h"

namespace sluice::dtls::endpoint {

using table::encode;
using table::HostCounts;
using table::kNoSlot;
using table::OwnEnds;
using table::SlotIndex;
using table::SlotNumber;
using table::StoredPath;
using table::TimerQueue;

}  // namespace sluice::dtls::endpoint
