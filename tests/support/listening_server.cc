#include "support/listening_server.h"

namespace sluice::test {

using dtls::Buffer;

std::vector<Buffer> ListeningServer::receive(Buffer datagram, const Buffer& address,
                                             dtls::Instant now) {
  if (Peer* known = connection(address)) {
    known->receive(std::move(datagram), now);
    return known->take_datagrams();
  }
  auto outcome = listener.handle_datagram(datagram, address, now);
  if (const auto* reply = std::get_if<dtls::Listener::Reply>(&outcome)) {
    return {Buffer(reply->datagram.begin(), reply->datagram.end())};
  }
  auto* admission = std::get_if<dtls::Admission>(&outcome);
  if (admission == nullptr) return {};
  auto accepted = dtls::Connection::accept(std::move(*admission), environment(), kPath, now);
  Peer& peer = connections.emplace(address, std::move(accepted.connection)).first->second;
  peer.settle(accepted.outcome, now);
  return peer.take_datagrams();
}

Peer* ListeningServer::connection(const Buffer& address) {
  const auto found = connections.find(address);
  return found == connections.end() ? nullptr : &found->second;
}

void exchange(Peer& client, const Buffer& address, ListeningServer& server, dtls::Instant now) {
  for (bool moved = true; moved;) {
    moved = false;
    std::vector<Buffer> replies;
    for (Buffer& datagram : client.take_datagrams()) {
      for (Buffer& reply : server.receive(std::move(datagram), address, now)) {
        replies.push_back(std::move(reply));
      }
    }
    for (Buffer& reply : replies) {
      client.receive(std::move(reply), now);
      moved = true;
    }
  }
}

bool works(Peer& client, const Buffer& address, ListeningServer& server) {
  Peer* peer = server.connection(address);
  if (peer == nullptr || !client.connected || !peer->connected) return false;
  const Buffer data(100, std::byte{7});
  peer->receive(client.seal(data), {});
  client.receive(peer->seal(data), {});
  return !peer->data.empty() && peer->data.back() == data && !client.data.empty() &&
         client.data.back() == data;
}

}  // namespace sluice::test
