// One end of ours, the other of libssl's.
#pragma once

#include "support/libssl_peer.h"
#include "support/virtual_network.h"

namespace sluice::test {

Peer make_peer(dtls::Role role, const dtls::ConfigOptions& chosen);
// Carries datagrams until neither has more to say.
void exchange(Peer& ours, LibsslPeer& theirs);

void expect_same_exports(Peer& ours, LibsslPeer& theirs);
void expect_data_both_ways(Peer& ours, LibsslPeer& theirs);

}  // namespace sluice::test
