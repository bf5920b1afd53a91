// A server as a program would have it: a Listener before its connections, which are found by
// address.
#pragma once

#include <sluice/dtls/listener.h>

#include <map>

#include "support/endpoints.h"

namespace sluice::test {

class ListeningServer {
 public:
  explicit ListeningServer(const dtls::ConfigPtr& config = make_config(),
                           dtls::ListenerOptions options = {})
      : listener(must(dtls::Listener::make(config, environment(), options))) {}

  // Takes a datagram; what is to be sent back to that address.
  std::vector<dtls::Buffer> receive(dtls::Buffer datagram, const dtls::Buffer& address,
                                    dtls::Instant now = {});
  // Null when nobody at that address has been let in.
  Peer* connection(const dtls::Buffer& address);

  dtls::Listener listener;
  std::map<dtls::Buffer, Peer> connections;
};

// Carries datagrams between a client at `address` and the server, without loss or delay, until
// neither has any.
void exchange(Peer& client, const dtls::Buffer& address, ListeningServer& server,
              dtls::Instant now = {});

// Both are connected and data passes both ways.
bool works(Peer& client, const dtls::Buffer& address, ListeningServer& server);

}  // namespace sluice::test
