#include "support/middlebox.h"

namespace sluice::test {

void exchange_through(const Middlebox& middlebox, Peer& client, Peer& server, dtls::Instant now) {
  const auto carry = [&](Peer& from, Peer& to, dtls::Role sender) {
    std::vector<dtls::Buffer> sent = from.take_datagrams();
    for (dtls::Buffer& datagram : sent) {
      for (dtls::Buffer& arriving : middlebox(sender, std::move(datagram))) {
        to.receive(std::move(arriving), now);
      }
    }
    return !sent.empty();
  };
  bool moved = true;
  while (moved) {
    moved = carry(client, server, dtls::Role::client);
    moved = carry(server, client, dtls::Role::server) || moved;
  }
}

}  // namespace sluice::test
