// Somebody on the path between two connections, who may change what passes.
#pragma once

#include "support/virtual_network.h"

namespace sluice::test {

// Carries datagrams to and fro, without loss or delay, until neither side has any.
void exchange_through(const Middlebox& middlebox, Peer& client, Peer& server,
                      dtls::Instant now = {});

}  // namespace sluice::test
