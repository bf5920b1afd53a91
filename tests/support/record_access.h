// The record layer inside a connection, so that a test can send what the engine never would.
#pragma once

#include <sluice/dtls/connection.h>

#include "record/record_layer.h"

namespace sluice::test {

// Lives as long as the connection.
dtls::record::RecordLayer& records_of(dtls::Connection& connection);

}  // namespace sluice::test
