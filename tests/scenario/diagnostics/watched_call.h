// A handshake and a word each way, on an Environment that is watched.
#pragma once

#include "support/bytes.h"
#include "support/eavesdropper.h"
#include "support/endpoints.h"

namespace sluice::test {

struct Carried {
  dtls::Role sender;
  dtls::Buffer datagram;
};

class WatchedCall {
 public:
  WatchedCall(const dtls::ConfigOptions& options, const dtls::Environment::Options& watchers)
      : environment(must(dtls::Environment::make(watchers))),
        client(must(dtls::Connection::client(make_config(options), environment, kPath, {}))),
        server(must(dtls::Connection::server(make_config(options), environment, kPath, {}))) {}

  // The datagrams of the handshake and of what each side says after it.
  const std::vector<Carried>& run() {
    exchange();
    carry(dtls::Role::client, client.seal(bytes_of("from the client")));
    carry(dtls::Role::server, server.seal(bytes_of("from the server")));
    return carried;
  }

  void exchange() {
    bool moved = true;
    while (moved) {
      moved = false;
      for (const dtls::Role sender : {dtls::Role::client, dtls::Role::server}) {
        for (auto& datagram : (sender == dtls::Role::client ? client : server).take_datagrams()) {
          carry(sender, std::move(datagram));
          moved = true;
        }
      }
    }
  }

  void carry(dtls::Role sender, dtls::Buffer datagram) {
    carried.push_back({sender, datagram});
    (sender == dtls::Role::client ? server : client).receive(std::move(datagram), {});
  }

  dtls::Environment environment;
  Peer client;
  Peer server;
  std::vector<Carried> carried;
};

}  // namespace sluice::test
