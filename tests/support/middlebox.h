// Somebody on the path between two connections, who may change what passes.
#pragma once

#include <functional>

#include "support/virtual_network.h"

namespace sluice::test {

// What becomes of a datagram: the datagrams to be delivered in its place.
using Middlebox =
    std::function<std::vector<dtls::Buffer>(dtls::Role sender, dtls::Buffer datagram)>;

// Carries datagrams to and fro, without loss or delay, until neither side has any.
void exchange_through(const Middlebox& middlebox, Peer& client, Peer& server,
                      dtls::Instant now = {});

}  // namespace sluice::test
