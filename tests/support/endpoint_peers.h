// Peers of an EndpointHost, which may send from several addresses.
#pragma once

#include <gtest/gtest.h>

#include "support/bytes.h"
#include "support/endpoint_host.h"

namespace sluice::test {

// The client, after a handshake at `path`.
inline Peer connected(Peer client, const dtls::UdpPath& path, EndpointHost& host,
                      dtls::Instant now = {}) {
  exchange(client, path, host, now);
  EXPECT_TRUE(works(client, path, host, now));
  return client;
}

// Whether a record of the peer, arriving from `path`, is delivered to this connection.
inline bool reaches(Peer& peer, const dtls::UdpPath& path, EndpointHost& host,
                    dtls::ConnectionHandle connection, dtls::Instant now = {}) {
  const std::size_t before = host.known[connection].data.size();
  host.receive(peer.seal(bytes_of("data")), path, now);
  return host.known[connection].data.size() == before + 1;
}

// Whether what this connection sends reaches the peer.
inline bool is_reached(Peer& peer, EndpointHost& host, dtls::ConnectionHandle connection) {
  const std::size_t before = peer.data.size();
  peer.receive(host.seal(connection, bytes_of("data")), {});
  return peer.data.size() == before + 1;
}

}  // namespace sluice::test
